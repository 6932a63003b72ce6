//! One training step of a multilayer perceptron 784-512-512-10 with Adam, batch 64.

use super::training_step;
use crate::measure::Bench;
use chainrule::prelude::*;

/// Three fully connected layers.
#[derive(Clone, Module)]
pub struct Mlp {
    first: Linear,
    second: Linear,
    third: Linear,
}

impl Mlp {
    pub fn new(generator: &Generator) -> Mlp {
        Mlp {
            first: Linear::from_generator(784, 512, generator),
            second: Linear::from_generator(512, 512, generator),
            third: Linear::from_generator(512, 10, generator),
        }
    }
}

impl Layer for Mlp {
    fn compute(&self, x: &Tensor) -> Tensor {
        let x = self.first.forward(x).relu();
        let x = self.second.forward(x).relu();
        self.third.forward(x)
    }
}

pub fn run(bench: &mut Bench) {
    let generator = Generator::new(1);
    let model = Mlp::new(&generator);
    let x = generator.normal([64, 784], 0.0, 1.0);
    let labels = Tensor::from((0..64).map(|i| i * 7 % 10).collect::<Vec<i64>>());
    evaluate(&[&x]);
    let loss = move |model: &Mlp| model.forward(&x).cross_entropy(&labels);
    training_step(
        bench,
        "W2",
        "train step b64 adam",
        model,
        Adam::new(1e-3),
        loss,
    );
}
