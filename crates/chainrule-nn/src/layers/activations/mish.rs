//! Mish.

activation! {
    /// x tanh(log(1 + exp(x))) (Misra 2019). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Mish};
    /// assert_eq!(Mish::new().forward(tensor![0.0]).to_vec::<f32>(), [0.0]);
    /// ```
    Mish "mish" {}
    |x| x.mish()
}
