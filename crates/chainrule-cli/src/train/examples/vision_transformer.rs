//! A small vision transformer on Fashion-MNIST.

use super::tell::Teller;
use super::{Example, folder, fresh};
use crate::train::TrainProblem;
use crate::train::options::TrainOptions;
use chainrule::data::readers::idx;
use chainrule::data::{Dataset, Loader};
use chainrule::nn::schedules::{Cosine, WarmUp};
use chainrule::nn::{LayerNorm, LearnedPositions, TransformerEncoder, TransformerOptions};
use chainrule::prelude::*;
use chainrule_train::metrics::Accuracy;
use chainrule_train::progress::reporter;
use chainrule_train::trainer::Trainer;

/// Images cut into patches of 4x4, each a token for the blocks of a transformer (Dosovitskiy and others 2020). The classes
/// are read off the mean of the tokens.
pub struct VisionTransformer;

const PATCH: isize = 4;
const GRID: isize = 28 / PATCH;
const WIDTH: usize = 64;
const HEADS: usize = 4;
const BLOCKS: usize = 3;
const BATCH: usize = 64;
const EPOCHS: u64 = 10;

#[derive(Clone, Module)]
struct Net {
    patches: Linear,
    positions: LearnedPositions,
    blocks: TransformerEncoder,
    norm: LayerNorm,
    head: Linear,
}

impl Net {
    fn new() -> Net {
        let options = TransformerOptions::new(WIDTH, HEADS)
            .feed_forward(2 * WIDTH)
            .dropout(0.0)
            .activation(Tensor::gelu)
            .norm_first();
        Net {
            patches: Linear::new((PATCH * PATCH) as usize, WIDTH),
            positions: LearnedPositions::new((GRID * GRID) as usize, WIDTH),
            blocks: TransformerEncoder::from_options(&options, BLOCKS).without_norm(),
            norm: LayerNorm::new(WIDTH),
            head: Linear::new(WIDTH, 10),
        }
    }
}

impl Layer for Net {
    fn compute(&self, images: &Tensor) -> Tensor {
        // [batch, 1, 28, 28] to [batch, rows x columns of patches, elements of a patch].
        let patches = images
            .reshape([-1, GRID, PATCH, GRID, PATCH])
            .permute([0, 1, 3, 2, 4])
            .reshape([-1, GRID * GRID, PATCH * PATCH]);
        let tokens = self.positions.forward(self.patches.forward(patches));
        let tokens = self.norm.forward(self.blocks.forward(tokens));
        self.head.forward(tokens.mean(1))
    }
}

impl Example for VisionTransformer {
    const NAME: &'static str = "vision-transformer";
    const DESCRIPTION: &'static str = "a small vision transformer on Fashion-MNIST";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let teller = Teller::new(options.json);
        let seed = fresh(options);
        let data = idx::fashion_mnist(folder(options, "fashion-mnist"))?;
        let net = Net::new();
        if options.dry_run {
            return teller.say(
                "model",
                &[],
                &net.summary(&Tensor::zeros([1, 1, 28, 28])).to_string(),
            );
        }
        let epochs = options.epochs.unwrap_or(EPOCHS);
        let steps = epochs * (data.training.len() / BATCH) as u64;
        let training = Loader::new(data.training, BATCH)?
            .shuffle(seed)
            .drop_last(true);
        let test = Loader::new(data.test, 500)?;
        let loss = |net: &Net, (images, labels): &(Tensor, Tensor)| {
            let logits = net.forward((images - 0.5) * 2.0);
            (logits.cross_entropy(labels), logits, labels.clone())
        };
        let mut trainer = Trainer::new(net, AdamW::new(2e-3).weight_decay(0.05), loss)
            .epochs(epochs)
            .clip_norm(1.0)
            .schedule(WarmUp::new(200, Cosine::new(steps)))
            .metric(Accuracy::new())
            .validate(test)
            .reporter(reporter(options.json));
        let outcome = trainer.fit(&training)?;
        let accuracy = outcome.number("validation_accuracy").unwrap_or(f64::NAN);
        teller.end(&[("test_accuracy", accuracy)])
    }
}
