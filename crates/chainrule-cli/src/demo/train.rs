//! The network and its training loop.

use super::data::{Digits, Examples, PIXELS};
use super::{DemoError, Settings};
use chainrule::prelude::*;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Instant;

const HIDDEN: usize = 128;
const BATCH: usize = 32;
const LEARNING_RATE: f64 = 3e-3;

/// Two layers: 64 pixels, 128 hidden units, 10 digits.
#[derive(Clone, Module)]
pub struct Network {
    pub hidden: Linear,
    pub output: Linear,
}

impl Network {
    fn new(generator: &Generator) -> Network {
        Network {
            hidden: Linear::from_generator(PIXELS, HIDDEN, generator),
            output: Linear::from_generator(HIDDEN, 10, generator),
        }
    }

    /// Logits `[count, 10]` for images `[count, 64]`.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        self.output.forward(self.hidden.forward(images).relu())
    }
}

/// What one pass over the training images showed.
pub struct Epoch {
    pub loss: f64,
    pub accuracy: f64,
    /// The mean gradient norm of each layer.
    pub gradient_norms: Vec<(&'static str, f64)>,
}

/// A finished training run.
pub struct Run {
    pub network: Network,
    pub epochs: Vec<Epoch>,
    pub seconds: f64,
}

pub fn train(digits: &Digits, settings: &Settings) -> Result<Run, DemoError> {
    let generator = Generator::new(settings.seed);
    let mut network = Network::new(&generator);
    let mut adam = Adam::new(LEARNING_RATE);
    let batches = digits.training.count.div_ceil(BATCH);
    let bar = progress_bar((settings.epochs * batches) as u64, settings.json);
    let start = Instant::now();
    let mut epochs = Vec::new();
    for epoch in 0..settings.epochs {
        let order = generator.permutation(digits.training.count);
        let mut sums = Sums::default();
        for batch in 0..batches {
            let progress = (epoch * batches + batch) as f64 / (settings.epochs * batches) as f64;
            // The step shrinks along a quarter of a cosine, so that the run ends calmly.
            adam.learning_rate = LEARNING_RATE * (progress * std::f64::consts::FRAC_PI_2).cos();
            let (images, labels) = batch_of(&digits.training, &order, batch);
            let (loss, gradients, logits) = value_and_grad_aux(|network: &Network| {
                let logits = network.forward(&images);
                (logits.cross_entropy(&labels), logits)
            })(&network);
            adam.update(&mut network, &gradients)?;
            sums.add(&loss, &logits, &labels, &gradients);
            bar.set_message(sums.message());
            bar.inc(1);
        }
        let epoch_report = sums.mean();
        if settings.json {
            super::report::print_epoch(epoch + 1, &epoch_report)?;
        }
        epochs.push(epoch_report);
    }
    bar.finish_and_clear();
    Ok(Run {
        network,
        epochs,
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn batch_of(examples: &Examples, order: &Tensor, batch: usize) -> (Tensor, Tensor) {
    let start = batch * BATCH;
    let chosen = order.narrow(0, start, BATCH.min(examples.count - start));
    (
        examples.images.index_select(0, &chosen),
        examples.labels.index_select(0, &chosen),
    )
}

/// Sums over the batches of an epoch.
#[derive(Default)]
struct Sums {
    loss: f64,
    correct: f64,
    seen: f64,
    norms: [f64; 2],
    batches: f64,
}

impl Sums {
    fn add(&mut self, loss: &Tensor, logits: &Tensor, labels: &Tensor, gradients: &Network) {
        let correct = logits.argmax(1).eq(labels).count_nonzero(..);
        let norms = [norm(&gradients.hidden), norm(&gradients.output)];
        evaluate(&[loss, &correct, &norms[0], &norms[1]]);
        self.loss += loss.item::<f64>();
        self.correct += correct.item::<i64>() as f64;
        self.seen += labels.elements() as f64;
        for (sum, norm) in self.norms.iter_mut().zip(&norms) {
            *sum += norm.item::<f64>();
        }
        self.batches += 1.0;
    }

    fn message(&self) -> String {
        format!(
            "loss {:.3}  accuracy {:5.1} %",
            self.loss / self.batches,
            100.0 * self.correct / self.seen
        )
    }

    fn mean(&self) -> Epoch {
        Epoch {
            loss: self.loss / self.batches,
            accuracy: self.correct / self.seen,
            gradient_norms: vec![
                ("hidden", self.norms[0] / self.batches),
                ("output", self.norms[1] / self.batches),
            ],
        }
    }
}

/// The norm of a layer's gradient, over all its parameters.
fn norm(layer: &Linear) -> Tensor {
    let squares = layer
        .named_parameters()
        .into_iter()
        .map(|(_, gradient)| gradient.square().sum(..));
    squares
        .reduce(|sum, square| sum + square)
        .expect("a layer has parameters")
        .sqrt()
}

fn progress_bar(steps: u64, hidden: bool) -> ProgressBar {
    let target = if hidden {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {eta} left")
        .expect("the template is well formed");
    ProgressBar::with_draw_target(Some(steps), target).with_style(style)
}
