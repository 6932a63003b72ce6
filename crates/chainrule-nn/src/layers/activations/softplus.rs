//! A smooth rectified linear unit.

activation! {
    /// log(1 + exp(beta x)) / beta, and x itself where beta x exceeds the threshold. Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Softplus};
    /// assert_eq!(Softplus::new().forward(tensor![30.0]).to_vec::<f32>(), [30.0]);
    /// ```
    Softplus "softplus" {
        /// How sharp the bend is, 1 by default.
        beta = 1.0,
        /// Where beta x is so large that the function counts as linear, 20 by default.
        threshold = 20.0,
    }
    |x, layer| {
        let scaled = x * layer.beta;
        scaled.gt(layer.threshold).where_(x, scaled.softplus() / layer.beta)
    }
}
