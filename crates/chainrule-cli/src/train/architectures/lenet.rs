//! LeNet-5.

use super::{Architecture, at_least_one, layer};
use crate::train::model::Stack;
use chainrule::nn::{ArgumentError, Arguments, Value};

/// LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998) with ReLU and max pooling, as it is trained today: two convolutions of 5x5
/// with 6 and 16 channels (times `width`), each pooled by 2, and linear layers of 120, 84 and as many outputs as needed.
pub struct LeNet;

impl Architecture for LeNet {
    const NAME: &'static str = "lenet";

    fn build(
        arguments: &mut Arguments,
        stack: &mut Stack,
        outputs: usize,
    ) -> Result<(), ArgumentError> {
        let width = at_least_one(arguments, "width", 1)?;
        for (channels, padding) in [(6, 2_usize), (16, 0)] {
            let convolution = [
                ("outputs", Value::from(channels * width)),
                ("kernel", Value::from(5_usize)),
                ("padding", Value::from(padding)),
            ];
            layer(stack, "conv2d", &convolution)?;
            layer(stack, "relu", &[])?;
            layer(stack, "max_pool2d", &[("kernel", Value::from(2_usize))])?;
        }
        layer(stack, "flatten", &[])?;
        for extent in [120_usize, 84] {
            layer(stack, "linear", &[("outputs", Value::from(extent))])?;
            layer(stack, "relu", &[])?;
        }
        layer(stack, "linear", &[("outputs", Value::from(outputs))])
    }
}
