//! Matrix products of f32, squares and the shapes of the training workloads.

use crate::measure::Bench;
use chainrule::prelude::*;
use std::hint::black_box;

const SQUARES: [usize; 4] = [256, 512, 1024, 2048];
const SHAPES: [[usize; 3]; 9] = [
    [64, 784, 512],
    [64, 512, 512],
    [2048, 128, 384],
    [2048, 128, 512],
    [2048, 512, 128],
    [512, 64, 784],
    [64, 512, 10],
    [32, 32, 32],
    [8, 8, 8],
];

pub fn run(bench: &mut Bench) {
    for n in SQUARES {
        product(bench, &format!("sgemm n={n}"), [n, n, n]);
    }
    for [m, k, n] in SHAPES {
        product(bench, &format!("sgemm {m}x{k}x{n}"), [m, k, n]);
    }
}

fn product(bench: &mut Bench, case: &str, [m, k, n]: [usize; 3]) {
    let generator = Generator::new(1);
    let (a, b) = (
        generator.normal([m, k], 0.0, 1.0),
        generator.normal([k, n], 0.0, 1.0),
    );
    evaluate(&[&a, &b]);
    let times = bench.time(|| {
        let product = a.matmul(&b);
        evaluate(&[&product]);
        black_box(product);
    });
    let rate = |seconds: f64| 2e-9 * (m * k * n) as f64 / seconds;
    let rest = format!(
        ",\"best\":{:.4},\"p90\":{:.4},\"reps\":{}",
        rate(times.least),
        rate(times.p90),
        times.repetitions
    );
    bench.line("W1", case, "GFLOP/s", rate(times.median), &rest);
}
