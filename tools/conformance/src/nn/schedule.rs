//! A schedule: the learning rate (and for one-cycle the momentum) at each step.

use super::arguments::{Arguments, Read, refuse};
use super::{Checked, list, wrong};
use crate::case::{Argument, plain_argument};
use crate::compare::close;
use chainrule::nn::schedules::{
    Annealing, Constant, Cosine, Cyclic, CyclicMode, Exponential, LinearSchedule, MultiStep,
    OneCycle, Plateau, Polynomial, Schedule, StepSchedule, WarmRestarts,
};
use serde_json::Value;

/// The learning rate and, for schedules that move it, the momentum of a step; then the metric that was seen in it.
type Step = Box<dyn FnMut(Option<f64>) -> (f64, Option<f64>)>;

pub fn check(case: &Value) -> Checked {
    let named = case["kwargs"].as_object().into_iter().flatten();
    let named = named.map(|(name, entry)| (name.clone(), plain_argument(entry)));
    let mut arguments = Arguments::new(Vec::new(), named.collect());
    let base = case["base_lr"].as_f64().unwrap_or(f64::NAN);
    let name = case["schedule"].as_str().unwrap_or_default();
    let mut step = build(name, base, &mut arguments)?;
    arguments.finish("schedule")?;
    let (metrics, momenta) = (list(&case["metrics"]), list(&case["momenta"]));
    for (number, expected) in list(&case["learning_rates"]).iter().enumerate() {
        let (rate, momentum) = step(metrics.get(number).map(number_of).transpose()?);
        let expected = expected.as_f64().unwrap_or(f64::NAN);
        if !close(rate, expected) {
            return wrong(format!(
                "step {number}: the rate is {rate:e}, expected {expected:e}"
            ));
        }
        let Some(expected) = momenta.get(number).and_then(Value::as_f64) else {
            continue;
        };
        if !momentum.is_some_and(|momentum| close(momentum, expected)) {
            return wrong(format!(
                "step {number}: the momentum is {momentum:?}, expected {expected:e}"
            ));
        }
    }
    Ok(())
}

fn number_of(json: &Value) -> Read<f64> {
    match plain_argument(json) {
        Argument::Integer(number) => Ok(number as f64),
        Argument::Number(number) => Ok(number),
        _ => refuse("a metric that is not a number"),
    }
}

fn build(name: &str, base: f64, arguments: &mut Arguments) -> Read<Step> {
    if arguments.integer_or("last_epoch", -1)? != -1 {
        return refuse("argument `last_epoch`");
    }
    if name == "ReduceLROnPlateau" {
        return plateau(base, arguments);
    }
    let schedule = schedule(name, arguments)?;
    let mut step = 0;
    Ok(Box::new(move |_metric| {
        let now = (schedule.learning_rate(step, base), schedule.momentum(step));
        step += 1;
        now
    }))
}

fn schedule(name: &str, arguments: &mut Arguments) -> Read<Box<dyn Schedule>> {
    Ok(match name {
        "StepLR" => Box::new(StepSchedule::new(
            steps(arguments, "step_size")?,
            arguments.number_or("gamma", 0.1)?,
        )),
        "MultiStepLR" => {
            let milestones = arguments.integers("milestones")?.unwrap_or_default();
            let milestones: Result<Vec<u64>, _> =
                milestones.into_iter().map(u64::try_from).collect();
            let Ok(milestones) = milestones else {
                return refuse("the value of argument `milestones`");
            };
            Box::new(MultiStep::new(
                milestones,
                arguments.number_or("gamma", 0.1)?,
            ))
        }
        "ExponentialLR" => Box::new(Exponential::new(arguments.number("gamma")?)),
        "CosineAnnealingLR" => Box::new(
            Cosine::new(steps(arguments, "T_max")?).least(arguments.number_or("eta_min", 0.0)?),
        ),
        "CosineAnnealingWarmRestarts" => Box::new(
            WarmRestarts::new(steps(arguments, "T_0")?)
                .lengthening(arguments.count_or("T_mult", 1)? as u64)
                .least(arguments.number_or("eta_min", 0.0)?),
        ),
        "PolynomialLR" => Box::new(Polynomial::new(
            arguments.count_or("total_iters", 5)? as u64,
            arguments.number_or("power", 1.0)?,
        )),
        "LinearLR" => Box::new(LinearSchedule::new(
            arguments.number_or("start_factor", 1.0 / 3.0)?,
            arguments.number_or("end_factor", 1.0)?,
            lasting(arguments)?,
        )),
        "ConstantLR" => Box::new(Constant::new(
            arguments.number_or("factor", 1.0 / 3.0)?,
            lasting(arguments)?,
        )),
        "OneCycleLR" => Box::new(one_cycle(arguments)?),
        "CyclicLR" => Box::new(cyclic(arguments)?),
        _ => return refuse(format!("no schedule for `{name}`")),
    })
}

