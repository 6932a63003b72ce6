//! Times one fused program: the value and three gradients of sum(tanh(x a + b) sigmoid(x) + exp(-x^2)), in `f32`.
//!
//! `cargo run --release -p chainrule-kernels --example fused_timing -- [elements] [repetitions]`

use chainrule_kernels::program::{Builder, Operand, Program, Reduction, Register};
use chainrule_kernels::{Buffer, DType, Leaf, math, simd, threads};
use std::time::Instant;

const F32: DType = DType::F32;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| {
        arguments
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (count, repetitions): (usize, usize) = (number(1 << 22), number(41));
    let program = value_and_gradients();
    println!(
        "{count} elements, {} instructions, {} threads, {}",
        program.instruction_count(),
        threads::thread_count(),
        simd::level().name()
    );
    time_program(&program, count, repetitions);
    time_scalars(&program);
    for leaf in math::ALL.iter().filter(|leaf| leaf.supports(F32)) {
        time_leaf(leaf, F32);
    }
    for leaf in math::ALL.iter().filter(|leaf| leaf.supports(DType::F64)) {
        time_leaf(leaf, DType::F64);
    }
}

fn value_and_gradients() -> Program {
    let mut builder = Program::builder();
    let [x, a, b] = [0; 3].map(|_| builder.input(F32));
    let one = builder.constant(F32, 1.0);
    let minus_two = builder.constant(F32, -2.0);
    let mut p = Expressions(builder);
    let xa = p.apply(&math::MUL, &[x, a]);
    let u = p.apply(&math::ADD, &[xa, b]);
    let t = p.apply(&math::TANH, &[u]);
    let s = p.apply(&math::SIGMOID, &[x]);
    let ts = p.apply(&math::MUL, &[t, s]);
    let square = p.apply(&math::SQUARE, &[x]);
    let negative = p.apply(&math::NEG, &[square]);
    let e = p.apply(&math::EXP, &[negative]);
    let value = p.apply(&math::ADD, &[ts, e]);
    // d/du = s (1 - t^2), d/ds = t, ds/dx = s (1 - s), de/dx = -2 x e.
    let tt = p.apply(&math::SQUARE, &[t]);
    let slope = p.apply(&math::SUB, &[one, tt]);
    let du = p.apply(&math::MUL, &[s, slope]);
    let da = p.apply(&math::MUL, &[du, x]);
    let through_u = p.apply(&math::MUL, &[du, a]);
    let rest = p.apply(&math::SUB, &[one, s]);
    let through_s = p.apply(&math::MUL, &[ts, rest]);
    let doubled = p.apply(&math::MUL, &[x, minus_two]);
    let through_e = p.apply(&math::MUL, &[doubled, e]);
    let two = p.apply(&math::ADD, &[through_u, through_s]);
    let dx = p.apply(&math::ADD, &[two, through_e]);
    let mut builder = p.0;
    builder.reduce(value, Reduction::Sum);
    for gradient in [dx, da, du] {
        builder.output(gradient);
    }
    builder.finish()
}

struct Expressions(Builder);

impl Expressions {
    fn apply(&mut self, leaf: &'static Leaf, operands: &[Register]) -> Register {
        self.0.apply(leaf, F32, operands)
    }
}

fn time_program(program: &Program, count: usize, repetitions: usize) {
    let values = |scale: f32| -> Buffer {
        let values: Vec<f32> = (0..count)
            .map(|i| ((i * 7919 % 10007) as f32 / 5003.5 - 1.0) * scale)
            .collect();
        Buffer::from_slice(&values).expect("memory")
    };
    let inputs = [values(3.0), values(2.0), values(1.0)];
    let mut outputs: Vec<Buffer> = [1, count, count, count]
        .iter()
        .map(|&count| Buffer::for_elements(F32, count).expect("memory"))
        .collect();
    let mut times: Vec<f64> = (0..repetitions)
        .map(|_| {
            let start = Instant::now();
            let operands = inputs
                .each_ref()
                .map(|data| Operand::strided(data, 0, &[1]));
            let mut outputs: Vec<&mut Buffer> = outputs.iter_mut().collect();
            program.run(&[count], 1, &operands, &mut outputs);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "{:.3} ms median, {:.3} ms least; sum {}",
        times[times.len() / 2],
        times[0],
        outputs[0].as_slice::<f32>()[0]
    );
}

/// Nanoseconds for the program on a single point, and for one direct call.
fn time_scalars(program: &Program) {
    let inputs = [0.5f32, 0.25, 0.125].map(|x| Buffer::from_slice(&[x]).expect("memory"));
    let mut outputs = [0; 4].map(|_| Buffer::zeroed(4).expect("memory"));
    let repetitions = 100_000;
    let start = Instant::now();
    for _ in 0..repetitions {
        let operands = inputs.each_ref().map(|data| Operand::strided(data, 0, &[]));
        let [a, b, c, d] = &mut outputs;
        program.run(&[], 0, &operands, &mut [a, b, c, d]);
    }
    println!(
        "{:.1} ns for one point",
        start.elapsed().as_secs_f64() * 1e9 / repetitions as f64
    );
    let start = Instant::now();
    let mut x = 0.5;
    for _ in 0..repetitions {
        x = math::COS.call_f32(&[x]);
    }
    println!(
        "{:.1} ns for cos directly ({x})",
        start.elapsed().as_secs_f64() * 1e9 / repetitions as f64
    );
}

/// Nanoseconds an element, data in the nearest cache.
fn time_leaf(leaf: &'static Leaf, dtype: DType) {
    let count = 1024;
    let mut builder = Program::builder();
    let operands: Vec<Register> = (0..leaf.arity())
        .map(|i| builder.input(leaf.operand(dtype, i)))
        .collect();
    let result = builder.apply(leaf, dtype, &operands);
    builder.output(result);
    let program = builder.finish();
    let mut data = Buffer::zeroed(count * 8).expect("memory");
    let unit = |i: usize| 0.1 + (i * 37 % 97) as f64 / 121.0;
    match dtype {
        DType::F64 => (0..count).for_each(|i| data.as_mut_slice::<f64>()[i] = unit(i)),
        _ => (0..count).for_each(|i| data.as_mut_slice::<f32>()[i] = unit(i) as f32),
    }
    let flags = Buffer::zeroed(count).expect("memory");
    let mut out = Buffer::zeroed(count * 8).expect("memory");
    let operands: Vec<Operand> = (0..leaf.arity())
        .map(|i| {
            if leaf.operand(dtype, i) == dtype {
                &data
            } else {
                &flags
            }
        })
        .map(|data| Operand::strided(data, 0, &[1]))
        .collect();
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        for _ in 0..200 {
            program.run(&[count], 0, &operands, &mut [&mut out]);
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{:>10} {dtype}: {:.3} ns",
        leaf.name(),
        best * 1e9 / 200.0 / count as f64
    );
}
