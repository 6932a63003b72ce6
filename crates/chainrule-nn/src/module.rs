//! What all layers and networks share.

use chainrule_core::tree::{Tree, leaves, named_leaves};
use chainrule_core::{Shape, Tensor};

/// A tree whose leaves are parameters: a layer or a network. `#[derive(Module)]` implements it; the forward function is
/// the user's own, with whatever arguments it takes.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_nn::{Linear, Module};
/// let layer = Linear::new(3, 2);
/// assert_eq!(layer.parameter_count(), 8);
/// let names: Vec<String> = layer.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["weight", "bias"]);
/// ```
pub trait Module: Tree {
    /// The parameters with their paths, such as `hidden.weight`, in the order of the fields.
    fn named_parameters(&self) -> Vec<(String, &Tensor)> {
        named_leaves(self)
    }

    /// The parameters in the order of the fields.
    fn parameters(&self) -> Vec<&Tensor> {
        leaves(self)
    }

    /// The number of numbers in all parameters.
    fn parameter_count(&self) -> usize {
        self.named_parameters()
            .iter()
            .map(|(_, tensor)| tensor.elements())
            .sum()
    }

    /// Names and shapes of the parameters, one a line.
    fn summary(&self) -> String {
        let parameters = self.named_parameters();
        let width = parameters
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0);
        let mut text = String::new();
        for (name, tensor) in &parameters {
            let shape: &Shape = tensor.shape();
            text.push_str(&format!("{name:width$}  {shape}  {}\n", tensor.dtype()));
        }
        text + &format!("{} parameters\n", self.parameter_count())
    }
}

impl<M: Module> Module for Vec<M> {}
