//! A Neural Turing Machine that learns to copy.

mod machine;
mod task;

use super::heatmaps;
use super::tell::Teller;
use super::{Example, fresh, write};
use crate::train::TrainProblem;
use crate::train::options::TrainOptions;
use chainrule::nn::clip::clip_value;
use chainrule::prelude::*;
use machine::Machine;
use std::time::Instant;
use task::{BITS, CHANNELS, recite, score, sequences};

/// The copy task of Graves, Wayne, Danihelka (2014): sequences of 1 to 20 steps of 8 bits, a memory of 128 rows of 20
/// numbers. Longer sequences, of 50 and 100 steps, were never seen in training.
///
/// The controller is feed-forward, 100 units: with no state of its own it has to go by the memory, which carries over to
/// longer sequences.
pub struct Copy;

/// The same with an LSTM as the controller.
pub struct CopyWithLstm;

const UNITS: usize = 100;
const ROWS: usize = 128;
const WIDTH: usize = 20;
const BATCH: usize = 32;
const LONGEST: i64 = 20;
const STEPS: u64 = 20_000;
/// Between two looks at how well it does.
const LOOK: u64 = 250;
const RATE: f64 = 1e-3;
/// How often in a row a look must find nothing wrong, in sequences of 50 steps too, before the run ends early.
const CONTENT: usize = 3;

impl Example for Copy {
    const NAME: &'static str = "turing";
    const DESCRIPTION: &'static str = "a Neural Turing Machine learns to copy sequences of bits";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        copy(options, false)
    }
}

impl Example for CopyWithLstm {
    const NAME: &'static str = "turing-lstm";
    const DESCRIPTION: &'static str = "the same with an LSTM as its controller";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        copy(options, true)
    }
}

fn copy(options: &TrainOptions, recurrent: bool) -> Result<(), TrainProblem> {
    let (teller, seed) = (Teller::new(options.json), fresh(options));
    let machine = Machine::new(CHANNELS, BITS, UNITS, ROWS, WIDTH, recurrent);
    let count = machine.parameter_count();
    teller.say(
        "model",
        &[("parameters", count as f64)],
        &format!("{count} parameters; {ROWS} rows of memory of {WIDTH} numbers; sequences of 1 to {LONGEST} steps"),
    )?;
    if options.dry_run {
        return Ok(());
    }
    let machine = learn(machine, seed, teller)?;
    let test = Generator::new(seed + 1000);
    let short = score(&machine, &test, 1..=20, 1000);
    let fifty = score(&machine, &test, 50..=50, 100);
    let hundred = score(&machine, &test, 100..=100, 100);
    let path = options
        .report
        .clone()
        .unwrap_or_else(|| "turing.svg".into());
    write(&path, &picture(&machine, &test))?;
    teller.say(
        "picture",
        &[],
        &format!("what it says and where it looks: {}", path.display()),
    )?;
    teller.end(&[
        ("wrong_bits_a_sequence", short.wrong_bits),
        ("wrong_share_at_50", fifty.share),
        ("wrong_share_at_100", hundred.share),
    ])
}

/// Trains until the machine copies without a mistake, or the steps are over. Of the machines that were looked at, the one
/// that did best on sequences of 50 steps.
fn learn(mut machine: Machine, seed: u64, teller: Teller) -> Result<Machine, TrainProblem> {
    let (training, checks) = (Generator::new(seed), Generator::new(seed + 500));
    let mut adam = Adam::new(RATE);
    let mut best = (f64::INFINITY, machine.clone());
    let (start, mut sum, mut flawless) = (Instant::now(), 0.0, 0);
    for step in 1..=STEPS {
        let length = training.randint(1, LONGEST + 1, [1]).to_vec::<i64>()[0] as usize;
        let shown = sequences(&training, length, BATCH);
        let loss = |machine: &Machine| task::loss(machine, &shown);
        let (loss, mut gradients) = value_and_grad(loss)(&machine);
        clip_value(&mut gradients, 10.0);
        let updated = adam.update(&mut machine, &gradients);
        updated.expect("every parameter is used");
        let mut results = machine.parameters();
        results.push(&loss);
        evaluate(&results);
        sum += loss.item::<f64>();
        if step % LOOK != 0 {
            continue;
        }
        let wrong = score(&machine, &checks, 1..=20, 200).wrong_bits;
        let long = score(&machine, &checks, 50..=50, 50).share;
        let (mean, seconds) = (sum / LOOK as f64, start.elapsed().as_secs_f64());
        teller.say(
            "step",
            &[
                ("step", step as f64),
                ("loss", mean),
                ("wrong_bits", wrong),
                ("wrong_share_at_50", long),
                ("seconds", seconds),
            ],
            &format!(
                "step {step:6}  loss {mean:.5}  wrong bits a sequence {wrong:7.3}, of 50 steps {:5.2} %  {seconds:.0} s",
                100.0 * long
            ),
        )?;
        sum = 0.0;
        if long <= best.0 && wrong < 1.0 {
            best = (long, machine.clone());
        }
        flawless = if wrong + long == 0.0 { flawless + 1 } else { 0 };
        adam.set_learning_rate(if wrong < 1.0 { RATE / 3.0 } else { RATE });
        if flawless == CONTENT {
            break;
        }
    }
    Ok(if best.0.is_finite() { best.1 } else { machine })
}

/// One sequence of 20 steps: what was shown, what was said, where the heads stood.
fn picture(machine: &Machine, generator: &Generator) -> String {
    let shown = sequences(generator, 20, 1);
    let recital = untracked(|| recite(machine, &shown));
    let places = Tensor::stack(&recital.places, 0);
    // The rows behind the last one that a head ever stands at are left out.
    let most: Vec<f32> = places.max([0, 1, 2]).to_vec();
    let used = most.iter().rposition(|&share| share > 0.1).unwrap_or(0);
    let shown_rows = (used + 4).min(ROWS);
    let of_head = |head: usize| {
        let all = places.narrow(2, head, 1).squeeze([1, 2]).t();
        all.narrow(0, 0, shown_rows)
    };
    heatmaps::svg(&[
        (
            "shown: one column a step, one row a bit",
            shown.squeeze(1).t(),
        ),
        (
            "said: the probability of a one",
            recital.logits.sigmoid().squeeze(1).t(),
        ),
        (
            "where it writes: one column a step, one row a row of memory",
            of_head(1),
        ),
        ("where it reads", of_head(0)),
    ])
}
