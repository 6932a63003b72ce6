//! Random graphs of 5 to 200 nodes: reverse mode, forward mode and differences agree, and planned execution gives what
//! plain execution gives, whatever is read early, held or dropped. Each failure names its seed.

use chainrule_core::{DType, Device, Tensor, evaluate, grad, jvp};

/// Random numbers that a seed fixes (splitmix64).
struct Draw(u64);

impl Draw {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.word() % bound as u64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn tensor(&mut self, shape: [usize; 2], dtype: DType) -> Tensor {
        let numbers: Vec<f64> = (0..shape[0] * shape[1])
            .map(|_| 2.0 * self.unit() - 1.0)
            .collect();
        Tensor::from_vec(numbers, shape).cast(dtype)
    }
}

const SIDE: usize = 4;

/// Smooth functions that keep numbers near [-1, 1], so that differences stay accurate through 200 nodes.
fn elementwise(draw: &mut Draw, a: &Tensor, b: &Tensor) -> Tensor {
    match draw.below(9) {
        0 => a.sin(),
        1 => a.tanh(),
        2 => (a + b) * 0.5,
        3 => a * b,
        4 => (-a.square()).exp(),
        5 => a.sigmoid() - b,
        6 => a / (b.square() + 1.0),
        7 => a.gt(0.1).where_(b.cos(), a * 0.7),
        _ => a - b * 0.3,
    }
}

fn structural(draw: &mut Draw, a: &Tensor, b: &Tensor) -> Tensor {
    match draw.below(8) {
        0 => a.matmul(b) * 0.3,
        1 => a.t(),
        2 => (a.sum(0) * 0.25).expand([SIDE, SIDE]),
        3 => (a.sum(1) * 0.25).unsqueeze(1).expand([SIDE, SIDE]),
        4 => Tensor::concat(&[&a.narrow(0, 1, SIDE - 1), &b.narrow(0, 0, 1)], 0),
        5 => a.flip(1),
        6 => a.reshape([2, -1]).softmax(-1).reshape([SIDE as isize, -1]),
        _ => (a.sum(..) * 0.05).expand([SIDE, SIDE]),
    }
}

/// A graph of `size` nodes on two leaves; `watch` sees every node as it is made.
fn graph(
    seed: u64,
    leaves: &[Tensor],
    size: usize,
    only_elementwise: bool,
    watch: &mut dyn FnMut(&mut Draw, &Tensor),
) -> Tensor {
    let mut draw = Draw(seed);
    let mut nodes = leaves.to_vec();
    for _ in 0..size {
        // Mostly recent nodes, so that graphs grow deep as well as wide.
        let recent = nodes.len().min(6);
        let a = nodes[nodes.len() - 1 - draw.below(recent)].clone();
        let b = nodes[draw.below(nodes.len())].clone();
        let node = if only_elementwise || draw.below(3) > 0 {
            elementwise(&mut draw, &a, &b)
        } else {
            structural(&mut draw, &a, &b)
        };
        watch(&mut draw, &node);
        nodes.push(node);
    }
    nodes.pop().expect("there is a node")
}

fn inputs(seed: u64, dtype: DType) -> Vec<Tensor> {
    let mut draw = Draw(seed ^ 0xABCD);
    vec![
        draw.tensor([SIDE, SIDE], dtype),
        draw.tensor([SIDE, SIDE], dtype),
    ]
}

fn size_of(seed: u64) -> usize {
    5 + Draw(seed ^ 0x5555).below(196)
}

#[test]
fn reverse_forward_and_differences_agree() {
    for seed in 0..60 {
        let size = size_of(seed);
        let loss = |leaves: &Vec<Tensor>| graph(seed, leaves, size, false, &mut |_, _| {}).sum(..);
        let at = inputs(seed, DType::F64);
        let direction = inputs(seed + 1000, DType::F64);
        let gradient = grad(loss)(&at);
        let reverse: f64 = gradient
            .iter()
            .zip(&direction)
            .map(|(g, d)| (g * d).sum(..).item::<f64>())
            .sum();
        let forward = jvp(loss, &at, &direction).1.item::<f64>();
        let scale = reverse.abs().max(1.0);
        assert!(
            (reverse - forward).abs() <= 1e-10 * scale,
            "seed {seed}: {reverse} reverse, {forward} forward"
        );
        let moved = |step: f64| {
            let leaves = at
                .iter()
                .zip(&direction)
                .map(|(x, d)| x + d * step)
                .collect();
            loss(&leaves).item::<f64>()
        };
        let step = 1e-5;
        let difference = (8.0 * (moved(step) - moved(-step))
            - (moved(2.0 * step) - moved(-2.0 * step)))
            / (12.0 * step);
        // A branch of `where` may lie within the step.
        let near_kink = (moved(step) - 2.0 * moved(0.0) + moved(-step)).abs() > 1e-6;
        assert!(
            near_kink || (reverse - difference).abs() <= 1e-6 * scale,
            "seed {seed}: {reverse}, differences {difference}"
        );
    }
}

#[test]
fn planned_gives_what_plain_gives_whatever_is_looked_at() {
    for seed in 0..60 {
        let size = size_of(seed);
        let plain_leaves: Vec<Tensor> = inputs(seed, DType::F64)
            .iter()
            .map(|leaf| leaf.to_device(Device::PLAIN))
            .collect();
        let plain = graph(seed, &plain_leaves, size, false, &mut |_, _| {}).to_vec::<f64>();
        let mut held = Vec::new();
        let mut chance = Draw(seed ^ 0x77);
        let planned = graph(
            seed,
            &inputs(seed, DType::F64),
            size,
            false,
            &mut |_, node| match chance.below(12) {
                0 => evaluate(&[node]),
                1 => held.push(node.clone()),
                2 => held.clear(),
                _ => {}
            },
        );
        for (a, b) in planned.to_vec::<f64>().into_iter().zip(plain) {
            assert!(
                (a - b).abs() <= 1e-12,
                "seed {seed}: {a} planned, {b} plain"
            );
        }
    }
}

#[test]
fn elementwise_graphs_are_equal_bit_for_bit() {
    for dtype in [DType::F32, DType::F64, DType::BF16, DType::F16] {
        for seed in 0..25 {
            let size = size_of(seed).min(120);
            let leaves = inputs(seed, dtype);
            let plain: Vec<Tensor> = leaves
                .iter()
                .map(|leaf| leaf.to_device(Device::PLAIN))
                .collect();
            let bits = |tensor: &Tensor| -> Vec<u64> {
                tensor
                    .to_vec::<f64>()
                    .into_iter()
                    .map(f64::to_bits)
                    .collect()
            };
            let fused = graph(seed, &leaves, size, true, &mut |_, _| {});
            let alone = graph(seed, &plain, size, true, &mut |_, _| {});
            assert_eq!(bits(&fused), bits(&alone), "{dtype}, seed {seed}");
            // A trailing sum runs inside the fused pass and keeps its order.
            let (fused_sum, alone_sum) = (fused.sum(1), alone.sum(1));
            if !dtype.is_half() {
                assert_eq!(
                    bits(&fused_sum),
                    bits(&alone_sum),
                    "{dtype}, seed {seed}, sum"
                );
            }
        }
    }
}
