//! The hyperbolic tangent of straight pieces.

activation! {
    /// x limited to low .. high. Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, HardTanh};
    /// assert_eq!(HardTanh::new().high(2.0).forward(tensor![-3.0, 1.5]).to_vec::<f32>(), [-1.0, 1.5]);
    /// ```
    HardTanh "hard_tanh" {
        /// The lower limit, -1 by default.
        low = -1.0,
        /// The upper limit, 1 by default.
        high = 1.0,
    }
    |x, layer| x.hardtanh(layer.low, layer.high)
}
