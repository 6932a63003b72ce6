//! A step that replaces small values.

activation! {
    /// x where it exceeds the threshold, the value elsewhere: PyTorch's `Threshold`. (Caffe's layer of that name gives 0 and
    /// 1: `x.gt(threshold)`.) Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, Threshold};
    /// let layer = Threshold::new().threshold(2.0).value(0.5);
    /// assert_eq!(layer.forward(tensor![1.0, 3.0]).to_vec::<f32>(), [0.5, 3.0]);
    /// ```
    Threshold "threshold" {
        /// What x must exceed, 0 by default.
        threshold = 0.0,
        /// What stands in place of smaller elements, 0 by default.
        value = 0.0,
    }
    |x, layer| x.threshold(layer.threshold, layer.value)
}