/// The argument `total_iters`. With 0 PyTorch's recurrence keeps the factor of the first step for ever.
fn lasting(arguments: &mut Arguments) -> Read<u64> {
    match arguments.gives("total_iters") {
        true => steps(arguments, "total_iters"),
        false => Ok(5),
    }
}

/// A number of steps that is not zero.
fn steps(arguments: &mut Arguments, name: &str) -> Read<u64> {
    match arguments.count(name)? {
        0 => refuse(format!("the value of argument `{name}`")),
        count => Ok(count as u64),
    }
}

fn one_cycle(arguments: &mut Arguments) -> Read<OneCycle> {
    let total = match arguments.gives("total_steps") {
        true => steps(arguments, "total_steps")?,
        false => steps(arguments, "epochs")? * steps(arguments, "steps_per_epoch")?,
    };
    for name in ["total_steps", "epochs", "steps_per_epoch"] {
        // Where the total is given, the others are not read.
        arguments.take(name);
    }
    let mut schedule = OneCycle::new(arguments.number("max_lr")?, total)
        .rising(arguments.number_or("pct_start", 0.3)?)
        .divisors(
            arguments.number_or("div_factor", 25.0)?,
            arguments.number_or("final_div_factor", 1e4)?,
        );
    match arguments.text_or("anneal_strategy", "cos")?.as_str() {
        "cos" => {}
        "linear" => schedule = schedule.annealing(Annealing::Linear),
        other => return refuse(format!("anneal_strategy {other:?}")),
    }
    let least = arguments.number_or("base_momentum", 0.85)?;
    let largest = arguments.number_or("max_momentum", 0.95)?;
    schedule = match arguments.truth_or("cycle_momentum", true)? {
        true => schedule.momenta(least, largest),
        false => schedule.without_momentum(),
    };
    Ok(match arguments.truth_or("three_phase", false)? {
        true => schedule.three_phases(),
        false => schedule,
    })
}

fn cyclic(arguments: &mut Arguments) -> Read<Cyclic> {
    let up = match arguments.gives("step_size_up") {
        true => steps(arguments, "step_size_up")?,
        false => 2000,
    };
    let down = match arguments.gives("step_size_down") {
        true => steps(arguments, "step_size_down")?,
        false => up,
    };
    for name in ["step_size_up", "step_size_down", "scale_fn"] {
        if arguments.gives(name) {
            return refuse(format!("argument `{name}`"));
        }
        arguments.take(name);
    }
    // Without a function of the user's own, the mode decides what it is a function of.
    arguments.text_or("scale_mode", "cycle")?;
    let gamma = arguments.number_or("gamma", 1.0)?;
    let mode = match arguments.text_or("mode", "triangular")?.as_str() {
        "triangular" => CyclicMode::Triangular,
        "triangular2" => CyclicMode::Halving,
        "exp_range" => CyclicMode::Exponential(gamma),
        other => return refuse(format!("mode {other:?}")),
    };
    let (least, largest) = (
        arguments.number_or("base_momentum", 0.8)?,
        arguments.number_or("max_momentum", 0.9)?,
    );
    let schedule = Cyclic::new(
        arguments.number("base_lr")?,
        arguments.number("max_lr")?,
        up,
    )
    .down(down)
    .mode(mode);
    Ok(match arguments.truth_or("cycle_momentum", true)? {
        true => schedule.momenta(least, largest),
        false => schedule,
    })
}

/// The argument `min_lr`: a number, or a list with that of the one group.
fn least_rate(arguments: &mut Arguments) -> Read<f64> {
    if let Ok(given) = arguments.clone().optional_number("min_lr") {
        arguments.take("min_lr");
        return Ok(given.unwrap_or(0.0));
    }
    match arguments.numbers("min_lr")?[..] {
        [least] => Ok(least),
        _ => refuse("the value of argument `min_lr`"),
    }
}

fn plateau(base: f64, arguments: &mut Arguments) -> Read<Step> {
    let mut schedule = Plateau::new(
        arguments.number_or("factor", 0.1)?,
        arguments.count_or("patience", 10)? as u64,
    )
    .cooldown(arguments.count_or("cooldown", 0)? as u64)
    .least(least_rate(arguments)?)
    .smallest_change(arguments.number_or("eps", 1e-8)?);
    match arguments.text_or("mode", "min")?.as_str() {
        "min" => {}
        "max" => schedule = schedule.larger_is_better(),
        other => return refuse(format!("mode {other:?}")),
    }
    let threshold = arguments.number_or("threshold", 1e-4)?;
    schedule = match arguments.text_or("threshold_mode", "rel")?.as_str() {
        "rel" => schedule.threshold(threshold),
        "abs" => schedule.absolute_threshold(threshold),
        other => return refuse(format!("threshold_mode {other:?}")),
    };
    Ok(Box::new(move |metric| {
        let rate = schedule.learning_rate(0, base);
        if let Some(metric) = metric {
            schedule.observe(metric);
        }
        (rate, None)
    }))
}
