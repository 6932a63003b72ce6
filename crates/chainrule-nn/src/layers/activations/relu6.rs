//! The rectified linear unit with a ceiling.

activation! {
    /// min(max(0, x), 6) (Krizhevsky 2010). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Relu6};
    /// assert_eq!(Relu6::new().forward(tensor![-1.0, 9.0]).to_vec::<f32>(), [0.0, 6.0]);
    /// ```
    Relu6 "relu6" {}
    |x| x.relu6()
}
