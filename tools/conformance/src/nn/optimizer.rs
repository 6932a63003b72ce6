//! An optimiser: the parameters after each step, from the gradients that the case gives.

use super::arguments::{Arguments, Read, refuse};
use super::{Checked, list};
use crate::case::{argument, tensor};
use crate::compare::compare;
use chainrule::Tensor;
use chainrule::nn::Sgd;
use safetensors::SafeTensors;
use serde_json::Value;

/// One step: replaces the parameters, given their gradients.
type Step = Box<dyn FnMut(&mut Vec<Tensor>, &Vec<Tensor>)>;

pub fn check(file: &SafeTensors<'_>, case: &Value) -> Checked {
    let mut arguments = merged(file, case);
    let mut step = build(
        case["optimizer"].as_str().unwrap_or_default(),
        &mut arguments,
    )?;
    arguments.finish("optimiser")?;
    let mut parameters = tensors(file, &case["initial"])?;
    for (number, json) in list(&case["steps"]).iter().enumerate() {
        step(&mut parameters, &tensors(file, &json["gradients"])?);
        let expected = tensors(file, &json["parameters"])?;
        for (position, (actual, expected)) in parameters.iter().zip(&expected).enumerate() {
            compare(
                &format!("step {number}, parameter {position}"),
                actual,
                expected,
            )?;
        }
    }
    Ok(())
}

/// The defaults of the case, with what it says otherwise.
fn merged(file: &SafeTensors<'_>, case: &Value) -> Arguments {
    let mut all = case["defaults"].as_object().cloned().unwrap_or_default();
    all.extend(case["kwargs"].as_object().cloned().unwrap_or_default());
    let named = all
        .iter()
        .map(|(name, entry)| (name.clone(), argument(file, entry)));
    Arguments::new(Vec::new(), named.collect())
}

fn tensors(file: &SafeTensors<'_>, entries: &Value) -> Read<Vec<Tensor>> {
    let tensors = list(entries)
        .iter()
        .map(|entry| tensor(file, entry))
        .collect();
    let tensors: Option<Vec<Tensor>> = tensors;
    tensors.map_or_else(|| refuse("a parameter that is not a tensor"), Ok)
}

fn build(name: &str, arguments: &mut Arguments) -> Read<Step> {
    match name {
        "SGD" => sgd(arguments),
        _ => refuse(format!("no optimiser for `{name}`")),
    }
}

/// What of a flag or a number must be off, since there is no equal here.
fn off(arguments: &mut Arguments, names: &[&str]) -> Read<()> {
    for name in names {
        let given = arguments.clone().truth_or(name, false);
        let on = match given {
            Ok(truth) => truth,
            Err(_) => arguments.clone().number(name)? != 0.0,
        };
        if on {
            return refuse(format!("argument `{name}`"));
        }
        arguments.take(name);
    }
    Ok(())
}

fn sgd(arguments: &mut Arguments) -> Read<Step> {
    off(
        arguments,
        &["dampening", "weight_decay", "nesterov", "maximize"],
    )?;
    let mut sgd = Sgd::new(arguments.number("lr")?).momentum(arguments.number("momentum")?);
    Ok(Box::new(move |parameters, gradients| {
        let updated = sgd.update(parameters, gradients);
        updated.expect("every parameter has a gradient");
    }))
}
