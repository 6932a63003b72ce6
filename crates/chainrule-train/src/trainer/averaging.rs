//! Averages of the weights over a run.

use chainrule_core::Tensor;
use chainrule_nn::{Ema, Module, Swa};
use std::collections::BTreeMap;

/// How weights are averaged.
pub(super) enum Averaging {
    Exponential(Ema),
    /// The mean of the models after every so many steps, from some step on.
    Mean {
        swa: Swa,
        from: u64,
        every: u64,
    },
}

impl Averaging {
    /// Takes in the model after so many steps.
    pub(super) fn update<M: Module>(&mut self, model: &M, steps: u64) {
        match self {
            Averaging::Exponential(ema) => ema.update(model),
            Averaging::Mean { swa, from, every } => {
                if steps >= *from && (steps - *from).is_multiple_of(*every) {
                    swa.update(model);
                }
            }
        }
    }

    pub(super) fn averaged<M: Module>(&self, model: &M) -> M {
        match self {
            Averaging::Exponential(ema) => ema.averaged(model),
            Averaging::Mean { swa, .. } => swa.averaged(model),
        }
    }

    pub(super) fn state(&self) -> BTreeMap<String, Tensor> {
        match self {
            Averaging::Exponential(ema) => ema.state(),
            Averaging::Mean { swa, .. } => swa.state(),
        }
    }

    pub(super) fn restore(&mut self, state: &BTreeMap<String, Tensor>) {
        match self {
            Averaging::Exponential(ema) => ema.restore(state),
            Averaging::Mean { swa, .. } => swa.restore(state),
        }
    }

    /// Why weights of this model cannot be averaged so.
    pub(super) fn refusal<M: Module>(&self, model: &M) -> Option<String> {
        let Averaging::Mean { .. } = self else {
            return None;
        };
        let buffers = model.named_buffers();
        let (name, _) = buffers.first()?;
        Some(format!(
            "the mean of weights from far apart would meet the running statistics of the last steps alone (`{name}`)\n    \
             help: normalise by layer_norm or group_norm, or take an exponential moving average"
        ))
    }
}
