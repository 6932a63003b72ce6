//! One training step of an LSTM of 256 units over 64 steps with SGD, batch 32.

use super::training_step;
use crate::measure::Bench;
use chainrule::nn::{LastStep, Lstm};
use chainrule::prelude::*;

const INPUTS: usize = 64;
const UNITS: usize = 256;
const STEPS: usize = 64;
const BATCH: usize = 32;

pub fn run(bench: &mut Bench) {
    // The last hidden state, and a linear layer.
    let model = Sequential::new()
        .then(Lstm::new(INPUTS, UNITS))
        .then(LastStep::new())
        .then(Linear::new(UNITS, 10));
    let x = Tensor::normal([BATCH, STEPS, INPUTS], 0.0, 1.0);
    let labels = Tensor::from((0..BATCH as i64).map(|i| i * 7 % 10).collect::<Vec<i64>>());
    evaluate(&[&x]);
    let loss = move |model: &Sequential| model.forward(&x).cross_entropy(&labels);
    training_step(
        bench,
        "W5",
        "train step b32 sgd",
        model,
        Sgd::new(1e-2),
        loss,
    );
}
