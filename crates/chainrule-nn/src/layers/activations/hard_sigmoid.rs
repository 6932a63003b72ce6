//! A sigmoid of straight pieces.

activation! {
    /// min(max(0, x + 3), 6) / 6 (Courbariaux and others 2015). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, HardSigmoid};
    /// assert_eq!(HardSigmoid::new().forward(tensor![0.0, 4.0]).to_vec::<f32>(), [0.5, 1.0]);
    /// ```
    HardSigmoid "hard_sigmoid" {}
    |x| x.hardsigmoid()
}
