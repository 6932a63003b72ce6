//! Gradients of several batches as those of one.

use chainrule_core::tree::{Tree, leaves, rebuilt};
use chainrule_core::{Tensor, evaluate, untracked};

/// Adds up the gradients of several small batches, for a step as with one large batch that would not fit in memory.
///
/// ```
/// use chainrule_core::{tensor, value_and_grad, Tensor};
/// use chainrule_nn::{Accumulation, Sgd};
/// let mut w = Tensor::from(0.0);
/// let mut sum = Accumulation::new();
/// for x in [1.0, 3.0] {
///     let (_, gradient) = value_and_grad(|w: &Tensor| w * x)(&w);
///     sum.add(&gradient);
/// }
/// let mean = sum.take_mean().unwrap();
/// Sgd::new(1.0).update(&mut w, &mean)?;
/// assert_eq!(w.item::<f64>(), -2.0);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
#[derive(Clone, Debug)]
pub struct Accumulation<T> {
    sum: Option<T>,
    count: u64,
}

impl<T: Tree> Default for Accumulation<T> {
    fn default() -> Self {
        Accumulation::new()
    }
}

impl<T: Tree> Accumulation<T> {
    /// Nothing yet.
    pub fn new() -> Accumulation<T> {
        Accumulation {
            sum: None,
            count: 0,
        }
    }

    /// Adds the gradients of one batch. They are computed now: what they were computed from is then free.
    #[track_caller]
    pub fn add(&mut self, gradients: &T) {
        let terms = leaves(gradients);
        let sums: Vec<Tensor> = match &self.sum {
            None => terms.iter().map(|term| kept(term)).collect(),
            Some(sum) => leaves(sum)
                .into_iter()
                .zip(&terms)
                .map(|(sum, term)| match (sum.is_absent(), term.is_absent()) {
                    (_, true) => sum.clone(),
                    (true, false) => kept(term),
                    (false, false) => untracked(|| sum + *term),
                })
                .collect(),
        };
        evaluate(
            &sums
                .iter()
                .filter(|sum| !sum.is_absent())
                .collect::<Vec<_>>(),
        );
        self.sum = Some(rebuilt(gradients, &sums));
        self.count += 1;
    }

    /// How many batches have been added since the last time the sum was taken.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum, and begins anew; `None` if nothing was added.
    pub fn take_sum(&mut self) -> Option<T> {
        self.count = 0;
        self.sum.take()
    }

    /// The mean over the batches, and begins anew; `None` if nothing was added.
    pub fn take_mean(&mut self) -> Option<T> {
        let share = 1.0 / self.count as f64;
        let sum = self.take_sum()?;
        Some(crate::clip::changed(&sum, |leaf| leaf * share))
    }
}

/// A gradient without its history; one that is absent stays so.
fn kept(gradient: &Tensor) -> Tensor {
    match gradient.is_absent() {
        true => gradient.clone(),
        false => gradient.stop_history(),
    }
}
