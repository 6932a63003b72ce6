//! The self-normalising exponential unit.

activation! {
    /// 1.0507 x where x is positive, 1.0507 · 1.6733 (exp(x) - 1) elsewhere (Klambauer and others 2017): keeps mean 0 and
    /// variance 1 through the layers. Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Selu};
    /// assert_eq!(Selu::new().forward(tensor![0.0]).to_vec::<f32>(), [0.0]);
    /// ```
    Selu "selu" {}
    |x| x.selu()
}
