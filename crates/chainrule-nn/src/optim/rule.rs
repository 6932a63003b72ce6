//! What makes one optimiser differ from another.

use chainrule_core::Tensor;
use chainrule_core::tree::Tree;
use std::fmt::Debug;

/// The formula of an optimiser, for one parameter at a time. [`Descent`](super::Descent) makes an optimiser of it.
///
/// The update is ordinary tensor code, recorded without tracking, so that the planner makes one pass over parameter,
/// gradient and state of it.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::optim::{Descent, Rule, Step};
/// /// `w ← w - lr sign g`.
/// #[derive(Clone, Debug)]
/// struct SignDescent;
/// impl Rule for SignDescent {
///     type State = ();
///     fn name(&self) -> &'static str {
///         "sign descent"
///     }
///     fn start(&self, _weight: &Tensor, _learning_rate: f64) {}
///     fn update(&self, step: &Step, _state: &mut ()) -> Tensor {
///         step.weight - step.gradient.sign() * step.learning_rate
///     }
/// }
/// let mut optimiser = Descent::with_rule(SignDescent, 0.5);
/// let mut w = Tensor::from(3.0);
/// optimiser.update(&mut w, &Tensor::from(-7.0))?;
/// assert_eq!(w.item::<f64>(), 3.5);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub trait Rule: Clone + Debug {
    /// What is carried from step to step for one parameter; its tensors are saved under their fields' names.
    type State: Tree + Clone + Debug;

    /// The optimiser's name in messages and in recorded graphs.
    fn name(&self) -> &'static str;

    /// The state before the first step.
    fn start(&self, weight: &Tensor, learning_rate: f64) -> Self::State;

    /// The parameter after the step; the state is replaced by the one after it.
    fn update(&self, step: &Step, state: &mut Self::State) -> Tensor;

    /// Whether weight decay shrinks the weights directly instead of being added to the gradient.
    fn decays_weights(&self) -> bool {
        false
    }

    /// Whether some state is not read by the update of the weights. It is then evaluated at the next step at the latest:
    /// nobody else would look, and a chain of pending work would grow.
    fn keeps_aside(&self) -> bool {
        false
    }

    /// Takes the momentum that a schedule asks for, if the rule has one: the share of the last step (or of the first
    /// moment) that is kept.
    fn set_momentum(&mut self, _momentum: f64) -> bool {
        false
    }

    /// Why the rule cannot update a parameter like this one, if it cannot.
    fn refusal(&self, _weight: &Tensor) -> Option<String> {
        None
    }
}

/// What a rule is told about one step of one parameter.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The parameter before the step, decayed already where the decay is the weights' own.
    pub weight: &'a Tensor,
    /// The parameter before the step and before any decay.
    pub undecayed: &'a Tensor,
    /// The direction of steepest ascent, with the decay added where it is the gradient's.
    pub gradient: &'a Tensor,
    /// 1 at the parameter's first step.
    pub number: u64,
    /// The learning rate that holds for this parameter.
    pub learning_rate: f64,
}

impl Step<'_> {
    /// `1 - βᵗ`: what a running average with share β that began at zero has seen by this step.
    pub fn correction(&self, beta: f64) -> f64 {
        1.0 - beta.powf(self.number as f64)
    }
}
