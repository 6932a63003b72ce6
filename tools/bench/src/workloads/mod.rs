//! The workloads, a file each.

mod w1_gemm;
mod w6_elementwise;
mod w7_scalars;

use crate::measure::Bench;

/// Name, what it is, and the function that runs it.
pub const ALL: &[(&str, &str, fn(&mut Bench))] = &[
    ("W1", "matrix products, beside the gemm crate on the same shapes", w1_gemm::run),
    ("W6", "a fused elementwise function of 4M elements, value and gradient", w6_elementwise::run),
    ("W7", "gradients of scalar programs", w7_scalars::run),
];
