//! The memory of a deep network's gradients: 50 layers tanh(x @ W), x [1024, 512], W [512, 512], f32.

use crate::measure::Bench;
use chainrule::prelude::*;

pub fn run(bench: &mut Bench) {
    let generator = Generator::new(1);
    let weights: Vec<Tensor> = (0..50)
        .map(|_| generator.normal([512, 512], 0.0, 0.05))
        .collect();
    let x = generator.normal([1024, 512], 0.0, 1.0);
    let mut given: Vec<&Tensor> = weights.iter().collect();
    given.push(&x);
    evaluate(&given);
    let network = |weights: &Vec<Tensor>| {
        weights
            .iter()
            .fold(x.clone(), |x, w| x.matmul(w).tanh())
            .sum(..)
    };
    memory::reset_peak();
    let (value, gradients) = value_and_grad(network)(&weights);
    let mut results: Vec<&Tensor> = gradients.iter().collect();
    results.push(&value);
    evaluate(&results);
    let peak = memory::peak_bytes() as f64 / f64::from(1 << 20);
    bench.line(
        "memory",
        "50 layers tanh(x @ W), all gradients, peak",
        "MiB",
        peak,
        "",
    );
}
