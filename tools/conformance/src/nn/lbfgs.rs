//! L-BFGS on a function that the case names: the loss before and the parameters after each step.

use super::arguments::{Arguments, Read, refuse};
use super::{Checked, list, wrong};
use crate::case::{argument, tensor};
use crate::compare::{close, compare};
use chainrule::Tensor;
use chainrule::nn::Lbfgs;
use safetensors::SafeTensors;
use serde_json::Value;

/// Where two runs from starts that differ by this share have come apart, rounding decides the trajectory.
const NUDGE: f64 = 1e-13;

/// One step with a closure: replaces the parameters.
type Step = Box<dyn FnMut(&mut Tensor, &dyn Fn(&Tensor) -> Tensor)>;

pub fn check(file: &SafeTensors<'_>, case: &Value) -> Checked {
    let objective = case["objective"].as_str().unwrap_or_default();
    if !objective.starts_with("rosenbrock") {
        return Ok(refuse(format!("objective {objective:?}"))?);
    }
    let named = case["kwargs"].as_object().into_iter().flatten();
    let named = named.map(|(name, entry)| (name.clone(), argument(file, entry)));
    let mut arguments = Arguments::new(Vec::new(), named.collect());
    let mut step_of_nudged = build(&mut arguments.clone())?;
    let mut step = build(&mut arguments)?;
    arguments.finish("optimiser")?;
    let Some(mut parameters) = tensor(file, &case["initial"]) else {
        return Ok(refuse("a parameter that is not a tensor")?);
    };
    let mut nudged = &parameters * (1.0 + NUDGE);
    for (number, json) in list(&case["steps"]).iter().enumerate() {
        let loss = rosenbrock(&parameters).item::<f64>();
        let expected = json["loss_before"].as_f64().unwrap_or(f64::NAN);
        if !close(loss, expected) {
            return wrong(format!(
                "step {number}: the loss is {loss:e}, expected {expected:e}"
            ));
        }
        step(&mut parameters, &rosenbrock);
        step_of_nudged(&mut nudged, &rosenbrock);
        if compare("", &nudged, &parameters).is_err() {
            return Ok(refuse("a trajectory that rounding decides")?);
        }
        if let Some(expected) = tensor(file, &json["parameters"]) {
            compare(&format!("step {number}"), &parameters, &expected)?;
        }
    }
    Ok(())
}

/// `Σ 100 (x[i+1] - x[i]²)² + (1 - x[i])²`.
fn rosenbrock(x: &Tensor) -> Tensor {
    let last = x.elements() - 1;
    let (now, next) = (x.narrow(0, 0, last), x.narrow(0, 1, last));
    ((next - now.square()).square() * 100.0 + (1.0 - now).square()).sum(..)
}

fn build(arguments: &mut Arguments) -> Read<Step> {
    let mut lbfgs = Lbfgs::new(arguments.number_or("lr", 1.0)?)
        .max_iterations(arguments.count_or("max_iter", 20)?)
        .gradient_tolerance(arguments.number_or("tolerance_grad", 1e-7)?)
        .change_tolerance(arguments.number_or("tolerance_change", 1e-9)?)
        .history(arguments.count_or("history_size", 100)?);
    if arguments.gives("max_eval") {
        lbfgs = lbfgs.max_evaluations(arguments.count("max_eval")?);
    }
    arguments.take("max_eval");
    match arguments.text_or("line_search_fn", "none")?.as_str() {
        "none" => {}
        "strong_wolfe" => lbfgs = lbfgs.strong_wolfe(),
        other => return refuse(format!("line_search_fn {other:?}")),
    }
    let maximise = arguments.truth_or("maximize", false)?;
    Ok(Box::new(move |parameters, objective| {
        lbfgs.step(parameters, |x: &Tensor| match maximise {
            true => -objective(x),
            false => objective(x),
        });
    }))
}
