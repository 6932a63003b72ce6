//! Adafactor.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::{DType, Tensor, keep};
use chainrule_derive::Tree;

/// Adam's second moment in the memory of a row and a column (Shazeer, Stern 2018), as PyTorch computes it.
///
/// With `1 - β = t^τ`, `ρ = min(lr, 1/√t)` and `α = max(ε₂, RMS(w)) ρ`: for matrices, `R ← β R + (1 - β) mean(g², columns)`,
/// `C ← β C + (1 - β) mean(g², rows)` and `V = R C / max(mean(R), ε₁)`; else `V ← β V + (1 - β) g²`. Then `u = g / max(√V, ε₁)`
/// and `w ← w - α u / max(1, RMS(u) / d)`. Weight decay is decoupled.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::Adafactor;
/// let mut w = tensor![[1.0, 1.0], [1.0, 1.0]];
/// Adafactor::new(0.01).update(&mut w, &tensor![[3.0, 3.0], [3.0, 3.0]])?;
/// assert!((w.to_vec::<f64>()[0] - 0.99).abs() < 1e-6);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Adafactor = Descent<AdafactorRule>;

/// The rule of [`Adafactor`].
#[derive(Clone, Debug)]
pub struct AdafactorRule {
    decay: f64,
    epsilons: (Option<f64>, f64),
    threshold: f64,
}

/// The state of [`AdafactorRule`]: rows and columns for matrices and stacks of them, else the whole variance.
#[derive(Clone, Debug, Tree)]
pub struct AdafactorState {
    rows: Option<Tensor>,
    columns: Option<Tensor>,
    variance: Option<Tensor>,
}

impl Adafactor {
    /// τ = -0.8, ε₁ the spacing of the dtype at one, ε₂ = 1e-3, d = 1. The learning rate, 0.01 in the paper, bounds ρ.
    pub fn new(learning_rate: f64) -> Adafactor {
        let rule = AdafactorRule {
            decay: -0.8,
            epsilons: (None, 1e-3),
            threshold: 1.0,
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// τ: the power by which the share of the newest gradient falls.
    pub fn second_moment_decay(mut self, power: f64) -> Adafactor {
        self.rule.decay = power;
        self
    }

    /// ε₁, which bounds what gradients are divided by (`None`: the spacing of the dtype at one), and ε₂, the smallest size
    /// that weights are taken to have.
    pub fn epsilons(mut self, first: Option<f64>, second: f64) -> Adafactor {
        self.rule.epsilons = (first, second);
        self
    }

    /// d: the root mean square above which an update is scaled down.
    pub fn clipping_threshold(mut self, threshold: f64) -> Adafactor {
        self.rule.threshold = threshold;
        self
    }
}

/// The distance from one to the next number.
fn spacing_at_one(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        DType::F16 => 2_f64.powi(-10),
        DType::BF16 => 2_f64.powi(-7),
        _ => f64::from(f32::EPSILON),
    }
}

fn root_mean_square(tensor: &Tensor) -> Tensor {
    tensor.square().mean(..).sqrt()
}

impl Rule for AdafactorRule {
    type State = AdafactorState;

    fn name(&self) -> &'static str {
        "adafactor"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> AdafactorState {
        let factored = weight.rank() > 1;
        let averaged_over = |axis: isize| weight.zeros_like().mean(keep(axis));
        AdafactorState {
            rows: factored.then(|| averaged_over(-1)),
            columns: factored.then(|| averaged_over(-2)),
            variance: (!factored).then(|| weight.zeros_like()),
        }
    }

    fn update(&self, step: &Step, state: &mut AdafactorState) -> Tensor {
        let (first, second) = self.epsilons;
        let first = first.unwrap_or_else(|| spacing_at_one(step.weight.dtype()));
        let number = step.number as f64;
        let new = number.powf(self.decay);
        let mixed = |old: &Tensor, square: Tensor| old + (square - old) * new;
        let squares = step.gradient.square();
        let variance = match state {
            AdafactorState {
                rows: Some(rows),
                columns: Some(columns),
                ..
            } => {
                *rows = mixed(rows, squares.mean(keep(-1)));
                *columns = mixed(columns, squares.mean(keep(-2)));
                rows.matmul(&*columns) / rows.mean(keep(-2)).clamp_min(first)
            }
            AdafactorState { variance, .. } => {
                let old = variance.get_or_insert_with(|| step.weight.zeros_like());
                *old = mixed(old, squares);
                old.clone()
            }
        };
        let update = step.gradient / variance.clamp_min(first * first).sqrt();
        let damping = (root_mean_square(&update) / self.threshold).clamp_min(1.0);
        let rate = step.learning_rate.min(1.0 / number.sqrt());
        let size = root_mean_square(step.undecayed).clamp_min(second) * rate;
        step.weight - update * (size / damping)
    }

    fn decays_weights(&self) -> bool {
        true
    }
}

impl ConfiguredOptimiser for Adafactor {
    const NAME: &'static str = "adafactor";

    fn configured(arguments: &mut Arguments) -> Result<Adafactor, ArgumentError> {
        Adafactor::new(learning_rate(arguments)?)
            .second_moment_decay(arguments.optional("second_moment_decay", -0.8)?)
            .clipping_threshold(arguments.optional("clipping_threshold", 1.0)?)
            .with_common(arguments)
    }
}
