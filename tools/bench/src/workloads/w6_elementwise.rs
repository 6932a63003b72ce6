//! sum(tanh(x a + b) sigmoid(x) + exp(-x x)), 4M elements, value and gradient by all three.

use crate::measure::Bench;
use chainrule::prelude::*;
use std::hint::black_box;

const ELEMENTS: usize = 4 * 1024 * 1024;

pub fn run(bench: &mut Bench) {
    let draw = |seed| {
        let x = Generator::new(seed).normal(ELEMENTS, 0.0, 1.0);
        evaluate(&[&x]);
        x
    };
    let inputs = (draw(1), draw(2), draw(3));
    let function = |(x, a, b): &(Tensor, Tensor, Tensor)| {
        ((x * a + b).tanh() * x.sigmoid() + (-(x * x)).exp()).sum(..)
    };
    let gradient = value_and_grad(function);
    let faults = minor_faults();
    let mut repetitions = 0u64;
    bench.report("W6", "value+grad 4M", "ms", 1.0, || {
        let (value, (dx, da, db)) = gradient(&inputs);
        evaluate(&[&value, &dx, &da, &db]);
        black_box((value, dx, da, db));
        repetitions += 1;
    });
    let per_call = (minor_faults() - faults) as f64 / repetitions as f64;
    bench.line(
        "W6",
        "minor page faults per value+grad",
        "faults",
        per_call,
        "",
    );
    bench.report("W6", "value only 4M", "ms", 1.0, || {
        black_box(function(&inputs).item::<f32>());
    });
}

/// Page faults of this process so far that needed no disk; 0 where the system does not tell.
fn minor_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name
        .split_whitespace()
        .nth(7)
        .and_then(|field| field.parse().ok())
        .unwrap_or(0)
}
