//! AlexNet.

use super::{Architecture, layer};
use crate::train::model::Stack;
use chainrule::nn::{ArgumentError, Arguments, Value};

/// Krizhevsky, Sutskever, Hinton (2012): convolutions in two groups where the network was divided over two GPUs, local
/// response normalisation, overlapping pools, dropout. For images `[3, 227, 227]` and 1,000 classes it has 60,965,224
/// parameters; with `small`, the same order of layers is one for images `[3, 32, 32]`.
pub struct AlexNet;

/// What differs between the network of the paper and the small one.
struct Sizes {
    /// Channels, kernel, stride and padding of the first convolution.
    first: [usize; 4],
    /// Channels of the others.
    channels: [usize; 4],
    /// How many of the three last convolutions there are.
    last: usize,
    dropout: f64,
    hidden: &'static [usize],
}

const PAPER: Sizes = Sizes {
    first: [96, 11, 4, 0],
    channels: [256, 384, 384, 256],
    last: 3,
    dropout: 0.5,
    hidden: &[4096, 4096],
};

const SMALL: Sizes = Sizes {
    first: [48, 5, 1, 2],
    channels: [96, 128, 96, 0],
    last: 2,
    dropout: 0.3,
    hidden: &[256],
};

impl Architecture for AlexNet {
    const NAME: &'static str = "alexnet";

    fn build(
        arguments: &mut Arguments,
        stack: &mut Stack,
        outputs: usize,
    ) -> Result<(), ArgumentError> {
        let sizes = match arguments.optional("small", false)? {
            true => SMALL,
            false => PAPER,
        };
        let [channels, kernel, stride, padding] = sizes.first;
        let first = [
            ("outputs", Value::from(channels)),
            ("kernel", kernel.into()),
            ("stride", stride.into()),
            ("padding", padding.into()),
        ];
        layer(stack, "conv2d", &first)?;
        normalised_and_pooled(stack)?;
        convolution(stack, sizes.channels[0], 5, 2)?;
        normalised_and_pooled(stack)?;
        for (number, &channels) in sizes.channels[1..].iter().take(sizes.last).enumerate() {
            let groups = if number == 0 { 1 } else { 2 };
            convolution(stack, channels, 3, groups)?;
            layer(stack, "relu", &[])?;
        }
        pool(stack)?;
        layer(stack, "flatten", &[])?;
        for &extent in sizes.hidden {
            layer(stack, "dropout", &[("probability", sizes.dropout.into())])?;
            layer(stack, "linear", &[("outputs", extent.into())])?;
            layer(stack, "relu", &[])?;
        }
        layer(stack, "linear", &[("outputs", outputs.into())])
    }
}

/// A convolution that keeps the extents of an image.
fn convolution(
    stack: &mut Stack,
    channels: usize,
    kernel: usize,
    groups: usize,
) -> Result<(), ArgumentError> {
    let arguments = [
        ("outputs", Value::from(channels)),
        ("kernel", kernel.into()),
        ("padding", (kernel / 2).into()),
        ("groups", groups.into()),
    ];
    layer(stack, "conv2d", &arguments)
}

fn normalised_and_pooled(stack: &mut Stack) -> Result<(), ArgumentError> {
    layer(stack, "relu", &[])?;
    // The paper's alpha of 1e-4 is of the sum over 5 channels, here it is of their mean.
    let norm = [
        ("size", Value::from(5_usize)),
        ("alpha", 5e-4.into()),
        ("beta", 0.75.into()),
        ("k", 2.0.into()),
    ];
    layer(stack, "local_response_norm", &norm)?;
    pool(stack)
}

fn pool(stack: &mut Stack) -> Result<(), ArgumentError> {
    let overlapping = [("kernel", Value::from(3_usize)), ("stride", 2_usize.into())];
    layer(stack, "max_pool2d", &overlapping)
}
