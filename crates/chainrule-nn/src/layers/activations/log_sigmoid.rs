//! The logarithm of the logistic function.

activation! {
    /// log(1 / (1 + exp(-x))), without underflow. Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::{Layer, LogSigmoid};
    /// assert_eq!(LogSigmoid::new().forward(tensor![-200.0]).to_vec::<f32>(), [-200.0]);
    /// ```
    LogSigmoid "log_sigmoid" {}
    |x| x.log_sigmoid()
}
