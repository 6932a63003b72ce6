//! A small vision transformer on Fashion-MNIST.

use super::tell::Teller;
use super::{Example, folder, fresh};
use crate::train::TrainProblem;
use crate::train::architectures::vision_transformer::{Net, Sizes};
use crate::train::options::TrainOptions;
use chainrule::data::readers::idx;
use chainrule::data::{Dataset, Loader};
use chainrule::nn::schedules::{Cosine, WarmUp};
use chainrule::prelude::*;
use chainrule_train::metrics::Accuracy;
use chainrule_train::progress::reporter;
use chainrule_train::trainer::Trainer;

/// Images cut into patches of 4x4, each a token for the blocks of a transformer (Dosovitskiy and others 2020). The classes
/// are read off the mean of the tokens.
pub struct VisionTransformer;

const BATCH: usize = 64;
const EPOCHS: u64 = 10;

impl Example for VisionTransformer {
    const NAME: &'static str = "vision-transformer";
    const DESCRIPTION: &'static str = "a small vision transformer on Fashion-MNIST";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let teller = Teller::new(options.json);
        let seed = fresh(options);
        let data = idx::fashion_mnist(folder(options, "fashion-mnist"))?;
        let net = Net::new([1, 28, 28], Sizes::default(), 10);
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
