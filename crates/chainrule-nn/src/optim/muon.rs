//! Muon.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::{DType, Tensor};
use chainrule_derive::Tree;

/// Momentum made orthogonal (Jordan 2024), for the matrices of hidden layers: `b ← μ b + (1 - μ) g`, with Nesterov's momentum
/// `u = μ b + (1 - μ) g`, else `u = b`, and `w ← w - lr √max(1, rows / columns) NS(u)`. Weight decay, 0.1 unless said
/// otherwise, is decoupled.
///
/// `NS` brings the singular values near one by five Newton-Schulz steps in bf16, as PyTorch's does: from `X = u / |u|`,
/// `A = X Xᵀ`, `X ← a X + (b A + c A²) X`.
///
/// Parameters that are not matrices belong to another optimiser: [freeze](super::Group::frozen) them in this one, and the
/// matrices in that one.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::Muon;
/// let mut w = tensor![[0.0, 0.0], [0.0, 0.0]];
/// Muon::new(0.1).update(&mut w, &tensor![[50.0, 0.0], [0.0, 40.0]])?;
/// let w = w.to_vec::<f64>();
/// assert!((-0.13..-0.06).contains(&w[0]) && w[1].abs() < 1e-3 && (-0.13..-0.06).contains(&w[3]));
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Muon = Descent<MuonRule>;

/// The rule of [`Muon`].
#[derive(Clone, Debug)]
pub struct MuonRule {
    momentum: f64,
    nesterov: bool,
    coefficients: [f64; 3],
    epsilon: f64,
    iterations: usize,
    match_adam: bool,
}

/// The state of [`MuonRule`].
#[derive(Clone, Debug, Tree)]
pub struct MuonState {
    momentum: Tensor,
}

impl Muon {
    /// μ = 0.95 with Nesterov's momentum, decay 0.1, five steps of (3.4445, -4.775, 2.0315), ε = 1e-7.
    pub fn new(learning_rate: f64) -> Muon {
        let rule = MuonRule {
            momentum: 0.95,
            nesterov: true,
            coefficients: [3.4445, -4.7750, 2.0315],
            epsilon: 1e-7,
            iterations: 5,
            match_adam: false,
        };
        Descent::with_rule(rule, learning_rate).weight_decay(0.1)
    }

    /// μ: the share of the running average that is kept.
    pub fn momentum(mut self, momentum: f64) -> Muon {
        self.rule.momentum = momentum;
        self
    }

    /// Whether to look ahead along the momentum.
    pub fn nesterov(mut self, nesterov: bool) -> Muon {
        self.rule.nesterov = nesterov;
        self
    }

    /// a, b and c of the iteration.
    pub fn coefficients(mut self, coefficients: [f64; 3]) -> Muon {
        self.rule.coefficients = coefficients;
        self
    }

    /// The smallest norm that `u` is divided by.
    pub fn epsilon(mut self, epsilon: f64) -> Muon {
        self.rule.epsilon = epsilon;
        self
    }

    /// The number of Newton-Schulz steps.
    pub fn iterations(mut self, iterations: usize) -> Muon {
        self.rule.iterations = iterations;
        self
    }

    /// Scales by `0.2 √max(rows, columns)` instead, so that Adam's learning rate and decay fit (Liu et al. 2025).
    pub fn match_adam(mut self) -> Muon {
        self.rule.match_adam = true;
        self
    }
}

impl MuonRule {
    /// About `U Vᵀ` for `x = U S Vᵀ`.
    fn orthogonal(&self, x: &Tensor) -> Tensor {
        let [a, b, c] = self.coefficients;
        let is_tall = x.shape()[0] > x.shape()[1];
        let mut y = x.cast(DType::F32).cast(DType::BF16);
        if is_tall {
            y = y.t();
        }
        // Sums and products in f32, each result rounded to bf16.
        let norm = wide(&y).norm(2.0, ..).cast(DType::BF16);
        y = (wide(&y) / wide(&norm.clamp_min(self.epsilon))).cast(DType::BF16);
        for _ in 0..self.iterations {
            let gram = wide(&y).matmul(wide(&y.t())).cast(DType::BF16);
            let polynomial = combined(&gram, b, &gram, &gram, c);
            y = combined(&y, a, &polynomial, &y, 1.0);
        }
        if is_tall { y.t() } else { y }
    }
}

/// `β x + α left right`, rounded to bf16 once. As in PyTorch's kernels the product is a number in f32, to which `β x` is
/// added without rounding before: a bf16 that lies half-way between two depends on it.
fn combined(x: &Tensor, beta: f64, left: &Tensor, right: &Tensor, alpha: f64) -> Tensor {
    let product = wide(left).matmul(wide(right)) * alpha;
    let sum = x.cast(DType::F64) * f64::from(beta as f32) + product.cast(DType::F64);
    wide(&sum).cast(DType::BF16)
}

fn wide(tensor: &Tensor) -> Tensor {
    tensor.cast(DType::F32)
}

impl Rule for MuonRule {
    type State = MuonState;

    fn name(&self) -> &'static str {
        "muon"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> MuonState {
        MuonState {
            momentum: weight.zeros_like(),
        }
    }

    fn update(&self, step: &Step, state: &mut MuonState) -> Tensor {
        let (kept, new) = (self.momentum, 1.0 - self.momentum);
        state.momentum = &state.momentum * kept + step.gradient * new;
        let direction = match self.nesterov {
            true => &state.momentum * kept + step.gradient * new,
            false => state.momentum.clone(),
        };
        let shape = step.weight.shape();
        let (rows, columns) = (shape[0] as f64, shape[1] as f64);
        let scale = match self.match_adam {
            true => 0.2 * rows.max(columns).sqrt(),
            false => (rows / columns).max(1.0).sqrt(),
        };
        let update = self.orthogonal(&direction).cast(step.weight.dtype());
        step.weight - update * (step.learning_rate * scale)
    }

    fn decays_weights(&self) -> bool {
        true
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.momentum = momentum;
        true
    }

    fn refusal(&self, weight: &Tensor) -> Option<String> {
        (weight.rank() != 2).then(|| {
            format!(
                "the rule is for matrices, the parameter has shape {}\n    help: give it to another optimiser and leave it out \
                 of this one: `.group(Group::matching(\"name\").frozen())`",
                weight.shape()
            )
        })
    }
}

impl ConfiguredOptimiser for Muon {
    const NAME: &'static str = "muon";

    fn configured(arguments: &mut Arguments) -> Result<Muon, ArgumentError> {
        let mut muon = Muon::new(learning_rate(arguments)?)
            .momentum(arguments.optional("momentum", 0.95)?)
            .nesterov(arguments.optional("nesterov", true)?)
            .iterations(arguments.optional("iterations", 5)?);
        if arguments.optional("match_adam", false)? {
            muon = muon.match_adam();
        }
        muon.with_common(arguments)
    }
}
