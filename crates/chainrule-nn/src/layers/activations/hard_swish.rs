//! Swish of straight pieces.

activation! {
    /// x min(max(0, x + 3), 6) / 6 (Howard and others 2019). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, HardSwish};
    /// assert_eq!(HardSwish::new().forward(tensor![0.0, 4.0]).to_vec::<f32>(), [0.0, 4.0]);
    /// ```
    HardSwish "hard_swish" {}
    |x| x.hardswish()
}
