//! What all optimisers share towards the outside.

use super::gradients::{check_structure, replace};
use super::{Group, Lbfgs, MissingGradients, StateError};
use chainrule_core::tree::{Tree, leaves, named_leaves};
use chainrule_core::{Gradients, Tensor};
use std::collections::BTreeMap;

/// Something that changes parameters by their gradients, step by step.
///
/// A training loop that takes its optimiser from a configuration holds a `Box<dyn Optimiser>`; everything here works on it.
///
/// ```
/// use chainrule_core::{value_and_grad, Tensor};
/// use chainrule_nn::{Adam, Optimiser, Sgd, Update};
/// for mut optimiser in [Box::new(Sgd::new(0.1)) as Box<dyn Optimiser>, Box::new(Adam::new(0.1))] {
///     let mut w = Tensor::from(3.0);
///     for _ in 0..200 {
///         let (_, gradient) = value_and_grad(|w: &Tensor| (w - 1.0).square())(&w);
///         optimiser.update(&mut w, &gradient)?;
///     }
///     assert!((w.item::<f64>() - 1.0).abs() < 1e-2, "{}", optimiser.name());
/// }
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub trait Optimiser {
    /// The optimiser's name, such as `adam`.
    fn name(&self) -> &'static str;

    /// The step size.
    fn learning_rate(&self) -> f64;

    /// Changes the step size; groups with a factor follow, groups with a rate of their own do not.
    fn set_learning_rate(&mut self, rate: f64);

    /// Changes the share of the last step (of the first moment) that is kept, as a one-cycle schedule does. `false` if the
    /// optimiser has none.
    fn set_momentum(&mut self, momentum: f64) -> bool;

    /// Treats the parameters that match the group's pattern as the group says, from the next step on. `false` if the optimiser
    /// treats all parameters alike.
    fn add_group(&mut self, _group: Group) -> bool {
        false
    }

    /// The optimiser that evaluates the loss itself, if this is it: a training loop calls its [`step`](Lbfgs::step) with the
    /// loss instead of this trait's.
    fn as_lbfgs(&mut self) -> Option<&mut Lbfgs> {
        None
    }

    /// How many steps have been made.
    fn steps(&self) -> u64;

    /// One step for parameters given with their paths: for each its new value, or `None` where it stays (integers, frozen
    /// parameters). [`update`](Update::update) is the convenient form.
    ///
    /// # Errors
    /// When a parameter that is not frozen got no gradient. Nothing was changed then.
    fn step(
        &mut self,
        parameters: &[(String, &Tensor)],
        gradients: &[Tensor],
    ) -> Result<Vec<Option<Tensor>>, MissingGradients>;

    /// Everything that is carried from step to step, by name: `hidden.weight.steps`, `hidden.weight.first`, ... and
    /// `learning_rate`. It is a tree: [`save`](crate::save) writes it, [`load_tensors`](crate::load_tensors) reads it.
    fn state(&self) -> BTreeMap<String, Tensor>;

    /// Takes over a state for parameters given with their paths. [`restore`](Update::restore) is the convenient form.
    ///
    /// # Errors
    /// When the state is not that of this optimiser with these parameters: all differences are listed together.
    fn restore_named(
        &mut self,
        parameters: &[(String, &Tensor)],
        state: &BTreeMap<String, Tensor>,
    ) -> Result<(), StateError>;
}

/// The steps of an [`Optimiser`], a known one or a `dyn` one, on whole models: trees of parameters.
pub trait Update: Optimiser {
    /// One step, with the gradients as a tree of the model's structure.
    ///
    /// # Errors
    /// When a parameter that is not frozen got no gradient. Nothing was changed then.
    ///
    /// # Panics
    /// When the gradients' shapes are not the model's, or the optimiser has been used with another model.
    #[track_caller]
    fn update<T: Tree>(&mut self, model: &mut T, gradients: &T) -> Result<(), MissingGradients> {
        update(self, model, gradients)
    }

    /// One step, with the gradients of a backward pass.
    ///
    /// # Errors
    /// When a parameter that is not frozen got no gradient. Nothing was changed then.
    ///
    /// # Panics
    /// When the optimiser has been used with another model.
    #[track_caller]
    fn update_from<T: Tree>(
        &mut self,
        model: &mut T,
        gradients: &Gradients,
    ) -> Result<(), MissingGradients> {
        update_from(self, model, gradients)
    }

    /// Continues from a state that [`state`](Optimiser::state) gave: the next steps are, bit for bit, those that would have
    /// followed. The optimiser must have been made with the same settings.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// use chainrule_nn::{Adam, Optimiser, Update};
    /// let (mut w, gradient) = (Tensor::from(3.0), Tensor::from(1.0));
    /// let mut adam = Adam::new(0.1);
    /// adam.update(&mut w, &gradient)?;
    /// let mut again = Adam::new(0.1);
    /// again.restore(&w, &adam.state())?;
    /// let mut v = w.clone();
    /// adam.update(&mut w, &gradient)?;
    /// again.update(&mut v, &gradient)?;
    /// assert_eq!(w.item::<f64>(), v.item::<f64>());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the state is not that of this optimiser with this model: all differences are listed together.
    fn restore<T: Tree>(
        &mut self,
        model: &T,
        state: &BTreeMap<String, Tensor>,
    ) -> Result<(), StateError> {
        self.restore_named(&named_leaves(model), state)
    }
}

impl<O: Optimiser + ?Sized> Update for O {}

#[track_caller]
pub(crate) fn update<O: Optimiser + ?Sized, T: Tree>(
    optimiser: &mut O,
    model: &mut T,
    gradients: &T,
) -> Result<(), MissingGradients> {
    check_structure(&leaves(model), &leaves(gradients));
    let gradients: Vec<Tensor> = leaves(gradients).into_iter().cloned().collect();
    let values = optimiser.step(&named_leaves(model), &gradients)?;
    replace(model, values);
    Ok(())
}

#[track_caller]
pub(crate) fn update_from<O: Optimiser + ?Sized, T: Tree>(
    optimiser: &mut O,
    model: &mut T,
    gradients: &Gradients,
) -> Result<(), MissingGradients> {
    let parameters = named_leaves(model);
    let gradients: Vec<Tensor> = parameters
        .iter()
        .map(|(_, leaf)| gradients.of(leaf))
        .collect();
    let values = optimiser.step(&parameters, &gradients)?;
    replace(model, values);
    Ok(())
}

impl<O: Optimiser + ?Sized> Optimiser for Box<O> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn learning_rate(&self) -> f64 {
        (**self).learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        (**self).set_learning_rate(rate);
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        (**self).set_momentum(momentum)
    }

    fn as_lbfgs(&mut self) -> Option<&mut Lbfgs> {
        (**self).as_lbfgs()
    }

    fn add_group(&mut self, group: Group) -> bool {
        (**self).add_group(group)
    }

    fn steps(&self) -> u64 {
        (**self).steps()
    }

    #[track_caller]
    fn step(
        &mut self,
        parameters: &[(String, &Tensor)],
        gradients: &[Tensor],
    ) -> Result<Vec<Option<Tensor>>, MissingGradients> {
        (**self).step(parameters, gradients)
    }

    fn state(&self) -> BTreeMap<String, Tensor> {
        (**self).state()
    }

    fn restore_named(
        &mut self,
        parameters: &[(String, &Tensor)],
        state: &BTreeMap<String, Tensor>,
    ) -> Result<(), StateError> {
        (**self).restore_named(parameters, state)
    }
}
