//! Penalties on weights, as a term of the loss.

use crate::Module;
use crate::pattern::matches;
use chainrule_core::Tensor;

/// A penalty on the weights: the elastic net `α Σ w² + β Σ |w|` (Zou, Hastie 2005), of which L1 and L2 are the ends, with
/// strengths by pattern.
///
/// Decay that is no part of the loss is the optimisers' [`weight_decay`](crate::optim::Descent::weight_decay): with plain SGD
/// `α = decay / 2` is the same, with adaptive rules it is not.
///
/// ```
/// use chainrule_core::value_and_grad;
/// use chainrule_nn::{Linear, Regulariser};
/// let layer = Linear::new(2, 1);
/// let penalty = Regulariser::elastic(0.5, 0.1).except("*bias");
/// let (value, gradients) = value_and_grad(|layer: &Linear| penalty.of(layer))(&layer);
/// let w = layer.weight.to_vec::<f32>();
/// let expected = 0.5 * (w[0] * w[0] + w[1] * w[1]) + 0.1 * (w[0].abs() + w[1].abs());
/// assert!((value.item::<f32>() - expected).abs() < 1e-6);
/// assert!((gradients.weight.to_vec::<f32>()[0] - (w[0] + 0.1 * w[0].signum())).abs() < 1e-6);
/// assert!(gradients.bias.unwrap().is_absent());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Regulariser {
    strengths: Strengths,
    /// Strengths by pattern; the last one that matches holds.
    groups: Vec<(String, Strengths)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Strengths {
    square: f64,
    absolute: f64,
}

impl Regulariser {
    /// `strength · Σ |w|` (the lasso), which brings weights to zero.
    pub fn l1(strength: f64) -> Regulariser {
        Regulariser::elastic(0.0, strength)
    }

    /// `strength · Σ w²` (ridge), which keeps weights small.
    pub fn l2(strength: f64) -> Regulariser {
        Regulariser::elastic(strength, 0.0)
    }

    /// `alpha · Σ w² + beta · Σ |w|`.
    pub fn elastic(alpha: f64, beta: f64) -> Regulariser {
        Regulariser {
            strengths: Strengths {
                square: alpha,
                absolute: beta,
            },
            groups: Vec::new(),
        }
    }

    /// Other strengths for the parameters whose paths match `pattern`, in which `*` stands for any characters.
    pub fn group(mut self, pattern: impl Into<String>, alpha: f64, beta: f64) -> Regulariser {
        let strengths = Strengths {
            square: alpha,
            absolute: beta,
        };
        self.groups.push((pattern.into(), strengths));
        self
    }

    /// No penalty on the parameters whose paths match `pattern`.
    pub fn except(self, pattern: impl Into<String>) -> Regulariser {
        self.group(pattern, 0.0, 0.0)
    }

    /// The penalty of a model's parameters, a single number to be added to the loss; zero where nothing is penalised.
    #[track_caller]
    pub fn of<M: Module>(&self, model: &M) -> Tensor {
        let mut terms = Vec::new();
        for (name, leaf) in model.named_parameters() {
            let strengths = self.at(&name);
            if !leaf.dtype().is_floating() {
                continue;
            }
            if strengths.square != 0.0 {
                terms.push(leaf.square().sum(..) * strengths.square);
            }
            if strengths.absolute != 0.0 {
                terms.push(leaf.abs().sum(..) * strengths.absolute);
            }
        }
        let sum = terms.into_iter().reduce(|sum, term| sum + term);
        sum.unwrap_or_else(|| Tensor::scalar(0.0))
    }

    fn at(&self, name: &str) -> Strengths {
        let mut matching = self.groups.iter().rev();
        let found = matching.find(|(pattern, _)| matches(pattern, name));
        found.map_or(self.strengths, |(_, strengths)| *strengths)
    }
}
