//! One training step of a small convolutional network on 28x28 images with SGD and momentum, batch 64.

use super::training_step;
use crate::measure::Bench;
use chainrule::PoolOptions;
use chainrule::prelude::*;

/// Two convolutions of 32 and 64 channels, each with ReLU and max pooling, and two fully connected layers.
#[derive(Clone, Module)]
pub struct Cnn {
    first: Convolution,
    second: Convolution,
    hidden: Linear,
    output: Linear,
}

/// A convolution 3x3 that keeps the extents.
#[derive(Clone, Module)]
struct Convolution {
    weight: Parameter,
    bias: Parameter,
}

impl Convolution {
    fn new(inputs: usize, outputs: usize, generator: &Generator) -> Convolution {
        let bound = 1.0 / (inputs as f64 * 9.0).sqrt();
        Convolution {
            weight: Parameter::new(generator.uniform([outputs, inputs, 3, 3], -bound, bound)),
            bias: Parameter::new(generator.uniform([outputs], -bound, bound)),
        }
    }

    pub fn forward(&self, x: &Tensor) -> Tensor {
        let options = ConvolutionOptions::new().padding(1).bias(&self.bias);
        x.conv2d(&self.weight, options)
    }
}

impl Cnn {
    pub fn new(generator: &Generator) -> Cnn {
        Cnn {
            first: Convolution::new(1, 32, generator),
            second: Convolution::new(32, 64, generator),
            hidden: Linear::from_generator(64 * 7 * 7, 128, generator),
            output: Linear::from_generator(128, 10, generator),
        }
    }
}

impl Layer for Cnn {
    fn compute(&self, x: &Tensor) -> Tensor {
        let x = self.first.forward(x).relu().max_pool2d(PoolOptions::new(2));
        let x = self
            .second
            .forward(&x)
            .relu()
            .max_pool2d(PoolOptions::new(2));
        let x = self.hidden.forward(x.reshape([-1, 64 * 7 * 7])).relu();
        self.output.forward(x)
    }
}

pub fn run(bench: &mut Bench) {
    let generator = Generator::new(1);
    let model = Cnn::new(&generator);
    let x = generator.normal([64, 1, 28, 28], 0.0, 1.0);
    let labels = Tensor::from((0..64).map(|i| i * 7 % 10).collect::<Vec<i64>>());
    evaluate(&[&x]);
    let loss = move |model: &Cnn| model.forward(&x).cross_entropy(&labels);
    let sgd = Sgd::new(1e-2).momentum(0.9);
    training_step(bench, "W3", "train step b64 sgd-m", model, sgd, loss);
}
