//! The workloads, a file each.

mod costs;
mod memory;
mod w1_gemm;
mod w2_mlp;
mod w3_cnn;
mod w4_transformer;
mod w5_lstm;
mod w6_elementwise;
mod w7_scalars;
mod w8_hessian;
mod w9_inference;

use crate::measure::Bench;
use chainrule::prelude::*;
use std::hint::black_box;

/// Name, what it is, and the function that runs it.
pub type Workload = (&'static str, &'static str, fn(&mut Bench));

/// All workloads.
pub const ALL: &[Workload] = &[
    (
        "W1",
        "matrix products, beside the gemm crate on the same shapes",
        w1_gemm::run,
    ),
    (
        "W2",
        "a training step of a multilayer perceptron with Adam",
        w2_mlp::run,
    ),
    (
        "W3",
        "a training step of a convolutional network with SGD",
        w3_cnn::run,
    ),
    (
        "W4",
        "a training step of a character transformer with AdamW",
        w4_transformer::run,
    ),
    ("W5", "a training step of an LSTM with SGD", w5_lstm::run),
    (
        "W6",
        "a fused elementwise function of 4M elements, value and gradient",
        w6_elementwise::run,
    ),
    ("W7", "gradients of scalar programs", w7_scalars::run),
    (
        "W8",
        "Hessian and Hessian-vector product of a small network",
        w8_hessian::run,
    ),
    (
        "W9",
        "inference of small networks, and convolutions alone",
        w9_inference::run,
    ),
    (
        "costs",
        "derivatives beside their functions: time by mode, memory by mode",
        costs::run,
    ),
    (
        "memory",
        "peak memory of a deep network's gradients",
        memory::run,
    ),
];

/// Times training steps of `model`: loss, gradients and update, ending with the loss and all new parameters computed.
fn training_step<M: Module>(
    bench: &mut Bench,
    workload: &str,
    case: &str,
    mut model: M,
    mut optimiser: impl Update,
    loss: impl Fn(&M) -> Tensor,
) {
    let mut step = || {
        let (loss, gradients) = value_and_grad(&loss)(&model);
        let updated = optimiser.update(&mut model, &gradients);
        updated.expect("every parameter has a gradient");
        let mut results = model.parameters();
        results.push(&loss);
        evaluate(&results);
        black_box(loss);
    };
    for _ in 0..5 {
        step();
    }
    chainrule::memory::reset_peak();
    step();
    let peak = chainrule::memory::peak_bytes() as f64 / 1e6;
    bench.line(workload, "peak tensor memory of a step", "MB", peak, "");
    bench.report(workload, case, "ms", 1.0, step);
}
