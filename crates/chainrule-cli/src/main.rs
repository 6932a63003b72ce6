//! The `chainrule` command.

mod demo;
mod explain;
mod train;

use clap::{Parser, Subcommand};
use explain::ExplainError;
use std::path::PathBuf;
use std::process::ExitCode;

/// Trains a small network on real handwritten digits and shows what it learnt; `explain` shows how derivatives are made.
///
/// Without a subcommand the network is trained.
/// The 1,797 images of 8x8 pixels are included; every fifth is held out. Prints how the held-out images were read, draws
/// some that were misread, shows each layer's gradient norm over the run, and saves the weights. Takes seconds.
///
/// `chainrule explain` shows what backpropagation does with an expression:
///
///   chainrule explain "(x + y) * z" x=-2 y=5 z=-4
///
/// `chainrule train` trains the network that a configuration describes, or a built-in example (`--list` names them).
#[derive(Parser)]
#[command(
    name = "chainrule",
    version,
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Seed of the initial weights and of the order of the examples
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    seed: u64,
    /// How often each training image is seen
    #[arg(long, default_value_t = 60, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// Where to save the weights (safetensors) [default: a file in the temporary folder]
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Print one JSON object a line and no progress bar; the last has "accuracy"
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Explain(explain::Options),
    Train(train::TrainOptions),
    Evaluate(train::EvaluateOptions),
    Predict(train::PredictOptions),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.command {
        Some(Command::Explain(options)) => explain(options),
        Some(Command::Train(options)) => trained(train::train(options)),
        Some(Command::Evaluate(options)) => trained(train::evaluate(options)),
        Some(Command::Predict(options)) => trained(train::predict(options)),
        None => demo(arguments),
    }
}

fn demo(arguments: Arguments) -> ExitCode {
    let settings = demo::Settings {
        seed: arguments.seed,
        epochs: arguments.epochs as usize,
        weights: arguments
            .weights
            .unwrap_or_else(|| std::env::temp_dir().join("chainrule-digits.safetensors")),
        json: arguments.json,
    };
    match demo::run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough, as `head` does.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn trained(outcome: Result<(), train::TrainProblem>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error @ (train::TrainProblem::Config(_) | train::TrainProblem::Request(_))) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn explain(options: &explain::Options) -> ExitCode {
    match explain::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ExplainError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error @ (ExplainError::Output(_) | ExplainError::Picture(..))) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        Err(ExplainError::Problem(problem)) => {
            eprintln!("error: {problem}");
            ExitCode::from(2)
        }
    }
}
