//! A layer or a loss: outputs, buffers after the call, gradients of parameters and inputs.

use super::arguments::{Arguments, Read, refuse};
use super::modules::{self, Layer, Setup};
use super::state::State;
use super::{Checked, list, wrong};
use crate::case::{Argument, argument, tensor};
use crate::compare::compare;
use chainrule::{DType, Tensor};
use safetensors::SafeTensors;
use serde_json::Value;

pub fn check(file: &SafeTensors<'_>, case: &Value) -> Checked {
    let module = case["module"].as_str().unwrap_or_default();
    let mut setup = Setup {
        arguments: constructor(file, &case["constructor"])?,
        state: state(file, &case["state"])?,
        training: case["training"].as_bool().unwrap_or(true),
    };
    let layer = modules::build(module, &mut setup)?;
    let (mut call, inputs) = call(file, case)?;
    let outputs = layer.call(&mut call)?;
    let random = case["random"].as_bool() == Some(true);
    check_outputs(file, case, &outputs, random)?;
    if !random {
        check_gradients(file, case, &setup.state, &inputs, &outputs)?;
        check_buffers(file, case, &setup.state, &layer)?;
    }
    Ok(())
}

fn constructor(file: &SafeTensors<'_>, json: &Value) -> Read<Arguments> {
    let signature = list(&json["names"]);
    let signature: Vec<&str> = signature.iter().filter_map(Value::as_str).collect();
    let mut arguments = Arguments::new(
        known(
            list(&json["args"])
                .iter()
                .map(|entry| argument(file, entry)),
        )?,
        named(file, &json["kwargs"], &mut |value| value)?,
    );
    // `*args, **kwargs` says nothing of the names.
    if signature != ["args", "kwargs"] {
        arguments.name(&signature);
    }
    Ok(arguments)
}

/// Refuses what the format says and we do not know.
fn known(arguments: impl Iterator<Item = Argument>) -> Read<Vec<Argument>> {
    fn has_unknown(argument: &Argument) -> bool {
        match argument {
            Argument::Other => true,
            Argument::List(list) => list.iter().any(has_unknown),
            _ => false,
        }
    }
    let arguments: Vec<Argument> = arguments.collect();
    if arguments.iter().any(has_unknown) {
        return refuse("an argument of a kind that is not known");
    }
    Ok(arguments)
}

fn named(
    file: &SafeTensors<'_>,
    json: &Value,
    change: &mut dyn FnMut(Argument) -> Argument,
) -> Read<Vec<(String, Argument)>> {
    let object = json.as_object().cloned().unwrap_or_default();
    let values = object.values().map(|entry| change(argument(file, entry)));
    let values = known(values)?;
    Ok(object
        .into_iter()
        .map(|(name, _)| name)
        .zip(values)
        .collect())
}

fn state(file: &SafeTensors<'_>, json: &Value) -> Read<State> {
    let mut entries = Vec::new();
    for (name, entry) in json.as_object().into_iter().flatten() {
        match tensor(file, entry) {
            Some(value) => entries.push((name.clone(), value)),
            None => return refuse(format!("state `{name}` is not a tensor")),
        }
    }
    Ok(State::new(entries))
}

/// The call's arguments, and those tensors in them that are differentiated by.
fn call(file: &SafeTensors<'_>, case: &Value) -> Read<(Arguments, Vec<Tensor>)> {
    let mut flags = Vec::new();
    let entries = list(&case["args"]);
    let named_entries = case["kwargs"].as_object().into_iter().flatten();
    for entry in entries.iter().chain(named_entries.map(|(_, entry)| entry)) {
        flags_of(entry, &mut flags);
    }
    let (mut flags, mut inputs) = (flags.into_iter(), Vec::new());
    let mut change = |value| tracked(value, &mut flags, &mut inputs);
    let positional = known(entries.iter().map(|entry| change(argument(file, entry))))?;
    let named = named(file, &case["kwargs"], &mut change)?;
    Ok((Arguments::new(positional, named), inputs))
}

fn flags_of(entry: &Value, into: &mut Vec<bool>) {
    for entry in entry.as_array().into_iter().flatten() {
        flags_of(entry, into);
    }
    if entry.get("tensor").is_some() {
        into.push(entry["requires_grad"].as_bool() == Some(true));
    }
}

