//! Values move towards 0.

activation! {
    /// x moved towards 0 by the threshold, and 0 within it. Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, SoftShrink};
    /// assert_eq!(SoftShrink::new().forward(tensor![2.0, -0.1]).to_vec::<f32>(), [1.5, 0.0]);
    /// ```
    SoftShrink "soft_shrink" {
        /// How far values move, 0.5 by default.
        threshold = 0.5,
    }
    |x, layer| x.softshrink(layer.threshold)
}
