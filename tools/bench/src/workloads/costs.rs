//! What derivatives cost beside the function: gradients, whole Jacobians in both modes, higher orders, memory by
//! mode.

use crate::measure::Bench;
use chainrule::prelude::*;
use std::hint::black_box;
use std::time::Instant;

pub fn run(bench: &mut Bench) {
    gradients(bench);
    jacobians(bench);
    orders(bench);
    memory_by_mode(bench);
}

type Function = Box<dyn Fn(&Tensor) -> Tensor>;

/// Five functions of one tensor with one number as their result.
fn functions() -> Vec<(&'static str, Tensor, Function)> {
    let generator = Generator::new(4);
    let normal = |rows: usize, columns: usize| generator.normal([rows, columns], 0.0, 0.05);
    let weights: Vec<Tensor> = (0..6).map(|_| normal(256, 256)).collect();
    let projections: Vec<Tensor> = (0..3).map(|_| normal(128, 128)).collect();
    let kernel = generator.normal([16, 16, 3, 3], 0.0, 0.1);
    let padded = ConvolutionOptions::new().padding(1);
    vec![
        (
            "elementwise, 1M elements",
            generator.normal(1 << 20, 0.0, 1.0),
            Box::new(|x| ((x.sin() * x).exp() + x.tanh()).sum(..)),
        ),
        (
            "six layers of 256",
            generator.normal([128, 256], 0.0, 1.0),
            Box::new(move |x| {
                let last = weights.iter().fold(x.clone(), |x, w| x.matmul(w).tanh());
                last.square().sum(..)
            }),
        ),
        (
            "attention, 256 positions",
            generator.normal([256, 128], 0.0, 1.0),
            Box::new(move |x| {
                let [q, k, v] = [0, 1, 2].map(|at| x.matmul(&projections[at]));
                let weights = (q.matmul(k.transpose(0, 1)) * 0.1).softmax(1);
                weights.matmul(v).square().sum(..)
            }),
        ),
        (
            "three convolutions, 16 channels",
            generator.normal([8, 16, 32, 32], 0.0, 1.0),
            Box::new(move |x| {
                let layer = |x: Tensor, _| x.conv2d(&kernel, padded.clone()).relu();
                (0..3).fold(x.clone(), layer).square().sum(..)
            }),
        ),
        (
            "Rosenbrock, 100,000 variables",
            generator.normal(100_000, 0.0, 1.0),
            Box::new(|x| {
                let count = x.elements() - 1;
                let (left, right) = (x.narrow(0, 0, count), x.narrow(0, 1, count));
                ((&right - left.square()).square() * 100.0 + (1.0 - &left).square()).sum(..)
            }),
        ),
    ]
}

/// The cost of value and gradient over that of the function.
fn gradients(bench: &Bench) {
    for (name, x, function) in functions() {
        let value = bench.time(|| evaluate(&[&function(&x)])).median;
        let both = bench.time(|| {
            let (value, gradient) = value_and_grad(&function)(&x);
            evaluate(&[&value, &gradient]);
        });
        let rest = format!(
            ",\"function_ms\":{:.4},\"both_ms\":{:.4}",
            value * 1e3,
            both.median * 1e3
        );
        let case = format!("value and gradient over function: {name}");
        bench.line("costs", &case, "ratio", both.median / value, &rest);
    }
}

/// Forward mode costs in proportion to the inputs, reverse mode in proportion to the outputs, of the same function.
fn jacobians(bench: &Bench) {
    let generator = Generator::new(5);
    let mixing = generator.normal([512, 512], 0.0, 0.04);
    let rest = generator.normal(512, 0.0, 1.0);
    let f = |x: &Tensor, outputs: usize| {
        let inputs = x.elements();
        let whole = Tensor::concat(&[x, &rest.narrow(0, inputs, 512 - inputs)], 0);
        let mixed = mixing.matmul(mixing.matmul(whole).tanh()).tanh();
        mixed.narrow(0, 0, outputs)
    };
    for inputs in [64, 128, 256, 512] {
        let x = generator.normal(inputs, 0.0, 1.0);
        let case = format!("jacfwd, {inputs} of 512 inputs");
        bench.report("costs", &case, "us", 1.0, || {
            evaluate(&[&jacfwd(|x: &Tensor| f(x, 512))(black_box(&x))]);
        });
    }
    let x = generator.normal(512, 0.0, 1.0);
    for outputs in [64, 128, 256, 512] {
        let case = format!("jacrev, {outputs} of 512 outputs");
        bench.report("costs", &case, "us", 1.0, || {
            evaluate(&[&jacrev(|x: &Tensor| f(x, outputs))(black_box(&x))]);
        });
    }
}

/// All derivatives up to an order, by Taylor mode and by nested directions.
fn orders(bench: &Bench) {
    fn nested(x: &Tensor, order: usize) -> Tensor {
        match order {
            0 => x.sin().exp().tanh(),
            _ => jvp(|x: &Tensor| nested(x, order - 1), x, &x.ones_like()).1,
        }
    }
    let x = Generator::new(6).normal(1000, 0.0, 0.5);
    for order in [2, 4, 6] {
        bench.report(
            "costs",
            &format!("order {order} by taylor"),
            "us",
            1.0,
            || {
                let (_, derivatives) = taylor(|x: &Tensor| nested(x, 0), &x, &x.ones_like(), order);
                evaluate(&[&derivatives[order - 1]]);
            },
        );
        bench.report(
            "costs",
            &format!("order {order} by nesting"),
            "us",
            1.0,
            || {
                evaluate(&[&nested(&x, order)]);
            },
        );
    }
}

/// The elements of a state of 1 MB.
const STATE: usize = 1 << 18;

fn step(x: &Tensor) -> Tensor {
    (x.sin() + 0.1) * x
}

/// Peak memory of derivatives of a long chain: flat forward, growing in reverse, with checkpoints in between.
fn memory_by_mode(bench: &Bench) {
    let (x, v) = (Tensor::full(STATE, 0.5), Tensor::full(STATE, 1.0));
    let chain = |x: &Tensor, steps: usize| (0..steps).fold(x.clone(), |x, _| step(&x)).sum(..);
    for steps in [1_000, 10_000] {
        let forward = || jvp(|x: &Tensor| chain(x, steps), &x, &v).1;
        peak(bench, &format!("forward mode, {steps} steps"), forward);
    }
    for steps in [1_000, 4_000] {
        let reverse = || grad(|x: &Tensor| chain(x, steps))(&x);
        peak(bench, &format!("reverse mode, {steps} steps"), reverse);
    }
    for (steps, segment) in [(1_000, 32), (10_000, 100)] {
        let reverse = || {
            let part = checkpoint(|x: &Tensor| (0..segment).fold(x.clone(), |x, _| step(&x)));
            grad(|x: &Tensor| {
                (0..steps / segment)
                    .fold(x.clone(), |x, _| part(&x))
                    .sum(..)
            })(&x)
        };
        let case = format!("reverse mode with checkpoints every {segment}, {steps} steps");
        peak(bench, &case, reverse);
    }
}

fn peak(bench: &Bench, case: &str, work: impl Fn() -> Tensor) {
    memory::reset_peak();
    let before = memory::live_bytes();
    let start = Instant::now();
    evaluate(&[&work()]);
    let rest = format!(",\"seconds\":{:.2}", start.elapsed().as_secs_f64());
    let peak = (memory::peak_bytes() - before) as f64 / 1e6;
    bench.line(
        "costs",
        &format!("states of 1 MB, {case}"),
        "MB",
        peak,
        &rest,
    );
}
