//! The exponential linear unit.

activation! {
    /// x where it is positive, alpha (exp(x) - 1) elsewhere (Clevert, Unterthiner, Hochreiter 2015). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Elu};
    /// assert_eq!(Elu::new().alpha(2.0).forward(tensor![0.0, 3.0]).to_vec::<f32>(), [0.0, 3.0]);
    /// ```
    Elu "elu" {
        /// The depth of the negative side, 1 by default.
        alpha = 1.0,
    }
    |x, layer| x.elu(layer.alpha)
}
