//! The hyperbolic tangent.

activation! {
    /// tanh(x). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Tanh};
    /// assert_eq!(Tanh::new().forward(tensor![0.0]).to_vec::<f32>(), [0.0]);
    /// ```
    Tanh "tanh" {}
    |x| x.tanh()
}
