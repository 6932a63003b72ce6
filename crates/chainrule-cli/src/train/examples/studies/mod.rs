//! The trade-offs of architecture and data, as small studies on MNIST with a picture each.

mod chart;

use super::tell::Teller;
use super::{Example, folder, fresh, write};
use crate::train::TrainProblem;
use crate::train::options::TrainOptions;
use chainrule::data::readers::idx::{self, Mnist};
use chainrule::data::{Dataset, Loader};
use chainrule::nn::schedules::{Cosine, WarmUp};
use chainrule::nn::{Conv2d, MaxPool2d};
use chainrule::prelude::*;
use chainrule_train::metrics::Accuracy;
use chainrule_train::trainer::Trainer;
use chart::Line;

/// Fully connected networks of about 60,000 parameters, from one hidden layer to eight: depth against width.
pub struct Depth;

/// Test error over the number of parameters, for several sizes of the training set: capacity against data.
pub struct Capacity;

/// Convolutional and fully connected networks of as many parameters, over the number of training images.
pub struct Convolutional;

const BATCH: usize = 64;
/// Steps of every network of a study.
const STEPS: u64 = 3000;

impl Example for Depth {
    const NAME: &'static str = "study-depth";
    const DESCRIPTION: &'static str = "depth against width at equal numbers of parameters";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let study = Study::begin(options)?;
        let mut points = Vec::new();
        for depth in [1, 2, 3, 4, 6, 8] {
            let width = width_for(60_000, depth);
            let net = fully_connected(&vec![width; depth]);
            let error = study.error(net, 20_000, &format!("{depth} layers of {width}"))?;
            points.push((depth as f64, error));
        }
        let line = Line {
            name: "60,000 parameters".to_owned(),
            points,
        };
        study.end("Depth against width", "hidden layers", vec![line])
    }
}

impl Example for Capacity {
    const NAME: &'static str = "study-capacity";
    const DESCRIPTION: &'static str = "test error over parameters and amount of data";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let study = Study::begin(options)?;
        let mut lines = Vec::new();
        for examples in [500, 2_000, 10_000, 60_000] {
            let mut points = Vec::new();
            for width in [4, 16, 64, 256] {
                let net = fully_connected(&[width]);
                let parameters = net.parameter_count();
                let what = format!("{examples} images, {parameters} parameters");
                points.push((parameters as f64, study.error(net, examples, &what)?));
            }
            lines.push(Line {
                name: format!("{examples} images"),
                points,
            });
        }
        study.end("Capacity against data", "parameters", lines)
    }
}

impl Example for Convolutional {
    const NAME: &'static str = "study-convolution";
    const DESCRIPTION: &'static str =
        "convolution against full connection at equal numbers of parameters";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let study = Study::begin(options)?;
        let mut lines = Vec::new();
        for convolutional in [true, false] {
            let mut points = Vec::new();
            let name = if convolutional {
                "convolutional"
            } else {
                "fully connected"
            };
            for examples in [500, 2_000, 10_000, 60_000] {
                let net = match convolutional {
                    true => convolutions(),
                    false => fully_connected(&[width_for(convolutions().parameter_count(), 1)]),
                };
                let what = format!(
                    "{name}, {} parameters, {examples} images",
                    net.parameter_count()
                );
                points.push((examples as f64, study.error(net, examples, &what)?));
            }
            lines.push(Line {
                name: name.to_owned(),
                points,
            });
        }
        study.end(
            "Convolution against full connection",
            "training images",
            lines,
        )
    }
}

/// What the networks of a study have in common.
struct Study<'a> {
    options: &'a TrainOptions,
    teller: Teller,
    seed: u64,
    data: Mnist,
}

impl<'a> Study<'a> {
    fn begin(options: &'a TrainOptions) -> Result<Study<'a>, TrainProblem> {
        let seed = fresh(options);
        let data = idx::mnist(folder(options, "mnist"))?;
        Ok(Study {
            options,
            teller: Teller::new(options.json),
            seed,
            data,
        })
    }

    /// The test error in percent of a network trained on the first `examples` images.
    fn error(&self, net: Sequential, examples: usize, what: &str) -> Result<f64, TrainProblem> {
        if self.options.dry_run {
            self.teller.say(
                "network",
                &[("parameters", net.parameter_count() as f64)],
                what,
            )?;
            return Ok(0.0);
        }
        let rows: Vec<usize> = (0..examples).collect();
        let training = self.data.training.clone().subset(rows)?;
        let training = Loader::new(training, BATCH)?
            .shuffle(self.seed)
            .drop_last(true);
        let loss = |net: &Sequential, (images, labels): &(Tensor, Tensor)| {
            let logits = net.forward(images);
            (logits.cross_entropy(labels), logits, labels.clone())
        };
        let mut trainer = Trainer::new(net, AdamW::new(2e-3), loss)
            .steps(STEPS)
            .schedule(WarmUp::new(50, Cosine::new(STEPS)))
            .metric(Accuracy::new())
            .measure_training(false)
            .validate_every(STEPS)
            .validate(Loader::new(self.data.test.clone(), 1000)?);
        let outcome = trainer.fit(&training)?;
        let error = 100.0 * (1.0 - outcome.number("validation_accuracy").unwrap_or(0.0));
        self.teller.say(
            "network",
            &[("error", error)],
            &format!("{what}: {error:.2} % wrong"),
        )?;
        Ok(error)
    }

    fn end(&self, title: &str, horizontal: &str, lines: Vec<Line>) -> Result<(), TrainProblem> {
        if self.options.dry_run {
            return Ok(());
        }
        let errors = lines
            .iter()
            .flat_map(|line| &line.points)
            .map(|point| point.1);
        let least = errors.fold(f64::INFINITY, f64::min);
        let path = self
            .options
            .report
            .clone()
            .unwrap_or_else(|| "study.svg".into());
        write(
            &path,
            &chart::svg(title, horizontal, "test error, %", &lines),
        )?;
        self.teller
            .say("picture", &[], &format!("picture: {}", path.display()))?;
        self.teller.end(&[("least_error_percent", least)])
    }
}

fn fully_connected(widths: &[usize]) -> Sequential {
    let mut net = Sequential::new().then_function("flatten", |x| x.reshape([-1, 784]));
    let mut inputs = 784;
    for &width in widths {
        net = net
            .then(Linear::new(inputs, width))
            .then_function("relu", Tensor::relu);
        inputs = width;
    }
    net.then(Linear::new(inputs, 10))
}

/// Two convolutions with pools and a linear layer.
fn convolutions() -> Sequential {
    Sequential::new()
        .then(Conv2d::new(1, 16, 5).padding(2))
        .then_function("relu", Tensor::relu)
        .then(MaxPool2d::new(2))
        .then(Conv2d::new(16, 32, 5).padding(2))
        .then_function("relu", Tensor::relu)
        .then(MaxPool2d::new(2))
        .then_function("flatten", |x| x.reshape([-1, 32 * 7 * 7]))
        .then(Linear::new(32 * 7 * 7, 10))
}

/// The width of `depth` equal hidden layers between 784 inputs and 10 outputs with about `parameters` in all.
fn width_for(parameters: usize, depth: usize) -> usize {
    let count = |width: usize| 785 * width + (depth - 1) * (width + 1) * width + (width + 1) * 10;
    (1..)
        .take_while(|&width| count(width) <= parameters)
        .last()
        .unwrap_or(1)
}
