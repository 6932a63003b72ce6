//! Architectures by name: each is a file that puts layers of the catalogue one behind the other.

pub mod alexnet;
mod lenet;
mod mlp;
mod transformer;
pub mod vision_transformer;

use super::model::Stack;
use chainrule::error::nearest;
use chainrule::nn::{ArgumentError, Arguments, Value};

/// A network that a configuration can name.
pub trait Architecture {
    const NAME: &'static str;

    /// Adds its layers to the stack, so that the last axis of the output has the extent `outputs`.
    fn build(
        arguments: &mut Arguments,
        stack: &mut Stack,
        outputs: usize,
    ) -> Result<(), ArgumentError>;
}

/// A row of the list of architectures.
pub struct Entry {
    name: &'static str,
    pub build: fn(&mut Arguments, &mut Stack, usize) -> Result<(), ArgumentError>,
}

const fn entry<A: Architecture>() -> Entry {
    Entry {
        name: A::NAME,
        build: A::build,
    }
}

const ARCHITECTURES: &[Entry] = &[
    entry::<mlp::Mlp>(),
    entry::<lenet::LeNet>(),
    entry::<alexnet::AlexNet>(),
    entry::<transformer::Transformer>(),
    entry::<vision_transformer::VisionTransformer>(),
];

/// The architecture of this name, or what to say if there is none.
pub fn find(name: &str) -> Result<&'static Entry, String> {
    ARCHITECTURES
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = ARCHITECTURES.iter().map(|entry| entry.name).collect();
            let hint = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", known.join(", ")),
            };
            format!("there is no architecture `{name}`; {hint}")
        })
}

/// Adds a layer with these arguments.
fn layer(stack: &mut Stack, kind: &str, given: &[(&str, Value)]) -> Result<(), ArgumentError> {
    let with =
        |arguments: Arguments, (name, value): &(&str, Value)| arguments.with(*name, value.clone());
    let mut arguments = given.iter().fold(Arguments::new(kind), with);
    stack.push(kind, &mut arguments)
}

/// An extent or a count, which is not 0.
fn at_least_one(
    arguments: &mut Arguments,
    name: &'static str,
    default: usize,
) -> Result<usize, ArgumentError> {
    match arguments.optional(name, default)? {
        0 => Err(arguments.problem(name, format!("`{name}` is 0; expected at least 1"))),
        number => Ok(number),
    }
}
