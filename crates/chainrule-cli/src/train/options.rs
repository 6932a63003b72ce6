//! The command lines of `train`, `evaluate` and `predict`.

use clap::Args;
use std::path::PathBuf;

/// Trains the network that a configuration describes, or a built-in example.
#[derive(Args, Debug, Default)]
pub struct TrainOptions {
    /// The configuration
    #[arg(value_name = "CONFIG.toml", required_unless_present_any = ["example", "resume", "list"])]
    pub config: Option<PathBuf>,
    /// Run a built-in example instead
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub example: Option<String>,
    /// List the built-in examples
    #[arg(long)]
    pub list: bool,
    /// Go on from the newest checkpoint in this folder (with the configuration that is kept there, if none is given)
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    /// Where the data is, instead of the configuration's path
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Another seed than the configuration's
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Another number of epochs than the configuration's
    #[arg(long, value_name = "NUMBER")]
    pub epochs: Option<u64>,
    /// Write a report of the run, one page of HTML
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print the network's table and what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object a line and no bars; the last has the final metrics
    #[arg(long)]
    pub json: bool,
}

/// Measures a trained network on the test data.
#[derive(Args, Debug)]
pub struct EvaluateOptions {
    /// The folder of a run's checkpoints
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    /// Where the data is, instead of the configuration's path
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Says what a trained network makes of files: images, rows of a table, or a text that it goes on with.
#[derive(Args, Debug)]
pub struct PredictOptions {
    /// The folder of a run's checkpoints
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    /// Images (PNG, JPEG, IDX), tables (CSV) or texts, as the network was trained on
    #[arg(value_name = "FILE", required_unless_present = "prompt")]
    pub files: Vec<PathBuf>,
    /// Where the training data is, instead of the configuration's path
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A text to go on with, instead of one in a file
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// How many characters a text is continued by
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub length: usize,
    /// Below 1, likely characters become likelier; at 0 the likeliest is taken
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    pub temperature: f64,
    /// Another seed of the characters than the run's
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}
