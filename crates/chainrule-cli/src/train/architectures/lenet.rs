//! LeNet-5.

use super::{Architecture, layer};
use crate::train::model::Stack;
use chainrule::nn::{ArgumentError, Arguments};

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
        let width: usize = arguments.optional("width", 1)?;
        for (channels, padding) in [(6, 2), (16, 0)] {
            let convolution = [
                ("outputs", channels * width),
                ("kernel", 5),
                ("padding", padding),
            ];
            layer(stack, "conv2d", &convolution)?;
            layer(stack, "relu", &[])?;
            layer(stack, "max_pool2d", &[("kernel", 2)])?;
        }
        layer(stack, "flatten", &[])?;
        for extent in [120, 84] {
            layer(stack, "linear", &[("outputs", extent)])?;
            layer(stack, "relu", &[])?;
        }
        layer(stack, "linear", &[("outputs", outputs)])
    }
}
