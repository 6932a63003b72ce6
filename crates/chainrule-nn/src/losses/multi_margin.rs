//! One class above all others by a margin.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// `Σ max(0, margin - x[label] + x[j])ᵖ / classes` over the other classes j (Crammer, Singer 2001), PyTorch's
/// `MultiMarginLoss`: scores `[batch, classes]` or `[classes]`, labels integers `[batch]` or a single one.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::MultiMargin;
/// assert_eq!(MultiMargin::new().forward(&tensor![[0.0, 2.0]], &tensor![0]).item::<f32>(), 1.5);
/// ```
#[derive(Clone, Debug)]
pub struct MultiMargin {
    power: f64,
    margin: f64,
    weights: Option<Tensor>,
    reduction: Reduction,
}

impl Default for MultiMargin {
    fn default() -> MultiMargin {
        MultiMargin {
            power: 1.0,
            margin: 1.0,
            weights: None,
            reduction: Reduction::Mean,
        }
    }
}

impl MultiMargin {
    /// The mean over all examples, with margin 1 and power 1.
    pub fn new() -> MultiMargin {
        MultiMargin::default()
    }

    /// The power p that what is missing is raised to.
    pub fn power(mut self, power: f64) -> MultiMargin {
        self.power = power;
        self
    }

    /// By how much the label's score should be above the others.
    pub fn margin(mut self, margin: f64) -> MultiMargin {
        self.margin = margin;
        self
    }

    /// A weight for each class, `[classes]`: it multiplies the losses of its examples, the mean stays over their number.
    pub fn weights(mut self, weights: &Tensor) -> MultiMargin {
        self.weights = Some(weights.clone());
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor `[batch]`.
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("multi_margin", || {
            let weights = self.weights.as_ref();
            input.multi_margin_loss(target, self.power, self.margin, weights, self.reduction)
        })
    }
}

impl DeclaredLoss for MultiMargin {
    const NAME: &'static str = "multi_margin";
    const TARGET: LossTarget = LossTarget::Labels;
    const PREDICTION: LossPrediction = LossPrediction::Scores;

    fn declared(arguments: &mut Arguments) -> Result<MultiMargin, ArgumentError> {
        let mut loss = MultiMargin::new()
            .power(declared::positive(arguments, "power", 1.0)?)
            .margin(arguments.optional("margin", 1.0)?)
            .reduction(declared::reduction(arguments)?);
        if let Some(weights) = declared::row(arguments, "weights")? {
            loss = loss.weights(&weights);
        }
        Ok(loss)
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
