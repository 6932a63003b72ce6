//! From where on something counts as ill, and why from there.

use serde::{Deserialize, Serialize};

/// The limits of [`GradientFlow`](super::GradientFlow). They are wide on purpose: what is found is almost surely wrong,
/// and a network that learns well is not disturbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Ratio of the gradient norms of the first and the last layer's weights below which gradients vanish: 10⁻³. Plain
    /// descent then moves the first layer a thousand times more slowly, so within usual training times not at all. A
    /// sigmoid multiplies the gradient by at most 1/4 (Hochreiter 1991; Bengio et al. 1994), five of them by 10⁻³;
    /// networks initialised to keep the variance (Glorot, Bengio 2010; He et al. 2015) stay within 10^±1.5 at any depth.
    pub vanishing: f64,
    /// The same ratio above which gradients explode: 10³.
    pub exploding: f64,
    /// Ratio of a weight's gradient norm to its own norm above which its gradient explodes: 10³. Losses that are means
    /// give ratios between 10⁻³ and 10; recurrent networks with a spectral radius above one give powers of it
    /// (Pascanu, Mikolov, Bengio 2013), from which clipping at 1 to 10 is the usual protection.
    pub gradient_to_weight: f64,
    /// Growth of the whole gradient's norm over the run from which it explodes over time: 100. Within a run that learns
    /// it moves by factors of about ten, and down more than up.
    pub growth: f64,
    /// Share of a ReLU layer's units that are zero over all examples of a window from which it counts as dying: 65 %. A
    /// few tenths are usual in healthy networks (and 40 % in those with a rate that is too high, says Stanford's CS231n).
    /// About a half is usual deep in plain networks, where the inputs of all examples have become alike, so that every
    /// unit is on or off by chance; they learn all the same.
    pub dead_share: f64,
    /// Share of a sigmoid or tanh layer's outputs in the flat parts from which it counts as saturated: three quarters.
    /// For standard normal inputs about a seventh of tanh's outputs lie there and 0.3 % of the sigmoid's. The last
    /// activation of a network is not looked at: a classifier that is sure of its answers saturates it rightly.
    pub saturated_share: f64,
    /// Ratio of update norm to weight norm above which updates are too large: 0.3. Healthy is about 10⁻³ (CS231n); Adam
    /// starts with a step of its learning rate in every number, which in a wide layer with small weights is up to 0.1.
    pub update_too_large: f64,
    /// The same ratio below which updates are too small: 10⁻⁷, the rounding error of 32 bits: the weights do not move.
    pub update_too_small: f64,
    /// Growth or shrinkage of activations from the first layer to the last, or of gradients from the last to the first,
    /// from which the first step shows a bad initialisation: 10⁴. PyTorch's own initialisation, which does not keep the
    /// variance, reaches about 10³ in ten layers.
    pub first_step: f64,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            vanishing: 1e-3,
            exploding: 1e3,
            gradient_to_weight: 1e3,
            growth: 100.0,
            dead_share: 0.65,
            saturated_share: 0.75,
            update_too_large: 0.3,
            update_too_small: 1e-7,
            first_step: 1e4,
        }
    }
}
