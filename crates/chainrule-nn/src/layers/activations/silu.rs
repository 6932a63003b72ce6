//! The sigmoid-weighted linear unit.

activation! {
    /// x / (1 + exp(-x)), also called swish (Elfwing and others 2017; Ramachandran and others 2017). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Silu};
    /// assert_eq!(Silu::new().forward(tensor![0.0]).to_vec::<f32>(), [0.0]);
    /// ```
    Silu "silu" {}
    |x| x.silu()
}
