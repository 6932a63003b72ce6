//! One training step of an LSTM of 256 units over 64 steps with SGD, batch 32.

use super::training_step;
use crate::measure::Bench;
use chainrule::prelude::*;

const INPUTS: usize = 64;
const UNITS: usize = 256;
const STEPS: usize = 64;
const BATCH: usize = 32;

/// The last hidden state of an LSTM, and a linear layer.
#[derive(Clone, Module)]
struct Recurrent {
    input: Linear,
    recurrent: Parameter,
    output: Linear,
}

impl Recurrent {
    fn new(generator: &Generator) -> Recurrent {
        let bound = 1.0 / (UNITS as f64).sqrt();
        Recurrent {
            input: Linear::from_generator(INPUTS, 4 * UNITS, generator),
            recurrent: Parameter::new(generator.uniform([4 * UNITS, UNITS], -bound, bound)),
            output: Linear::from_generator(UNITS, 10, generator),
        }
    }

    /// `x` is `[steps, batch, inputs]`.
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut hidden = Tensor::zeros([BATCH, UNITS]);
        let mut cell = Tensor::zeros([BATCH, UNITS]);
        let recurrent = self.recurrent.t();
        for step in self.input.forward(x).unbind(0) {
            let gates = (step + hidden.matmul(&recurrent)).chunk(4, 1);
            cell = gates[1].sigmoid() * &cell + gates[0].sigmoid() * gates[2].tanh();
            hidden = gates[3].sigmoid() * cell.tanh();
        }
        self.output.forward(hidden)
    }
}

pub fn run(bench: &mut Bench) {
    let generator = Generator::new(1);
    let model = Recurrent::new(&generator);
    let x = generator.normal([STEPS, BATCH, INPUTS], 0.0, 1.0);
    let labels = Tensor::from((0..BATCH as i64).map(|i| i * 7 % 10).collect::<Vec<i64>>());
    evaluate(&[&x]);
    let loss = move |model: &Recurrent| model.forward(&x).cross_entropy(&labels);
    training_step(
        bench,
        "W5",
        "train step b32 sgd",
        model,
        Sgd::new(1e-2),
        loss,
    );
}
