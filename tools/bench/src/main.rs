//! Times Chainrule on the workloads of the peer benchmarks and prints one JSON object a line.
//!
//! `cargo run --release -p chainrule-bench -- --threads 2 W1 W2 W6 W7`; without names, all workloads.
//! `cargo run --release -p chainrule-bench -- adbench gmm FILE`: the objectives of ADBench, see [`adbench`].

mod adbench;
mod measure;
mod workloads;

use measure::Bench;
use std::process::ExitCode;

const USAGE: &str = "usage: chainrule-bench [--threads N] [--seconds S] [WORKLOAD ...]
       chainrule-bench adbench OBJECTIVE FILE ...    (see chainrule-bench adbench --help)

Prints one JSON object a line: peer, version, workload, case, threads, unit, median, min (or best), p90, reps.

  --threads N   threads to use (default 2)
  --seconds S   measuring time of each case (default 2)

Workloads:";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("adbench") {
        return match adbench::main(std::env::args().skip(2)) {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(complaint) => {
                eprintln!("{complaint}");
                ExitCode::from(2)
            }
        };
    }
    match parse(std::env::args().skip(1)) {
        Ok((mut bench, names)) => {
            for (name, _, run) in workloads::ALL {
                if names.is_empty() || names.iter().any(|asked| asked == name) {
                    run(&mut bench);
                }
            }
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            eprintln!("{complaint}{USAGE}");
            for (name, text, _) in workloads::ALL {
                eprintln!("  {name:7} {text}");
            }
            ExitCode::from(2)
        }
    }
}

/// The settings and the workloads asked for, or a complaint (empty for `--help`).
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(Bench, Vec<String>), String> {
    let (mut threads, mut seconds, mut names) = (2, 2.0, Vec::new());
    while let Some(argument) = arguments.next() {
        let mut number = |name: &str| {
            let text = arguments.next().unwrap_or_default();
            text.parse::<f64>()
                .map_err(|_| format!("{name} needs a number, not `{text}`\n"))
        };
        match argument.as_str() {
            "--help" | "-h" => return Err(String::new()),
            "--threads" => threads = number("--threads")?.max(1.0) as usize,
            "--seconds" => seconds = number("--seconds")?,
            name if workloads::ALL.iter().any(|(known, _, _)| *known == name) => {
                names.push(name.to_owned())
            }
            other => return Err(format!("unknown workload or option `{other}`\n")),
        }
    }
    chainrule_kernels::threads::set_thread_count(threads);
    Ok((Bench { threads, seconds }, names))
}
