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

/// PyTorch's jvp of `logcumsumexp` is NaN wherever a tangent is negative (it takes logarithms of tangents), although its
/// vjp is finite. There the jvp is held against that vjp: cotangent · jvp = vjp · tangent.
const NAN_JVP: [&str; 1] = ["logcumsumexp"];

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

/// The call, and for each of its tensors in order whether it is to be differentiated by.
fn call_of(file: &SafeTensors<'_>, json: &Value) -> (Call, Vec<bool>) {
    let arguments = list(&json["args"]);
    let named = json["kwargs"].as_object().cloned().unwrap_or_default();
    let mut differentiable = Vec::new();
    let entries = std::iter::once(&json["input"]).chain(&arguments);
    for entry in entries.chain(named.values()) {
        collect(entry, &mut differentiable);
    }
    let positional = arguments.iter().map(|entry| argument(file, entry));
    let named = named
        .iter()
        .map(|(name, entry)| (name.clone(), argument(file, entry)));
    let call = Call::new(
        argument(file, &json["input"]),
        positional.collect(),
        named.collect(),
        list(&json["outputs"])
            .iter()
            .filter_map(|entry| tensor(file, entry))
            .collect(),
    );
    (call, differentiable)
}

fn collect(entry: &Value, into: &mut Vec<bool>) {
    if let Some(list) = entry.as_array() {
        list.iter().for_each(|entry| collect(entry, into));
    }
    if entry.get("tensor").is_some() {
        into.push(entry["requires_grad"].as_bool() == Some(true));
    }
}

/// `Ok(false)` when the case is not supported.
fn checked(folder: &Folder, case: &Case) -> Result<bool, String> {
    let file = folder.file()?;
    let json = &case.json;
    let Some(operation) = operations::find(&case.operation) else {
        return Ok(false);
    };
    let (call, differentiable) = call_of(&file, json);
    if has_unknown(&call) {
        return Ok(false);
    }
    let Ok(outputs) = operations::apply(operation, &call) else {
        return Ok(false);
    };
    let mut inputs = Vec::new();
    let mut flags = differentiable.iter();
    call.replace(&mut |tensor| {
        if flags.next() == Some(&true) {
            inputs.push(tensor.clone());
        }
        tensor.clone()
    });
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
        let f = function(operation, &call, json, &differentiable);
        derivatives(&file, json, &f, &inputs)?;
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
    differentiable: &'a [bool],
) -> impl Fn(&Vec<Tensor>) -> Vec<Tensor> + 'a {
    let wanted: Vec<bool> = list(&json["outputs"])
        .iter()
        .map(|entry| entry["requires_grad"].as_bool() == Some(true))
        .collect();
    move |values: &Vec<Tensor>| {
        let (mut flags, mut values) = (differentiable.iter(), values.iter());
        let replaced = call.replace(&mut |tensor| match flags.next() {
            Some(true) => values.next().unwrap_or(tensor).clone(),
            _ => tensor.clone(),
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

fn derivatives(
    file: &SafeTensors<'_>,
    json: &Value,
    f: &dyn Fn(&Vec<Tensor>) -> Vec<Tensor>,
    inputs: &[Tensor],
) -> Result<(), String> {
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
    let (_, pulled) = vjp(f, &values, |_| cotangents.clone());
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
    let (_, pushed) = jvp(f, &values, &tangents);
    if NAN_JVP.contains(&json["op"].as_str().unwrap_or_default()) {
        let expected: Vec<Tensor> = list(&json["vjp"])
            .iter()
            .filter_map(|entry| tensor(file, entry))
            .collect();
        compare(
            "cotangent · jvp",
            &dot(&cotangents, &pushed),
            &dot(&expected, &tangents),
        )?;
        return second_order(file, json, f, &values, &cotangents, &tangents);
    }
    for (position, (actual, entry)) in pushed.iter().zip(list(&json["jvp"])).enumerate() {
        if let Some(expected) = tensor(file, &entry) {
            compare(&format!("jvp {position}"), actual, &expected)?;
        }
    }
    second_order(file, json, f, &values, &cotangents, &tangents)
}

/// The sum of the products of all elements.
fn dot(left: &[Tensor], right: &[Tensor]) -> Tensor {
    let terms = left
        .iter()
        .zip(right)
        .map(|(left, right)| (left * right).sum(..));
    terms
        .reduce(|sum, term| sum + term)
        .expect("there is an input and an output")
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
        dot(&pulled, tangents)
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
