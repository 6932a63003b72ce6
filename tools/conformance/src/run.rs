//! Running one case: outputs, vjp, jvp, hvp.

use crate::call::Call;
use crate::case::{Argument, Case, Folder, argument, tensor};
use crate::compare::compare;
use crate::operations;
use chainrule::{Tensor, attempt, grad, jvp, vjp};
use safetensors::SafeTensors;
use serde_json::Value;

/// How a case ended.
pub enum Outcome {
    Passed,
    Failed(String),
    NotSupported,
}

/// Operations that draw: only shape and dtype can be compared.
const RANDOM: [&str; 2] = ["bernoulli", "nn.functional.dropout"];

pub fn run(folder: &Folder, case: &Case) -> Outcome {
    let result = attempt(|| checked(folder, case));
    match result {
        Ok(Ok(true)) => Outcome::Passed,
        Ok(Ok(false)) => Outcome::NotSupported,
        Ok(Err(reason)) => Outcome::Failed(reason),
        Err(error) => Outcome::Failed(error.message().to_owned()),
    }
}

/// The call, and the tensors to differentiate by, in order.
fn call_of(file: &SafeTensors<'_>, json: &Value) -> (Call, Vec<Tensor>) {
    let mut differentiable = Vec::new();
    let empty = Vec::new();
    let arguments = json["args"].as_array().unwrap_or(&empty);
    let named = json["kwargs"].as_object().cloned().unwrap_or_default();
    let entries = std::iter::once(&json["input"])
        .chain(arguments)
        .chain(named.values());
    for entry in entries {
        collect(file, entry, &mut differentiable);
    }
    let call = Call::new(
        argument(file, &json["input"]),
        arguments
            .iter()
            .map(|entry| argument(file, entry))
            .collect(),
        named
            .iter()
            .map(|(name, entry)| (name.clone(), argument(file, entry)))
            .collect(),
    );
    (call, differentiable)
}

fn collect(file: &SafeTensors<'_>, entry: &Value, into: &mut Vec<Tensor>) {
    if let Some(list) = entry.as_array() {
        list.iter().for_each(|entry| collect(file, entry, into));
    }
    if entry["requires_grad"].as_bool() == Some(true) {
        into.extend(tensor(file, entry));
    }
}

/// `Ok(false)` when the case is not supported.
fn checked(folder: &Folder, case: &Case) -> Result<bool, String> {
    let file = folder.file()?;
    let json = &case.json;
    let Some(operation) = operations::find(&case.operation) else {
        return Ok(false);
    };
    let (call, inputs) = call_of(&file, json);
    if has_unknown(&call) {
        return Ok(false);
    }
    let Ok(outputs) = operations::apply(operation, &call) else {
        return Ok(false);
    };
    let expected: Vec<Option<Tensor>> = list(&json["outputs"])
        .iter()
        .map(|entry| tensor(&file, entry))
        .collect();
    if outputs.len() != expected.len() {
        return Err(format!(
            "{} outputs instead of {}",
            outputs.len(),
            expected.len()
        ));
    }
    for (position, (actual, expected)) in outputs.iter().zip(&expected).enumerate() {
        let expected = expected.as_ref().ok_or("an output is not a tensor")?;
        if RANDOM.contains(&case.operation.as_str()) {
            if actual.shape() != expected.shape() || actual.dtype() != expected.dtype() {
                return Err(format!("output {position} has another shape or dtype"));
            }
            continue;
        }
        compare(&format!("output {position}"), actual, expected)?;
    }
    if !RANDOM.contains(&case.operation.as_str()) && !inputs.is_empty() {
        derivatives(&file, json, operation, &call, &inputs)?;
    }
    Ok(true)
}

fn has_unknown(call: &Call) -> bool {
    let mut probe = call.clone();
    (0..16).any(|position| matches!(probe.take(position, ""), Some(Argument::Other)))
}

fn list(json: &Value) -> Vec<Value> {
    json.as_array().cloned().unwrap_or_default()
}

