//! The workloads, a file each.

mod costs;
mod memory;
mod w1_gemm;
mod w2_mlp;
mod w6_elementwise;
mod w7_scalars;
mod w8_hessian;

use crate::measure::Bench;

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
