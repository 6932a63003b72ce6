//! Small values become 0.

activation! {
    /// x where |x| exceeds the threshold, 0 elsewhere. Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, HardShrink};
    /// assert_eq!(HardShrink::new().forward(tensor![2.0, -0.1]).to_vec::<f32>(), [2.0, 0.0]);
    /// ```
    HardShrink "hard_shrink" {
        /// What |x| must exceed, 0.5 by default.
        threshold = 0.5,
    }
    |x, layer| x.hardshrink(layer.threshold)
}
