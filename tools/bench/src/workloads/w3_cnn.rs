//! One training step of a small convolutional network on 28x28 images with SGD and momentum, batch 64.

use super::training_step;
use crate::measure::Bench;
use chainrule::nn::{Conv2d, Flatten, MaxPool2d, Relu};
use chainrule::prelude::*;

/// Two convolutions of 32 and 64 channels, each with ReLU and max pooling, and two fully connected layers.
pub fn cnn() -> Sequential {
    Sequential::new()
        .then(Conv2d::new(1, 32, 3).padding(1))
        .then(Relu::new())
        .then(MaxPool2d::new(2))
        .then(Conv2d::new(32, 64, 3).padding(1))
        .then(Relu::new())
        .then(MaxPool2d::new(2))
        .then(Flatten::new())
        .then(Linear::new(64 * 7 * 7, 128))
        .then(Relu::new())
        .then(Linear::new(128, 10))
}

pub fn run(bench: &mut Bench) {
    let x = Tensor::normal([64, 1, 28, 28], 0.0, 1.0);
    let labels = Tensor::from((0..64).map(|i| i * 7 % 10).collect::<Vec<i64>>());
    evaluate(&[&x]);
    let loss = move |model: &Sequential| model.forward(&x).cross_entropy(&labels);
    let sgd = Sgd::new(1e-2).momentum(0.9);
    training_step(bench, "W3", "train step b64 sgd-m", cnn(), sgd, loss);
}
