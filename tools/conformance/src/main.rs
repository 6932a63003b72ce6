//! Runs a folder of operation cases whose values and derivatives were computed elsewhere, and compares.
//!
//! `chainrule-conformance opinfo DIR` prints a line for each operation and, last, `N passed, N failed, N not supported`; it
//! exits with 1 if a case failed. `chainrule-conformance sample DIR OUT` writes a small folder with one supported case of
//! each operation, `sample-nn DIR OUT` one with a case or two of each layer, loss, optimiser and schedule.
//!
//! `chainrule-conformance nn DIR` does the same for layers, losses, optimisers, schedules and clipping;
//! `--filter TEXT` takes only the cases in whose name or subject it occurs.

mod call;
mod case;
mod compare;
mod nn;
mod operations;
mod run;
mod sample;

use case::Folder;
use run::Outcome;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: chainrule-conformance opinfo DIR
       chainrule-conformance nn DIR [--filter TEXT]
       chainrule-conformance sample DIR OUT
       chainrule-conformance sample-nn DIR OUT";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["opinfo", folder] => opinfo(Path::new(folder)),
        ["nn", folder] => nn::report(Path::new(folder), ""),
        ["nn", folder, "--filter", filter] | ["nn", "--filter", filter, folder] => {
            nn::report(Path::new(folder), filter)
        }
        ["sample", folder, out] => {
            sample::write(Path::new(folder), Path::new(out)).map(|()| ExitCode::SUCCESS)
        }
        ["sample-nn", folder, out] => {
            sample::write_nn(Path::new(folder), Path::new(out)).map(|()| ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    not_supported: usize,
}

fn opinfo(path: &Path) -> Result<ExitCode, String> {
    let folder = Folder::open(path)?;
    let mut by_operation: BTreeMap<String, Counts> = BTreeMap::new();
    let mut total = Counts::default();
    for case in folder.cases() {
        let counts = by_operation.entry(case.operation.clone()).or_default();
        match run::run(&folder, &case) {
            Outcome::Passed => {
                counts.passed += 1;
                total.passed += 1;
            }
            Outcome::Failed(reason) => {
                counts.failed += 1;
                total.failed += 1;
                println!("FAILED {}: {reason}", case.name);
            }
            Outcome::NotSupported => {
                counts.not_supported += 1;
                total.not_supported += 1;
            }
        }
    }
    for (operation, counts) in &by_operation {
        println!(
            "{operation:40} {:4} passed {:4} failed {:4} not supported",
            counts.passed, counts.failed, counts.not_supported
        );
    }
    println!(
        "{} passed, {} failed, {} not supported",
        total.passed, total.failed, total.not_supported
    );
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
