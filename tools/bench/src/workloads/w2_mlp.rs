//! One training step of a multilayer perceptron 784-512-512-10 with Adam, batch 64.

use crate::measure::Bench;
use chainrule::prelude::*;
use std::hint::black_box;

#[derive(Clone, Module)]
struct Mlp {
    first: Linear,
    second: Linear,
    third: Linear,
}

impl Mlp {
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.first.forward(x).relu();
        let x = self.second.forward(x).relu();
        self.third.forward(x)
    }
}

pub fn run(bench: &mut Bench) {
    let generator = Generator::new(1);
    let mut model = Mlp {
        first: Linear::from_generator(784, 512, &generator),
        second: Linear::from_generator(512, 512, &generator),
        third: Linear::from_generator(512, 10, &generator),
    };
    let x = generator.normal([64, 784], 0.0, 1.0);
    let labels = Tensor::from((0..64).map(|i| i * 7 % 10).collect::<Vec<i64>>());
    evaluate(&[&x]);
    let mut adam = Adam::new(1e-3);
    let mut step = || {
        let (loss, gradients) =
            value_and_grad(|model: &Mlp| model.forward(&x).cross_entropy(&labels))(&model);
        adam.update(&mut model, &gradients)
            .expect("every parameter has a gradient");
        // The step ends with its results computed: the loss and all new parameters.
        let mut results: Vec<&Tensor> = model
            .named_parameters()
            .into_iter()
            .map(|(_, tensor)| tensor)
            .collect();
        results.push(&loss);
        evaluate(&results);
        black_box(loss);
    };
    for _ in 0..5 {
        step();
    }
    memory::reset_peak();
    step();
    bench.line(
        "W2",
        "peak tensor memory of a step",
        "MB",
        memory::peak_bytes() as f64 / 1e6,
        "",
    );
    bench.report("W2", "train step b64 adam", "ms", 1.0, step);
}
