//! A siamese network that learns distances between digits.

use super::tell::Teller;
use super::{Example, folder, fresh};
use crate::train::TrainProblem;
use crate::train::options::TrainOptions;
use chainrule::data::readers::idx;
use chainrule::data::{Dataset, Loader};
use chainrule::nn::losses::Contrastive;
use chainrule::nn::schedules::{Cosine, WarmUp};
use chainrule::nn::{Conv2d, MaxPool2d};
use chainrule::prelude::*;
use chainrule_train::progress::reporter;
use chainrule_train::trainer::Trainer;

/// Images of one digit are drawn together, those of different digits pushed apart (Hadsell, Chopra, LeCun 2006): all pairs
/// of a batch. The figure is how often the nearest of the training images has the label of the test image.
pub struct Siamese;

const FEATURES: usize = 32;
const BATCH: usize = 64;
const EPOCHS: u64 = 2;

fn network() -> Sequential {
    Sequential::new()
        .then(Conv2d::new(1, 16, 5))
        .then_function("relu", Tensor::relu)
        .then(MaxPool2d::new(2))
        .then(Conv2d::new(16, 32, 5))
        .then_function("relu", Tensor::relu)
        .then(MaxPool2d::new(2))
        .then_function("flatten", |x| x.reshape([-1, 32 * 4 * 4]))
        .then(Linear::new(32 * 4 * 4, FEATURES))
}

impl Example for Siamese {
    const NAME: &'static str = "siamese";
    const DESCRIPTION: &'static str = "a siamese network learns distances between digits";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let teller = Teller::new(options.json);
        let seed = fresh(options);
        let data = idx::mnist(folder(options, "mnist"))?;
        let net = network();
        if options.dry_run {
            return teller.say(
                "model",
                &[],
                &net.summary(&Tensor::zeros([1, 1, 28, 28])).to_string(),
            );
        }
        let epochs = options.epochs.unwrap_or(EPOCHS);
        let steps = epochs * (data.training.len() / BATCH) as u64;
        let loader = Loader::new(data.training.clone(), BATCH)?
            .shuffle(seed)
            .drop_last(true);
        let loss = |net: &Sequential, (images, labels): &(Tensor, Tensor)| {
            let (first, second) = pairs(&net.forward(images));
            let (one, other) = pairs(&labels.unsqueeze(1));
            Contrastive::new().forward(&first, &second, &one.eq(other).squeeze(1))
        };
        let mut trainer = Trainer::new(net, AdamW::new(2e-3), loss)
            .epochs(epochs)
            .schedule(WarmUp::new(100, Cosine::new(steps)))
            .reporter(reporter(options.json));
        trainer.fit(&loader)?;
        let net = trainer.into_model();
        let (images, labels) = data.training.tensors();
        let (test_images, test_labels) = data.test.tensors();
        let known = features(&net, images);
        let asked = features(&net, test_images);
        let right = nearest(&known, labels, &asked)
            .eq(test_labels)
            .count_nonzero(..);
        let accuracy = right.item::<i64>() as f64 / test_labels.elements() as f64;
        teller.end(&[("nearest_neighbour_accuracy", accuracy)])
    }
}

/// Rows `[n, features]` as all pairs of neighbours at every distance around the batch, `[n (n/2), features]` each.
fn pairs(rows: &Tensor) -> (Tensor, Tensor) {
    let count = rows.shape()[0];
    let second: Vec<Tensor> = (1..=count / 2)
        .map(|shift| rows.roll(shift as isize, 0))
        .collect();
    let first = rows.tile(&[second.len(), 1]);
    (first, Tensor::concat(&second, 0))
}

/// The features of all images, a thousand at a time.
fn features(net: &Sequential, images: &Tensor) -> Tensor {
    let parts = images.split(1000, 0);
    let parts: Vec<Tensor> = parts
        .iter()
        .map(|part| {
            let features = untracked(|| net.forward(part));
            evaluate(&[&features]);
            features
        })
        .collect();
    Tensor::concat(&parts, 0)
}

/// The label of the known row that is nearest to each asked row: least `|k|² - 2 k·a`.
fn nearest(known: &Tensor, labels: &Tensor, asked: &Tensor) -> Tensor {
    let lengths = known.square().sum(-1);
    let found: Vec<Tensor> = asked
        .split(500, 0)
        .iter()
        .map(|part| {
            let place = (&lengths - part.matmul(known.t()) * 2.0).argmin(-1);
            evaluate(&[&place]);
            place
        })
        .collect();
    labels.index_select(0, &Tensor::concat(&found, 0))
}