/// The outputs that a derivative is asked of, as a function of the differentiable inputs.
fn function<'a>(
    operation: operations::Operation,
    call: &'a Call,
    json: &'a Value,
    inputs: &'a [Tensor],
) -> impl Fn(&Vec<Tensor>) -> Vec<Tensor> + 'a {
    let wanted: Vec<bool> = list(&json["outputs"])
        .iter()
        .map(|entry| entry["requires_grad"].as_bool() == Some(true))
        .collect();
    move |values: &Vec<Tensor>| {
        // Arguments are recognised by their place: the differentiable ones come in the order of the inputs.
        let mut next = 0;
        let replaced = call.replace(&mut |tensor| {
            let here = next < inputs.len() && same(tensor, &inputs[next]);
            if here {
                next += 1;
                values[next - 1].clone()
            } else {
                tensor.clone()
            }
        });
        let Ok(outputs) = operations::apply(operation, &replaced) else {
            return Vec::new();
        };
        outputs
            .into_iter()
            .zip(&wanted)
            .filter(|(_, wanted)| **wanted)
            .map(|(output, _)| output)
            .collect()
    }
}

fn same(a: &Tensor, b: &Tensor) -> bool {
    let bits = |tensor: &Tensor| {
        tensor
            .to_vec::<f64>()
            .into_iter()
            .map(f64::to_bits)
            .collect::<Vec<u64>>()
    };
    a.dtype() == b.dtype()
        && a.shape() == b.shape()
        && a.dtype().is_floating()
        && bits(a) == bits(b)
}

fn derivatives(
    file: &SafeTensors<'_>,
    json: &Value,
    operation: operations::Operation,
    call: &Call,
    inputs: &[Tensor],
) -> Result<(), String> {
    let f = function(operation, call, json, inputs);
    let values = inputs.to_vec();
    let cotangents: Vec<Tensor> = list(&json["cotangents"])
        .iter()
        .filter_map(|entry| tensor(file, entry))
        .collect();
    if cotangents.is_empty() || f(&values).len() != cotangents.len() {
        return if cotangents.is_empty() {
            Ok(())
        } else {
            Err("another number of differentiable outputs".to_owned())
        };
    }
    let (_, pulled) = vjp(&f, &values, |_| cotangents.clone());
    for (position, (actual, entry)) in pulled.iter().zip(list(&json["vjp"])).enumerate() {
        if let Some(expected) = tensor(file, &entry) {
            compare(&format!("vjp {position}"), actual, &expected)?;
        }
    }
    let tangents: Vec<Tensor> = list(&json["tangents"])
        .iter()
        .filter_map(|entry| tensor(file, entry))
        .collect();
    if tangents.len() != inputs.len() {
        return Ok(());
    }
    let (_, pushed) = jvp(&f, &values, &tangents);
    for (position, (actual, entry)) in pushed.iter().zip(list(&json["jvp"])).enumerate() {
        if let Some(expected) = tensor(file, &entry) {
            compare(&format!("jvp {position}"), actual, &expected)?;
        }
    }
    second_order(file, json, &f, &values, &cotangents, &tangents)
}

/// The derivative of `sum(vjp * tangents)` with the cotangents held.
fn second_order(
    file: &SafeTensors<'_>,
    json: &Value,
    f: &dyn Fn(&Vec<Tensor>) -> Vec<Tensor>,
    values: &Vec<Tensor>,
    cotangents: &[Tensor],
    tangents: &[Tensor],
) -> Result<(), String> {
    let hvp = &json["hvp"];
    if hvp.is_null() || json.get("hvp_absent").is_some() {
        return Ok(());
    }
    let slope = |values: &Vec<Tensor>| {
        let (_, pulled) = vjp(f, values, |_| cotangents.to_vec());
        let terms = pulled
            .iter()
            .zip(tangents)
            .map(|(pulled, tangent)| (pulled * tangent).sum(..));
        terms
            .reduce(|sum, term| sum + term)
            .expect("there is an input")
    };
    let second = grad(slope)(values);
    for (position, actual) in second.iter().enumerate() {
        let expected = match hvp.as_array() {
            None => actual.zeros_like(), // "zero"
            Some(entries) => match entries.get(position).and_then(|entry| tensor(file, entry)) {
                Some(expected) => expected,
                None => continue,
            },
        };
        compare(&format!("hvp {position}"), actual, &expected)?;
    }
    Ok(())
}
