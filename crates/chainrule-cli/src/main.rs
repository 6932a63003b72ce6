//! The `chainrule` command.

mod demo;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Trains a small network on real handwritten digits and shows what it learnt.
///
/// The 1,797 images of 8x8 pixels are included; every fifth is held out. Prints how the held-out images were read, draws
/// some that were misread, shows each layer's gradient norm over the run, and saves the weights. Takes seconds.
#[derive(Parser)]
#[command(name = "chainrule", version)]
struct Arguments {
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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
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
