//! An autoencoder on MNIST beside principal components.

use super::tell::Teller;
use super::{Example, folder, fresh};
use crate::train::TrainProblem;
use crate::train::options::TrainOptions;
use chainrule::data::readers::idx;
use chainrule::data::{Dataset, Loader};
use chainrule::nn::schedules::{Cosine, WarmUp};
use chainrule::prelude::*;
use chainrule_train::progress::reporter;
use chainrule_train::trainer::Trainer;

/// Digits through a code of 16 numbers and back (Hinton, Salakhutdinov 2006), held against the best linear map to as many
/// numbers: the principal components. The figure is the mean squared error of a pixel on the test set.
pub struct Autoencoder;

const CODE: usize = 16;
const PIXELS: isize = 784;
const BATCH: usize = 128;
const EPOCHS: u64 = 10;

#[derive(Clone, Module)]
struct Net {
    encoder: Sequential,
    decoder: Sequential,
}

impl Net {
    fn new() -> Net {
        let relu = |net: Sequential| net.then_function("relu", Tensor::relu);
        let pixels = PIXELS as usize;
        let encoder = relu(Sequential::new().then(Linear::new(pixels, 256)));
        let encoder = relu(encoder.then(Linear::new(256, 128))).then(Linear::new(128, CODE));
        let decoder = relu(Sequential::new().then(Linear::new(CODE, 128)));
        let decoder = relu(decoder.then(Linear::new(128, 256))).then(Linear::new(256, pixels));
        Net { encoder, decoder }
    }
}

impl Layer for Net {
    fn compute(&self, images: &Tensor) -> Tensor {
        self.decoder.forward(self.encoder.forward(images)).sigmoid()
    }
}

impl Example for Autoencoder {
    const NAME: &'static str = "autoencoder";
    const DESCRIPTION: &'static str = "an autoencoder on MNIST beside principal components";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let teller = Teller::new(options.json);
        let seed = fresh(options);
        let data = idx::mnist(folder(options, "mnist"))?;
        let net = Net::new();
        if options.dry_run {
            let summary = net.summary(&Tensor::zeros([1, PIXELS as usize]));
            return teller.say("model", &[], &summary.to_string());
        }
        let epochs = options.epochs.unwrap_or(EPOCHS);
        let steps = epochs * (data.training.len() / BATCH) as u64;
        let loader = Loader::new(data.training.clone(), BATCH)?
            .shuffle(seed)
            .drop_last(true);
        let loss = |net: &Net, (images, _): &(Tensor, Tensor)| {
            let images = flat(images);
            (net.forward(&images) - images).square().mean(..)
        };
        let mut trainer = Trainer::new(net, AdamW::new(2e-3), loss)
            .epochs(epochs)
            .schedule(WarmUp::new(200, Cosine::new(steps)))
            .reporter(reporter(options.json));
        trainer.fit(&loader)?;
        let net = trainer.into_model();
        let (training, test) = (
            flat(&data.training.tensors().0),
            flat(&data.test.tensors().0),
        );
        let error = |restored: Tensor| (restored - &test).square().mean(..).item::<f64>();
        let learnt = untracked(|| error(net.forward(&test)));
        let linear = untracked(|| error(by_principal_components(&training, &test, CODE)));
        teller.say(
            "errors",
            &[],
            &format!("mean squared error of a pixel with {CODE} numbers: {learnt:.5}; principal components {linear:.5}"),
        )?;
        teller.end(&[("error", learnt), ("error_of_principal_components", linear)])
    }
}

fn flat(images: &Tensor) -> Tensor {
    images.reshape([-1, PIXELS])
}

/// `test` through the `count` principal components of `training`, found by orthogonal iteration.
fn by_principal_components(training: &Tensor, test: &Tensor, count: usize) -> Tensor {
    let mean = training.mean(0);
    let centred = training - &mean;
    let covariance = centred.t().matmul(&centred) / training.shape()[0] as f64;
    let mut basis = Generator::new(0).normal([PIXELS as usize, count], 0.0, 1.0);
    for _ in 0..60 {
        basis = covariance.matmul(&basis).qr().0;
        evaluate(&[&basis]);
    }
    (test - &mean).matmul(&basis).matmul(basis.t()) + &mean
}
