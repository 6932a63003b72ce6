//! The continuously differentiable exponential linear unit.

activation! {
    /// x where it is positive, alpha (exp(x / alpha) - 1) elsewhere (Barron 2017). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Celu};
    /// assert_eq!(Celu::new().alpha(2.0).forward(tensor![0.0, 3.0]).to_vec::<f32>(), [0.0, 3.0]);
    /// ```
    Celu "celu" {
        /// The depth of the negative side, 1 by default; not 0.
        alpha = 1.0,
    }
    |x, layer| x.celu(layer.alpha)
}
