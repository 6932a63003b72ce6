//! What the hyperbolic tangent takes away.

activation! {
    /// x - tanh(x). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, TanhShrink};
    /// assert_eq!(TanhShrink::new().forward(tensor![0.0]).to_vec::<f32>(), [0.0]);
    /// ```
    TanhShrink "tanh_shrink" {}
    |x| x.tanhshrink()
}
