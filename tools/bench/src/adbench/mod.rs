//! The objectives of ADBench, the benchmark of the field of automatic differentiation (Šrajer, Kukelova and Fitzgibbon,
//! "A benchmark of selected algorithmic differentiation tools on some problems in computer vision and machine learning",
//! 2018), written over tensors: values, derivatives and times.
//!
//! ```text
//! cargo run --release -p chainrule-bench -- adbench gmm tools/bench/tests/adbench/gmm_test.txt
//! cargo run --release -p chainrule-bench -- adbench lstm FILE --json
//! cargo run --release -p chainrule-bench -- adbench ba FILE
//! cargo run --release -p chainrule-bench -- adbench hand FILE --complicated     (hand_model/ lies beside FILE)
//! ```
//!
//! The order of numbers is ADBench's. `gmm`: gradient by weights, means, inverse covariance factors. `lstm`: by main, then
//! extra parameters. `ba`: rows are two errors an observation, then the weights' errors; columns are cameras, points,
//! weights. `hand`: rows are three errors a point, columns the pose; in `complicated` the first two columns are each
//! row's derivative by its own point's barycentric coordinates.
//!
//! With `--json`, one object: `objective` a list; `gradient` a list (gmm, lstm), or `jacobian` nested rows (hand) or
//! `shape`, `rows`, `cols`, `values` (ba); `objective_ms`, `derivative_ms` (the derivative includes the value) and their
//! `ratio`. `tools/bench/adbench_reference.py` compares all of it with JAX and times it beside JAX and PyTorch:
//!
//! ```text
//! python tools/bench/adbench_reference.py compare target/release/chainrule-bench gmm FILE
//! python tools/bench/adbench_reference.py time target/release/chainrule-bench gmm FILE
//! ```

mod ba;
mod gmm;
mod hand;
mod lstm;
mod output;
mod read;
mod run;

use crate::measure::Bench;
use run::Objective;
use std::path::PathBuf;

const USAGE: &str = "usage: chainrule-bench adbench OBJECTIVE FILE [OPTION ...]

Prints an objective of ADBench, its derivative and the times of both, in f64.

Objectives:
  gmm    Gaussian mixture with a Wishart prior: gradient by weights, means, factors
  lstm   LSTM that predicts a sequence: gradient by main, then extra parameters
  ba     bundle adjustment: sparse Jacobian by cameras, points, weights
  hand   hand tracking: Jacobian by the pose; the folder hand_model lies beside the file

Options:
  --complicated  hand: the file has barycentric coordinates; they are the first two columns of the Jacobian
  --replicate    gmm: the file has one point, which stands for all
  --json         print one JSON object with all numbers
  --threads N    threads to use (default 2)
  --seconds S    measuring time of the objective and of its derivative (default 1)
";

/// What to compute, and how to print it.
struct Asked {
    objective: String,
    file: PathBuf,
    complicated: bool,
    replicate: bool,
    json: bool,
    bench: Bench,
}

/// Runs `chainrule-bench adbench` with the arguments behind it: what to print, or a complaint.
pub fn main(arguments: impl Iterator<Item = String>) -> Result<String, String> {
    let asked = parse(arguments).map_err(|complaint| complaint + USAGE)?;
    chainrule_kernels::threads::set_thread_count(asked.bench.threads);
    let objective = load(&asked)?;
    let outcome = run::run(&asked.bench, objective.as_ref());
    Ok(match asked.json {
        true => output::json(&outcome),
        false => output::report(&outcome),
    })
}

fn load(asked: &Asked) -> Result<Box<dyn Objective>, String> {
    Ok(match asked.objective.as_str() {
        "gmm" => Box::new(gmm::Gmm::new(&read::read_gmm(
            &asked.file,
            asked.replicate,
        )?)),
        "lstm" => Box::new(lstm::Lstm::new(&read::read_lstm(&asked.file)?)),
        "ba" => Box::new(ba::Ba::new(&read::read_ba(&asked.file)?)),
        "hand" => Box::new(hand::Hand::new(&read::read_hand(
            &asked.file,
            asked.complicated,
        )?)),
        _ => unreachable!("parse lets no other objective through"),
    })
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut plain = Vec::new();
    let (mut complicated, mut replicate, mut json) = (false, false, false);
    let mut bench = Bench {
        threads: 2,
        seconds: 1.0,
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Err(String::new()),
            "--complicated" => complicated = true,
            "--replicate" => replicate = true,
            "--json" => json = true,
            "--threads" => bench.threads = option(&mut arguments, "--threads")?.max(1.0) as usize,
            "--seconds" => bench.seconds = option(&mut arguments, "--seconds")?,
            unknown if unknown.starts_with('-') => {
                return Err(format!("unknown option `{unknown}`\n\n"));
            }
            _ => plain.push(argument),
        }
    }
    let Ok([objective, file]) = <[String; 2]>::try_from(plain) else {
        return Err("name one objective and one file\n\n".to_owned());
    };
    if !["gmm", "lstm", "ba", "hand"].contains(&objective.as_str()) {
        return Err(format!("unknown objective `{objective}`\n\n"));
    }
    if complicated && objective != "hand" {
        return Err("--complicated is an option of hand\n\n".to_owned());
    }
    if replicate && objective != "gmm" {
        return Err("--replicate is an option of gmm\n\n".to_owned());
    }
    Ok(Asked {
        objective,
        file: file.into(),
        complicated,
        replicate,
        json,
        bench,
    })
}

fn option(arguments: &mut impl Iterator<Item = String>, name: &str) -> Result<f64, String> {
    let text = arguments.next().unwrap_or_default();
    text.parse()
        .map_err(|_| format!("{name} needs a number, not `{text}`\n\n"))
}
