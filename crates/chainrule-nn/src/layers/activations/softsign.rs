//! A sigmoid without exponentials.

activation! {
    /// x / (1 + |x|). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Softsign};
    /// assert_eq!(Softsign::new().forward(tensor![1.0]).to_vec::<f32>(), [0.5]);
    /// ```
    Softsign "softsign" {}
    |x| x.softsign()
}
