//! Schedules by name, for trainings that are written in a configuration file.

use super::{
    Annealing, Constant, Cosine, Cyclic, CyclicMode, Exponential, LinearSchedule, MultiStep,
    OneCycle, Plateau, Polynomial, Schedule, StepSchedule, WarmRestarts, WarmUp,
};
use crate::{ArgumentError, Arguments};

type Built = Result<Box<dyn Schedule>, ArgumentError>;

type Build = fn(&mut Arguments) -> Built;

const ENTRIES: &[(&str, Build)] = &[
    ("constant", |a| {
        Ok(Box::new(Constant::new(
            a.optional("factor", 1.0)?,
            steps_or(a, "steps", 0)?,
        )))
    }),
    ("step", |a| {
        Ok(Box::new(StepSchedule::new(
            steps(a, "every")?,
            a.optional("factor", 0.1)?,
        )))
    }),
    ("multi_step", |a| {
        let milestones: Vec<usize> = a.required("milestones")?;
        let milestones = milestones.into_iter().map(|milestone| milestone as u64);
        Ok(Box::new(MultiStep::new(
            milestones,
            a.optional("factor", 0.1)?,
        )))
    }),
    ("exponential", |a| {
        Ok(Box::new(Exponential::new(a.required("factor")?)))
    }),
    ("cosine", |a| {
        let schedule = Cosine::new(steps(a, "steps")?);
        Ok(Box::new(schedule.least(a.optional("least", 0.0)?)))
    }),
    ("warm_restarts", |a| {
        let schedule = WarmRestarts::new(steps(a, "steps")?)
            .lengthening(steps_or(a, "lengthening", 1)?)
            .least(a.optional("least", 0.0)?);
        Ok(Box::new(schedule))
    }),
    ("polynomial", |a| {
        Ok(Box::new(Polynomial::new(
            steps(a, "steps")?,
            a.optional("power", 1.0)?,
        )))
    }),
    ("linear", |a| {
        Ok(Box::new(LinearSchedule::new(
            a.optional("start", 1.0)?,
            a.optional("end", 0.0)?,
            steps(a, "steps")?,
        )))
    }),
    ("one_cycle", one_cycle),
    ("cyclic", cyclic),
    ("plateau", plateau),
];

/// All schedules that a configuration can name.
pub fn schedule_names() -> Vec<&'static str> {
    ENTRIES.iter().map(|(name, _)| *name).collect()
}

/// The schedule called `name`, with a rise of `warm_up` steps before it where the argument is given. The arguments are called
/// as those of the schedules' constructors and methods are.
///
/// ```
/// use chainrule_nn::schedules::{build_schedule, Schedule};
/// use chainrule_nn::{Arguments, Value};
/// let mut arguments = Arguments::new("schedule")
///     .with("steps", Value::Integer(100))
///     .with("warm_up", Value::Integer(9));
/// let schedule = build_schedule("cosine", &mut arguments)?;
/// assert_eq!(schedule.learning_rate(0, 1.0), 0.1);
/// assert_eq!(schedule.learning_rate(9, 1.0), 1.0);
/// # Ok::<(), chainrule_nn::ArgumentError>(())
/// ```
///
/// # Errors
/// When there is no such schedule, or an argument is missing, wrong or not known.
pub fn build_schedule(name: &str, arguments: &mut Arguments) -> Built {
    let Some((_, build)) = ENTRIES.iter().find(|(known, _)| *known == name) else {
        return Err(arguments.unknown("schedule", name, &schedule_names()));
    };
    let schedule = build(arguments)?;
    let warm_up = steps_or(arguments, "warm_up", 0)?;
    arguments.finish()?;
    Ok(match warm_up {
        0 => schedule,
        steps => Box::new(WarmUp::new(steps, schedule)),
    })
}

/// A number of steps that is not zero.
fn steps(arguments: &mut Arguments, name: &'static str) -> Result<u64, ArgumentError> {
    match arguments.required::<usize>(name)? {
        0 => Err(arguments.problem(name, format!("`{name}` is 0; expected at least 1"))),
        count => Ok(count as u64),
    }
}

fn steps_or(
    arguments: &mut Arguments,
    name: &'static str,
    default: usize,
) -> Result<u64, ArgumentError> {
    Ok(arguments.optional(name, default)? as u64)
}

fn one_cycle(arguments: &mut Arguments) -> Built {
    let [first, last] = arguments.optional("divisors", [25.0, 1e4])?;
    let [least, largest] = arguments.optional("momenta", [0.85, 0.95])?;
    let mut schedule = OneCycle::new(arguments.required("largest")?, steps(arguments, "steps")?)
        .rising(arguments.optional("rising", 0.3)?)
        .divisors(first, last)
        .momenta(least, largest);
    let annealing = arguments.optional("annealing", "cosine".to_owned())?;
    match annealing.as_str() {
        "cosine" => {}
        "linear" => schedule = schedule.annealing(Annealing::Linear),
        other => return Err(choice(arguments, "annealing", other, "cosine or linear")),
    }
    if arguments.optional("three_phases", false)? {
        schedule = schedule.three_phases();
    }
    Ok(Box::new(schedule))
}

fn cyclic(arguments: &mut Arguments) -> Built {
    let up = steps(arguments, "up")?;
    let factor = arguments.optional("factor", 1.0)?;
    let mode = arguments.optional("mode", "triangular".to_owned())?;
    let mode = match mode.as_str() {
        "triangular" => CyclicMode::Triangular,
        "halving" => CyclicMode::Halving,
        "exponential" => CyclicMode::Exponential(factor),
        other => {
            let choices = "triangular, halving or exponential";
            return Err(choice(arguments, "mode", other, choices));
        }
    };
    let schedule = Cyclic::new(
        arguments.required("least")?,
        arguments.required("largest")?,
        up,
    )
    .down(steps_or(arguments, "down", up as usize)?)
    .mode(mode);
    Ok(Box::new(match arguments.given::<[f64; 2]>("momenta")? {
        Some([least, largest]) => schedule.momenta(least, largest),
        None => schedule,
    }))
}

fn plateau(arguments: &mut Arguments) -> Built {
    let mut schedule = Plateau::new(
        arguments.optional("factor", 0.1)?,
        steps_or(arguments, "patience", 10)?,
    )
    .threshold(arguments.optional("threshold", 1e-4)?)
    .cooldown(steps_or(arguments, "cooldown", 0)?)
    .least(arguments.optional("least", 0.0)?);
    if arguments.optional("larger_is_better", false)? {
        schedule = schedule.larger_is_better();
    }
    Ok(Box::new(schedule))
}

fn choice(arguments: &Arguments, name: &str, given: &str, choices: &str) -> ArgumentError {
    arguments.problem(name, format!("`{name}` is \"{given}\"; expected {choices}"))
}
