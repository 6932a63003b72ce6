//! Second derivatives of a small network: transforms run at each call, and a graph traced once.

use crate::measure::Bench;
use chainrule::prelude::*;
use std::hint::black_box;

pub fn run(bench: &mut Bench) {
    let generator = Generator::new(8);
    let first = generator.normal([128, 64], 0.0, 0.1);
    let second = generator.normal([32, 128], 0.0, 0.1);
    let (x, v) = (
        generator.normal(64, 0.0, 1.0),
        generator.normal(64, 0.0, 1.0),
    );
    let network = |x: &Tensor| second.matmul(first.matmul(x).tanh()).tanh().sum(..);
    let product = |(x, v): &(Tensor, Tensor)| hvp(network, x, v);
    let both = (x.clone(), v.clone());

    bench.report(
        "W8",
        "hessian 64x64, transformed at each call",
        "us",
        1.0,
        || {
            let hessian = hessian(network)(&x);
            evaluate(&[&hessian]);
            black_box(hessian);
        },
    );
    bench.report("W8", "hvp, transformed at each call", "us", 1.0, || {
        let product = product(&both);
        evaluate(&[&product]);
        black_box(product);
    });
    let mut traced = Graph::trace(hessian(network), &x);
    bench.report("W8", "hessian 64x64, graph traced once", "us", 1.0, || {
        black_box(traced.forward(&x));
    });
    let mut traced = Graph::trace(product, &both);
    bench.report("W8", "hvp, graph traced once", "us", 1.0, || {
        black_box(traced.forward(&both));
    });
    let mut traced = Graph::trace(grad(network), &x);
    bench.report("W8", "gradient, graph traced once", "us", 1.0, || {
        black_box(traced.forward(&x));
    });
}