fn tracked(
    value: Argument,
    flags: &mut dyn Iterator<Item = bool>,
    inputs: &mut Vec<Tensor>,
) -> Argument {
    match value {
        Argument::Tensor(tensor) if flags.next() == Some(true) => {
            let tensor = tensor.tracked();
            inputs.push(tensor.clone());
            Argument::Tensor(tensor)
        }
        Argument::List(list) => {
            let list = list.into_iter().map(|entry| tracked(entry, flags, inputs));
            Argument::List(list.collect())
        }
        other => other,
    }
}

fn check_outputs(
    file: &SafeTensors<'_>,
    case: &Value,
    outputs: &[Tensor],
    random: bool,
) -> Checked {
    let expected = list(&case["outputs"]);
    if outputs.len() != expected.len() {
        let (count, expected) = (outputs.len(), expected.len());
        return wrong(format!("{count} outputs instead of {expected}"));
    }
    for (position, (actual, expected)) in outputs.iter().zip(&expected).enumerate() {
        let Some(expected) = tensor(file, expected) else {
            return refuse("an output that is not a tensor")?;
        };
        if !random {
            compare(&format!("output {position}"), actual, &expected)?;
        } else if actual.shape() != expected.shape() || actual.dtype() != expected.dtype() {
            return wrong(format!("output {position} has another shape or dtype"));
        }
    }
    Ok(())
}

fn check_gradients(
    file: &SafeTensors<'_>,
    case: &Value,
    state: &State,
    inputs: &[Tensor],
    outputs: &[Tensor],
) -> Checked {
    let positions = list(&case["cotangent_outputs"]);
    let cotangents = list(&case["cotangents"]);
    let mut total = Tensor::from(0.0);
    for (position, cotangent) in positions.iter().zip(&cotangents) {
        let output = position.as_u64().and_then(|at| outputs.get(at as usize));
        let (Some(output), Some(cotangent)) = (output, tensor(file, cotangent)) else {
            return refuse("a cotangent that is not a tensor")?;
        };
        total += (output * cotangent).sum(..);
    }
    if cotangents.is_empty() {
        return Ok(());
    }
    let gradients = total.is_tracked().then(|| total.backward());
    let gradient = |of: &Tensor| gradients.as_ref().map_or(of.zeros_like(), |all| all.of(of));
    for (name, entry) in case["parameter_gradients"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let Some(parameter) = state.taken_parameter(name) else {
            return wrong(format!("`{name}` was not taken as a parameter"));
        };
        let expected = tensor(file, entry).unwrap_or_else(|| parameter.zeros_like());
        compare(
            &format!("gradient of `{name}`"),
            &gradient(parameter),
            &expected,
        )?;
    }
    let expected = list(&case["input_gradients"]);
    if expected.len() != inputs.len() {
        let (count, expected) = (inputs.len(), expected.len());
        return wrong(format!(
            "{count} inputs to differentiate by instead of {expected}"
        ));
    }
    for (position, (input, entry)) in inputs.iter().zip(&expected).enumerate() {
        let expected = tensor(file, entry).unwrap_or_else(|| input.zeros_like());
        compare(
            &format!("gradient of input {position}"),
            &gradient(input),
            &expected,
        )?;
    }
    Ok(())
}

/// Every buffer of the case; what the layer does not report is held to have kept its value.
fn check_buffers(file: &SafeTensors<'_>, case: &Value, state: &State, layer: &Layer) -> Checked {
    let reported = layer.buffers();
    for (name, entry) in case["state_after"].as_object().into_iter().flatten() {
        let Some(expected) = tensor(file, entry) else {
            return refuse(format!("state `{name}` is not a tensor"))?;
        };
        let reported = reported.iter().find(|(known, _)| known == name);
        let Some(actual) = reported.map(|(_, value)| value).or(state.initial(name)) else {
            return wrong(format!("no buffer `{name}`"));
        };
        // A counter may be kept as another kind of number.
        let actual = if expected.dtype() == DType::I64 {
            actual.cast(DType::I64)
        } else {
            actual.clone()
        };
        compare(&format!("`{name}` after the call"), &actual, &expected)?;
    }
    Ok(())
}
