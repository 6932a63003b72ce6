//! Architectures by name: each is a file that puts layers of the catalogue one behind the other.

mod lenet;
mod mlp;

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

const ARCHITECTURES: &[Entry] = &[entry::<mlp::Mlp>(), entry::<lenet::LeNet>()];

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

/// Adds a layer with whole numbers for arguments.
fn layer(stack: &mut Stack, kind: &str, numbers: &[(&str, usize)]) -> Result<(), ArgumentError> {
    let with = |arguments: Arguments, (name, number): &(&str, usize)| {
        arguments.with(*name, Value::Integer(*number as i64))
    };
    let mut arguments = numbers.iter().fold(Arguments::new(kind), with);
    stack.push(kind, &mut arguments)
}
