//! The rectified linear unit with a leak.

activation! {
    /// x where it is positive, slope · x elsewhere (Maas, Hannun, Ng 2013). Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, LeakyRelu};
    /// assert_eq!(LeakyRelu::new().slope(0.5).forward(tensor![-2.0, 3.0]).to_vec::<f32>(), [-1.0, 3.0]);
    /// ```
    LeakyRelu "leaky_relu" {
        /// The slope of the negative side, 0.01 by default.
        slope = 0.01,
    }
    |x, layer| x.leaky_relu(layer.slope)
}
