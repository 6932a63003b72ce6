//! Scalar programs: what recording and differentiating a node costs.

use crate::measure::Bench;
use chainrule::prelude::*;
use std::cell::Cell;
use std::hint::black_box;

pub fn run(bench: &mut Bench) {
    let (x1, x2) = (Tensor::scalar(2.0), Tensor::scalar(5.0));
    let gradient = value_and_grad(|(x1, x2): &(Tensor, Tensor)| x1 * x2 + x2.sin());
    let leaves = (x1.clone(), x2.clone());
    bench.report(
        "W7",
        "x1*x2+sin(x2) fwd+bwd, leaves reused",
        "ns",
        1.0,
        || {
            let (_, (d1, d2)) = gradient(&leaves);
            evaluate(&[&d1, &d2]);
            black_box((d1, d2));
        },
    );
    let (t1, t2) = (x1.tracked(), x2.tracked());
    bench.report(
        "W7",
        "x1*x2+sin(x2) backward(), leaves reused",
        "ns",
        1.0,
        || {
            let gradients = (&t1 * &t2 + t2.sin()).backward();
            let (d1, d2) = (gradients.of(&t1), gradients.of(&t2));
            evaluate(&[&d1, &d2]);
            black_box((d1, d2));
        },
    );
    let factor = Tensor::scalar(1.0001);
    let swaps = Swaps(Cell::new(0x9E37_79B9_7F4A_7C15));
    bench.report(
        "W7",
        "1000-multiply chain (shared var), per op fwd+bwd",
        "ns",
        1000.0,
        || {
            let gradient = value_and_grad(|(start, factor): &(Tensor, Tensor)| {
                let mut y = start.clone();
                for _ in 0..1000 {
                    // The order is drawn anew each time, so that no plan is reused.
                    y = if swaps.next() { factor * y } else { y * factor };
                }
                y
            });
            let (_, (d_start, d_factor)) = gradient(&(x1.clone(), factor.clone()));
            evaluate(&[&d_start, &d_factor]);
            black_box((d_start, d_factor));
        },
    );
    let chain =
        |(start, factor): &(Tensor, Tensor)| (0..1000).fold(start.clone(), |y, _| y * factor);
    let at = (Tensor::from(2.0), Tensor::from(1.0001));
    let mut traced = Graph::trace(chain, &at);
    let one = Tensor::from(1.0);
    bench.report(
        "W7",
        "1000-multiply chain, graph traced once, per op fwd+bwd",
        "ns",
        1000.0,
        || {
            black_box(traced.forward(&at));
            black_box(traced.backward(&one));
        },
    );
    bench.report(
        "W7",
        "1000-multiply chain, forward only, per op",
        "ns",
        1000.0,
        || {
            let mut y = x1.clone();
            for _ in 0..1000 {
                y *= &factor;
            }
            black_box(y.item::<f32>());
        },
    );
}

/// Random bits (xorshift).
struct Swaps(Cell<u64>);

impl Swaps {
    fn next(&self) -> bool {
        let mut word = self.0.get();
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        self.0.set(word);
        word & 1 == 1
    }
}
