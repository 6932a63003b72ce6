//! Inference of the networks of W3 and W2, and the two convolutions of W3 alone.

use super::w2_mlp::Mlp;
use super::w3_cnn::cnn;
use crate::measure::Bench;
use chainrule::prelude::*;
use std::hint::black_box;

pub fn run(bench: &mut Bench) {
    let generator = Generator::new(1);
    let cnn = cnn();
    for batch in [1, 64] {
        let x = input(&generator, [batch, 1, 28, 28]);
        bench.report("W9", &format!("cnn inference b{batch}"), "us", 1.0, || {
            let y = untracked(|| cnn.forward(&x));
            evaluate(&[&y]);
            black_box(y);
        });
    }
    let mlp = Mlp::new(&generator);
    let x = input(&generator, [1, 784]);
    bench.report("W9", "mlp inference b1", "us", 1.0, || {
        let y = untracked(|| mlp.forward(&x));
        evaluate(&[&y]);
        black_box(y);
    });
    for (name, inputs, outputs, extent) in [("conv1", 1, 32, 28), ("conv2", 32, 64, 14)] {
        let weight = input(&generator, [outputs, inputs, 3, 3]);
        let bias = input(&generator, [outputs]);
        for batch in [1, 64] {
            let x = input(&generator, [batch, inputs, extent, extent]);
            let case = format!("{name} fwd b{batch}");
            bench.report("W9", &case, "us", 1.0, || {
                let options = ConvolutionOptions::new().padding(1).bias(&bias);
                let y = x.conv2d(&weight, options);
                evaluate(&[&y]);
                black_box(y);
            });
        }
    }
}

fn input<const RANK: usize>(generator: &Generator, shape: [usize; RANK]) -> Tensor {
    let x = generator.normal(shape, 0.0, 1.0);
    evaluate(&[&x]);
    x
}
