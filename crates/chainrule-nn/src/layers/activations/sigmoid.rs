//! The logistic function.

activation! {
    /// 1 / (1 + exp(-x)). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Sigmoid};
    /// assert_eq!(Sigmoid::new().forward(tensor![0.0]).to_vec::<f32>(), [0.5]);
    /// ```
    Sigmoid "sigmoid" {}
    |x| x.sigmoid()
}
