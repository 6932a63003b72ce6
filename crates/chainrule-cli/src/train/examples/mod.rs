//! Built-in examples, one a file: `chainrule train --example NAME`.

mod alexnet;
mod autoencoder;
mod heatmaps;
mod logistic;
mod pendulum;
mod siamese;
mod studies;
mod tell;
mod turing;
mod vision_transformer;

use super::options::TrainOptions;
use super::{TrainProblem, run};
use chainrule::error::nearest;
use chainrule::nn::write_atomically;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A program that trains something, shows it, and says how well it did.
pub trait Example {
    /// Its name on the command line.
    const NAME: &'static str;
    /// What it shows, in a line.
    const DESCRIPTION: &'static str;

    /// Runs it. With `options.json` it prints one JSON object a line, the last with the member `metrics`.
    fn run(options: &TrainOptions) -> Result<(), TrainProblem>;
}

/// A row of the list of examples.
struct Entry {
    name: &'static str,
    description: &'static str,
    run: Run,
}

enum Run {
    Program(fn(&TrainOptions) -> Result<(), TrainProblem>),
    /// A configuration of the repository.
    Config(&'static str),
}

const fn program<E: Example>() -> Entry {
    Entry {
        name: E::NAME,
        description: E::DESCRIPTION,
        run: Run::Program(E::run),
    }
}

macro_rules! config {
    ($name:literal, $description:literal) => {
        Entry {
            name: $name,
            description: $description,
            run: Run::Config(include_str!(concat!("../../../configs/", $name, ".toml"))),
        }
    };
}

const EXAMPLES: &[Entry] = &[
    program::<logistic::Logistic>(),
    program::<pendulum::Pendulum>(),
    program::<turing::Copy>(),
    program::<turing::CopyWithLstm>(),
    program::<autoencoder::Autoencoder>(),
    program::<siamese::Siamese>(),
    program::<vision_transformer::VisionTransformer>(),
    program::<alexnet::AlexNet>(),
    program::<studies::Depth>(),
    program::<studies::Capacity>(),
    program::<studies::Convolutional>(),
    config!("mnist-mlp", "fully connected layers on MNIST"),
    config!("mnist-lenet", "LeNet on MNIST"),
    config!("fashion-mlp", "fully connected layers on Fashion-MNIST"),
    config!("fashion-lenet", "a convolutional network on Fashion-MNIST"),
    config!(
        "char-rnn",
        "a recurrent network that writes like Shakespeare"
    ),
    config!("char-gru", "a GRU that writes like Shakespeare"),
    config!(
        "char-lstm",
        "an LSTM that writes like Shakespeare, character by character"
    ),
    config!(
        "char-transformer",
        "a transformer that writes like Shakespeare"
    ),
];

/// The list of examples.
pub fn list() -> Result<(), TrainProblem> {
    let mut out = std::io::stdout().lock();
    for example in EXAMPLES {
        writeln!(out, "{:18}{}", example.name, example.description)?;
    }
    Ok(())
}

/// Runs the example called `name`.
pub fn run(name: &str, options: &TrainOptions) -> Result<(), TrainProblem> {
    let Some(example) = EXAMPLES.iter().find(|example| example.name == name) else {
        let known = EXAMPLES.iter().map(|example| example.name);
        let hint = match nearest(name, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`chainrule train --list` shows them all".to_owned(),
        };
        return Err(TrainProblem::Request(format!(
            "there is no example `{name}`; {hint}"
        )));
    };
    match example.run {
        Run::Program(run) => run(options),
        Run::Config(text) => {
            run::train_text(&format!("configs/{name}.toml"), text, options).map(drop)
        }
    }
}

/// Where an example's data is: the folder that was named, or `data/` and the usual name.
fn folder(options: &TrainOptions, usual: &str) -> PathBuf {
    options
        .data
        .clone()
        .unwrap_or_else(|| Path::new("data").join(usual))
}

/// Begins the random numbers of a run anew; the seed.
fn fresh(options: &TrainOptions) -> u64 {
    let seed = options.seed.unwrap_or(1);
    chainrule::manual_seed(seed);
    seed
}

/// Writes a picture, whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), TrainProblem> {
    let written = write_atomically(path, text.as_bytes());
    written.map_err(|source| TrainProblem::File {
        path: path.to_owned(),
        source,
    })
}
