//! Stochastic gradient descent.

use super::MissingGradients;
use super::gradients::{check_state, from_backward, from_tree, replace};
use chainrule_core::graph::module_scope;
use chainrule_core::tree::Tree;
use chainrule_core::{Gradients, Tensor, untracked};

/// `v ← momentum v + g`, `w ← w - learning_rate v` (Robbins, Monro 1951; Polyak 1964); without momentum `v = g`.
///
/// ```
/// use chainrule_core::{value_and_grad, Tensor};
/// use chainrule_nn::Sgd;
/// let mut w = Tensor::from(3.0);
/// let mut sgd = Sgd::new(0.1);
/// for _ in 0..50 {
///     let (_, gradient) = value_and_grad(|w: &Tensor| (w - 1.0).square())(&w);
///     sgd.update(&mut w, &gradient)?;
/// }
/// assert!((w.item::<f64>() - 1.0).abs() < 1e-4);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sgd {
    /// The step size; may be changed between updates.
    pub learning_rate: f64,
    momentum: f64,
    velocities: Vec<Tensor>,
}

impl Sgd {
    /// Descent without momentum.
    pub fn new(learning_rate: f64) -> Sgd {
        Sgd {
            learning_rate,
            momentum: 0.0,
            velocities: Vec::new(),
        }
    }

    /// The share of the last step that is kept.
    pub fn momentum(mut self, momentum: f64) -> Sgd {
        self.momentum = momentum;
        self
    }

    /// One step, with the gradients as a tree of the model's structure.
    ///
    /// # Errors
    /// When a parameter got no gradient.
    #[track_caller]
    pub fn update<T: Tree>(
        &mut self,
        model: &mut T,
        gradients: &T,
    ) -> Result<(), MissingGradients> {
        let gradients = from_tree(model, gradients)?;
        module_scope("sgd", || self.step(model, gradients));
        Ok(())
    }

    /// One step, with the gradients of a backward pass.
    ///
    /// # Errors
    /// When a parameter got no gradient.
    #[track_caller]
    pub fn update_from<T: Tree>(
        &mut self,
        model: &mut T,
        gradients: &Gradients,
    ) -> Result<(), MissingGradients> {
        let gradients = from_backward(model, gradients)?;
        module_scope("sgd", || self.step(model, gradients));
        Ok(())
    }

    #[track_caller]
    fn step<T: Tree>(&mut self, model: &mut T, gradients: Vec<Tensor>) {
        check_state("sgd", self.velocities.len(), gradients.len());
        let steps = untracked(|| self.steps(gradients));
        replace(model, |number, leaf| {
            leaf - &steps[number] * self.learning_rate
        });
    }

    fn steps(&mut self, gradients: Vec<Tensor>) -> Vec<Tensor> {
        if self.momentum == 0.0 {
            return gradients;
        }
        if self.velocities.is_empty() {
            self.velocities = gradients;
        } else {
            let moved = self.velocities.iter().zip(&gradients);
            self.velocities = moved
                .map(|(velocity, gradient)| velocity * self.momentum + gradient)
                .collect();
        }
        // Tracked gradients must not pull the history of this step into the next one.
        self.velocities = self.velocities.iter().map(Tensor::stop_history).collect();
        self.velocities.clone()
    }
}
