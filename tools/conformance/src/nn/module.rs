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
    let random = case["random"].as_bool() == Some(true);
    let mut setup = Setup {
        arguments: constructor(file, &case["constructor"])?,
        state: state(file, &case["state"])?,
        training: case["training"].as_bool().unwrap_or(true),
        random,
    };
    let layer = modules::build(module, &mut setup)?;
    let (mut call, inputs) = call(file, case)?;
    let outputs = layer.call(&mut call)?;
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
        named(&json["kwargs"], &mut |entry| argument(file, entry))?,
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

fn named(json: &Value, read: &mut dyn FnMut(&Value) -> Argument) -> Read<Vec<(String, Argument)>> {
    let object = json.as_object().cloned().unwrap_or_default();
    let values = object.values().map(read);
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
    let entries = list(&case["args"]);
    let mut inputs = Inputs {
        file,
        gradients: list(&case["input_gradients"]),
        known: Vec::new(),
    };
    let positional = known(entries.iter().map(|entry| inputs.tracked(entry)))?;
    let named = named(&case["kwargs"], &mut |entry| inputs.tracked(entry))?;
    let inputs = inputs.known.into_iter().map(|(_, tensor)| tensor);
    Ok((Arguments::new(positional, named), inputs.collect()))
}

/// The tensors that are differentiated by, in the order of the call.
struct Inputs<'a> {
    file: &'a SafeTensors<'a>,
    gradients: Vec<Value>,
    /// Each with its entry.
    known: Vec<(Value, Tensor)>,
}

impl Inputs<'_> {
    fn tracked(&mut self, entry: &Value) -> Argument {
        if let Some(list) = entry.as_array() {
            return Argument::List(list.iter().map(|entry| self.tracked(entry)).collect());
        }
        match argument(self.file, entry) {
            Argument::Tensor(tensor) if entry["requires_grad"].as_bool() == Some(true) => {
                let earlier = (0..self.known.len()).find(|&at| self.is_again(at, entry));
                let tensor = match earlier {
                    Some(at) => self.known[at].1.clone(),
                    None => tensor.tracked(),
                };
                self.known.push((entry.clone(), tensor.clone()));
                Argument::Tensor(tensor)
            }
            other => other,
        }
    }

    /// A call such as `attention(x, x, x)` gives one tensor several times, but the file stores each by itself: those with
    /// the same elements and the same gradients are one leaf, whose gradient is the sum.
    fn is_again(&self, at: usize, entry: &Value) -> bool {
        let gradients = (self.gradients.get(at), self.gradients.get(self.known.len()));
        let (Some(earlier), Some(later)) = gradients else {
            return false;
        };
        self.are_equal(&self.known[at].0, entry) && self.are_equal(earlier, later)
    }

    fn are_equal(&self, one: &Value, other: &Value) -> bool {
        let view = |entry: &Value| self.file.tensor(entry["tensor"].as_str()?).ok();
        view(one).is_some_and(|one| {
            view(other)
                .is_some_and(|other| one.shape() == other.shape() && one.data() == other.data())
        })
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
