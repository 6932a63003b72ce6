//! Sequences without an alignment.

use super::ctc_targets::{Sequences, fit};
use chainrule_core::graph::module_scope;
use chainrule_core::{DType, Padding, Reduction, Tensor};

/// Connectionist temporal classification (Graves and others 2006), PyTorch's `CTCLoss`: minus the logarithm of the
/// probability that a sequence of frames reads as the target, summed over all ways of writing it with repetitions and blanks.
///
/// Frames are log-probabilities `[T, N, classes]` (or `[T, classes]` for one sequence), targets integers `[N, S]`, each row
/// padded beyond its length, or all rows after one another in one axis. The mean divides each loss by its target's length
/// first.
///
/// The gradient is that by the logits whose log-softmax the frames are, exp(x) less the posterior of each class, as in
/// PyTorch; through `log_softmax` it arrives unchanged.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_nn::losses::Ctc;
/// // Two frames, a blank and a letter, all equally likely: 3 of 4 paths read as the letter.
/// let frames = Tensor::zeros([2, 1, 2]).log_softmax(-1);
/// let loss = Ctc::new().forward(&frames, &tensor![[1]], &[2], &[1]);
/// assert!((loss.item::<f32>() + 0.75f32.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Ctc {
    blank: usize,
    zero_infinity: bool,
    reduction: Reduction,
}

/// The logarithm of nothing: finite, so that no derivative is NaN, and far below what frames can add up to.
const NOTHING: f64 = -1e30;

impl Ctc {
    /// The mean, with class 0 as the blank.
    pub fn new() -> Ctc {
        Ctc::default()
    }

    /// The class that stands for no letter.
    pub fn blank(mut self, class: usize) -> Ctc {
        self.blank = class;
        self
    }

    /// Targets too long for their frames cost 0 and not infinity.
    pub fn zero_infinity(mut self) -> Ctc {
        self.zero_infinity = true;
        self
    }

    reduction_option!();

    /// The loss of frames against targets, where each sequence has `frame_lengths[n]` frames and `target_lengths[n]` labels:
    /// a number, or without reduction a tensor `[N]` (a number for a single sequence). A loss that is infinite has
    /// gradient 0.
    ///
    /// # Panics
    /// When the shapes or lengths do not fit, or a label is not a class: the message names the label and its place.
    #[track_caller]
    pub fn forward(
        &self,
        frames: &Tensor,
        targets: &Tensor,
        frame_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Tensor {
        let sequences = fit(frames, targets, frame_lengths, target_lengths, self.blank);
        module_scope("ctc", || {
            // Sums of logarithms need more than the 16-bit types have.
            let wide = match frames.dtype() {
                DType::F64 => frames.clone(),
                _ => frames.cast(DType::F32),
            };
            let batched = match frames.rank() {
                2 => wide.unsqueeze(1),
                _ => wide,
            };
            let losses = self.losses(&batched, &sequences);
            let losses = match self.reduction {
                Reduction::Mean => &losses / sequences.divisors(losses.dtype()),
                _ => losses,
            };
            let loss = match (self.reduction, frames.rank()) {
                (Reduction::None, 2) => losses.squeeze(0),
                (reduction, _) => reduction.of(&losses),
            };
            loss.cast(frames.dtype())
        })
    }

    /// The loss of each sequence, `[N]`.
    fn losses(&self, frames: &Tensor, sequences: &Sequences) -> Tensor {
        let likelihood = log_likelihood(frames, sequences);
        let feasible = likelihood.gt(NOTHING / 2.0);
        let infinite = if self.zero_infinity {
            0.0
        } else {
            f64::INFINITY
        };
        let slope = likelihood_of_logits(frames, sequences, &feasible);
        feasible.where_(slope - likelihood, infinite)
    }
}

/// The forward variables of all sequences at once: one row of `[N, 2 S + 1]` states a frame.
fn log_likelihood(frames: &Tensor, sequences: &Sequences) -> Tensor {
    let (length, dtype) = (frames.shape()[0], frames.dtype());
    let (batch, states) = (sequences.batch(), sequences.states());
    let nothing = Tensor::full([batch, states], NOTHING).cast(dtype);
    let labels = sequences.labels();
    let emitted = frames.gather(-1, &labels.unsqueeze(0).expand([length, batch, states]));
    let skips = sequences.skips();
    // Before the first frame only the state before the first blank is possible.
    let mut before = sequences.start().where_(nothing.zeros_like(), &nothing);
    for frame in 0..length {
        let padded = before.pad(&[(2, 0)], Padding::Constant(NOTHING));
        let (stay, step) = (padded.narrow(1, 2, states), padded.narrow(1, 1, states));
        let skip = skips.where_(padded.narrow(1, 0, states), &nothing);
        let reached = if frame == 0 {
            sequences.first().where_(nothing.zeros_like(), &nothing)
        } else {
            sum_of_logs(&[stay, step, skip])
        };
        let after = reached + emitted.narrow(0, frame, 1).squeeze(0);
        before = sequences.running(frame).where_(after, &before);
    }
    sequences.last().where_(&before, &nothing).logsumexp(-1)
}

/// log Σ exp, elementwise over tensors.
fn sum_of_logs(terms: &[Tensor; 3]) -> Tensor {
    let [a, b, c] = terms;
    let most = a.maximum(b).maximum(c).stop_gradient();
    ((a - &most).exp() + (b - &most).exp() + (c - &most).exp()).log() + most
}

/// Zero, with the derivative Σ exp(x) of the frames that count: what log-softmax would add.
fn likelihood_of_logits(frames: &Tensor, sequences: &Sequences, feasible: &Tensor) -> Tensor {
    let length = frames.shape()[0];
    let counted = sequences.counted(length) & feasible.unsqueeze(0);
    let mass = counted.where_(frames.exp().sum(-1), 0.0).sum(0);
    &mass - mass.stop_gradient()
}
