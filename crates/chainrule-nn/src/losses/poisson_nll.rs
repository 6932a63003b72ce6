//! Counts.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// Minus the log-likelihood of counts under Poisson distributions, PyTorch's `PoissonNLLLoss`: exp(x) - t x for logarithms
/// of rates, x - t log(x + epsilon) for [`rates`](PoissonNll::rates).
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::PoissonNll;
/// assert_eq!(PoissonNll::new().forward(&tensor![0.0], &tensor![3.0]).item::<f32>(), 1.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PoissonNll {
    log_input: bool,
    full: bool,
    epsilon: f64,
    reduction: Reduction,
}

impl Default for PoissonNll {
    fn default() -> PoissonNll {
        PoissonNll {
            log_input: true,
            full: false,
            epsilon: 1e-8,
            reduction: Reduction::Mean,
        }
    }
}

impl PoissonNll {
    /// The mean over all elements, for logarithms of rates.
    pub fn new() -> PoissonNll {
        PoissonNll::default()
    }

    /// The input holds the rates themselves.
    pub fn rates(mut self) -> PoissonNll {
        self.log_input = false;
        self
    }

    /// Adds Stirling's approximation of log t!, t log t - t + log(2π t) / 2 where t > 1.
    pub fn full(mut self) -> PoissonNll {
        self.full = true;
        self
    }

    /// What keeps log(x + epsilon) finite where a rate is 0: 1e-8 by default.
    pub fn epsilon(mut self, epsilon: f64) -> PoissonNll {
        self.epsilon = epsilon;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("poisson_nll", || {
            input.poisson_nll_loss(
                target,
                self.log_input,
                self.full,
                self.epsilon,
                self.reduction,
            )
        })
    }
}

impl DeclaredLoss for PoissonNll {
    const NAME: &'static str = "poisson_nll";
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::Values;

    fn declared(arguments: &mut Arguments) -> Result<PoissonNll, ArgumentError> {
        let mut loss = PoissonNll::new()
            .epsilon(declared::positive(arguments, "epsilon", 1e-8)?)
            .reduction(declared::reduction(arguments)?);
        if arguments.optional("rates", false)? {
            loss = loss.rates();
        }
        Ok(match arguments.optional("full", false)? {
            true => loss.full(),
            false => loss,
        })
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
