//! Adam.

use super::MissingGradients;
use super::gradients::{check_state, from_backward, from_tree, replace};
use chainrule_core::graph::module_scope;
use chainrule_core::tree::Tree;
use chainrule_core::{Gradients, Tensor, untracked};

/// Adaptive moment estimation (Kingma, Ba 2015):
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `w ← w - lr m̂ / (√v̂ + ε)`, with
/// `m̂ = m / (1 - β₁ᵗ)` and `v̂ = v / (1 - β₂ᵗ)`.
///
/// ```
/// use chainrule_core::{value_and_grad, Tensor};
/// use chainrule_nn::Adam;
/// let mut w = Tensor::from(3.0);
/// let mut adam = Adam::new(0.1);
/// for _ in 0..300 {
///     let (_, gradient) = value_and_grad(|w: &Tensor| (w - 1.0).square())(&w);
///     adam.update(&mut w, &gradient)?;
/// }
/// assert!((w.item::<f64>() - 1.0).abs() < 1e-3);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
#[derive(Clone, Debug)]
pub struct Adam {
    /// The step size; may be changed between updates.
    pub learning_rate: f64,
    betas: [f64; 2],
    epsilon: f64,
    steps: i32,
    moments: Vec<[Tensor; 2]>,
}

impl Adam {
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn new(learning_rate: f64) -> Adam {
        Adam {
            learning_rate,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            steps: 0,
            moments: Vec::new(),
        }
    }

    /// The shares of the two moments that are kept at each step.
    pub fn betas(mut self, first: f64, second: f64) -> Adam {
        self.betas = [first, second];
        self
    }

    /// What is added to the root of the second moment.
    pub fn epsilon(mut self, epsilon: f64) -> Adam {
        self.epsilon = epsilon;
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
        module_scope("adam", || self.step(model, gradients));
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
        module_scope("adam", || self.step(model, gradients));
        Ok(())
    }

    #[track_caller]
    fn step<T: Tree>(&mut self, model: &mut T, gradients: Vec<Tensor>) {
        check_state("adam", self.moments.len(), gradients.len());
        self.steps += 1;
        let [first, second] = self.betas;
        self.moments = untracked(|| {
            if self.moments.is_empty() {
                self.moments = gradients
                    .iter()
                    .map(|gradient| [gradient.zeros_like(), gradient.zeros_like()])
                    .collect();
            }
            let moved = self
                .moments
                .iter()
                .zip(&gradients)
                .map(|([m, v], gradient)| {
                    let m = m * first + gradient * (1.0 - first);
                    let v = v * second + gradient.square() * (1.0 - second);
                    [m, v]
                });
            moved.collect()
        });
        // The corrections of both moments, moved out of the elementwise formula.
        let rate = self.learning_rate / (1.0 - first.powi(self.steps));
        let root = 1.0 / (1.0 - second.powi(self.steps)).sqrt();
        replace(model, |number, leaf| {
            let [m, v] = &self.moments[number];
            leaf - m * rate / (v.sqrt() * root + self.epsilon)
        });
    }
}
