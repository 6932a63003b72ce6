//! The rectified linear unit.

activation! {
    /// max(0, x) (Nair, Hinton 2010). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Relu};
    /// assert_eq!(Relu::new().forward(tensor![-1.0, 2.0]).to_vec::<f32>(), [0.0, 2.0]);
    /// ```
    Relu "relu" {}
    |x| x.relu()
}
