//! AlexNet: the network of the 2012 paper, and a smaller one of its kind on CIFAR-10.

use super::tell::Teller;
use super::{Example, folder, fresh};
use crate::train::TrainProblem;
use crate::train::architectures::{Architecture, alexnet};
use crate::train::model::Stack;
use crate::train::options::TrainOptions;
use chainrule::data::readers::cifar;
use chainrule::data::transforms::{Compose, FlipHorizontal, Normalise, RandomCrop, Transform};
use chainrule::data::{Dataset, Loader};
use chainrule::nn::Arguments;
use chainrule::nn::schedules::{Cosine, WarmUp};
use chainrule::prelude::*;
use chainrule_train::metrics::Accuracy;
use chainrule_train::progress::reporter;
use chainrule_train::trainer::Trainer;
use std::time::Instant;

/// Krizhevsky, Sutskever, Hinton (2012): a step of the whole network at 227x227, and training of the scaled one on CIFAR-10.
pub struct AlexNet;

const BATCH: usize = 64;
const EPOCHS: u64 = 8;
/// Images in the one step of the whole network.
const FULL_BATCH: usize = 8;

/// AlexNet for images of this shape, as configurations name it.
fn alexnet(image: [usize; 3], classes: usize, small: bool) -> Sequential {
    let mut arguments = Arguments::new("alexnet").with("small", small.into());
    let mut stack = Stack::new(&image.into(), DType::F32);
    let built = alexnet::AlexNet::build(&mut arguments, &mut stack, classes);
    built.expect("the layers fit the images");
    stack.finish()
}

impl Example for AlexNet {
    const NAME: &'static str = "alexnet";
    const DESCRIPTION: &'static str =
        "AlexNet: a step of the whole network, and a scaled one on CIFAR-10";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let teller = Teller::new(options.json);
        let seed = fresh(options);
        whole_network(options, teller)?;
        let net = alexnet([3, 32, 32], 10, true);
        if options.dry_run {
            return teller.say(
                "model",
                &[],
                &net.summary(&Tensor::zeros([1, 3, 32, 32])).to_string(),
            );
        }
        let data = cifar::cifar10(folder(options, "cifar10"))?;
        let epochs = options.epochs.unwrap_or(EPOCHS);
        let steps = epochs * (data.training.len() / BATCH) as u64;
        let normalise = Normalise::fit(data.training.images())?;
        let augment = Compose::new()
            .then(RandomCrop {
                height: 32,
                width: 32,
                padding: 4,
            })
            .then(FlipHorizontal { probability: 0.5 })
            .then(normalise.clone());
        let training = Loader::new(data.training, BATCH)?
            .shuffle(seed)
            .drop_last(true)
            .workers(1)
            .map(move |(images, labels), random| (augment.batch(&images, random), labels));
        let test = Loader::new(data.test, 500)?
            .map(move |(images, labels), random| (normalise.batch(&images, random), labels));
        let loss = |net: &Sequential, (images, labels): &(Tensor, Tensor)| {
            let logits = net.forward(images);
            (logits.cross_entropy(labels), logits, labels.clone())
        };
        let mut trainer = Trainer::new(net, AdamW::new(1e-3).weight_decay(0.01), loss)
            .epochs(epochs)
            .schedule(WarmUp::new(200, Cosine::new(steps)))
            .metric(Accuracy::new())
            .validate(test)
            .reporter(reporter(options.json));
        let outcome = trainer.fit(&training)?;
        let accuracy = outcome.number("validation_accuracy").unwrap_or(f64::NAN);
        teller.end(&[("test_accuracy", accuracy)])
    }
}

/// Counts the parameters of the network of the paper, and times a forward pass and a training step.
fn whole_network(options: &TrainOptions, teller: Teller) -> Result<(), TrainProblem> {
    let mut net = alexnet([3, 227, 227], 1000, false);
    let count = net.parameter_count();
    if options.dry_run {
        let summary = net.summary(&Tensor::zeros([1, 3, 227, 227]));
        return teller.say(
            "alexnet",
            &[("parameters", count as f64)],
            &summary.to_string(),
        );
    }
    let generator = Generator::new(1);
    let images = generator.normal([FULL_BATCH, 3, 227, 227], 0.0, 1.0);
    let labels = generator.randint(0, 1000, [FULL_BATCH]);
    evaluate(&[&images, &labels]);
    let start = Instant::now();
    let logits = untracked(|| net.forward(&images));
    evaluate(&[&logits]);
    let forward = start.elapsed().as_secs_f64();
    let mut sgd = Sgd::new(0.01).momentum(0.9).weight_decay(5e-4);
    let start = Instant::now();
    let loss = |net: &Sequential| net.forward(&images).cross_entropy(&labels);
    let (loss, gradients) = value_and_grad(loss)(&net);
    sgd.update(&mut net, &gradients)
        .expect("every parameter is used");
    let mut results = net.parameters();
    results.push(&loss);
    evaluate(&results);
    let step = start.elapsed().as_secs_f64();
    let loss = loss.item::<f64>();
    teller.say(
        "alexnet",
        &[("parameters", count as f64), ("loss", loss), ("forward_seconds", forward), ("step_seconds", step)],
        &format!(
            "AlexNet, {count} parameters, {FULL_BATCH} images of 227x227: forward {forward:.2} s, training step {step:.2} s, \
             loss {loss:.3}"
        ),
    )
}
