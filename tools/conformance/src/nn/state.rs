//! The parameters and buffers of a case, handed out by PyTorch's names.

use super::arguments::{Read, refuse};
use chainrule::Tensor;
use chainrule::nn::Parameter;

/// What the case gives, and what the layer took of it.
pub struct State {
    entries: Vec<(String, Tensor)>,
    taken: Vec<String>,
    /// The parameters by name, as the layer holds them: gradients are asked by these.
    parameters: Vec<(String, Tensor)>,
}

impl State {
    pub fn new(entries: Vec<(String, Tensor)>) -> State {
        State {
            entries,
            taken: Vec::new(),
            parameters: Vec::new(),
        }
    }

    /// The parameter called `name`.
    pub fn parameter(&mut self, name: &str) -> Read<Parameter> {
        let parameter = Parameter::new(self.buffer(name)?);
        self.parameters
            .push((name.to_owned(), Tensor::clone(&parameter)));
        Ok(parameter)
    }

    /// The value called `name` as a constant: a buffer's first value.
    pub fn buffer(&mut self, name: &str) -> Read<Tensor> {
        let Some((_, value)) = self.entries.iter().find(|(known, _)| known == name) else {
            return refuse(format!("the case has no state `{name}`"));
        };
        self.taken.push(name.to_owned());
        Ok(value.clone())
    }

    /// The buffer called `name` where the case gives it.
    pub fn optional_buffer(&mut self, name: &str) -> Option<Tensor> {
        self.buffer(name).ok()
    }

    /// The parameter as the layer holds it.
    pub fn taken_parameter(&self, name: &str) -> Option<&Tensor> {
        let known = self.parameters.iter().find(|(known, _)| known == name);
        known.map(|(_, tensor)| tensor)
    }

    /// The value that the case began with.
    pub fn initial(&self, name: &str) -> Option<&Tensor> {
        let known = self.entries.iter().find(|(known, _)| known == name);
        known.map(|(_, tensor)| tensor)
    }

    /// Refuses what was not taken.
    pub fn finish(&self) -> Read<()> {
        let left = self
            .entries
            .iter()
            .find(|(name, _)| !self.taken.contains(name));
        left.map_or(Ok(()), |(name, _)| refuse(format!("state `{name}`")))
    }
}
