//! Averages of a model over its training.

use crate::Module;
use crate::state;
use chainrule_core::{Tensor, evaluate, untracked};
use std::collections::BTreeMap;

/// The exponential moving average of a model's parameters: `a ← d a + (1 - d) w` after every step (Polyak, Juditsky 1992). The
/// average often generalises better than the last step.
///
/// ```
/// use chainrule_nn::{Ema, Linear};
/// let mut layer = Linear::new(2, 1).without_bias();
/// let mut ema = Ema::new(&layer, 0.9);
/// let before = layer.weight.to_vec::<f32>()[0];
/// layer.weight += 1.0;
/// ema.update(&layer);
/// assert!((ema.averaged(&layer).weight.to_vec::<f32>()[0] - before - 0.1).abs() < 1e-6);
/// ```
#[derive(Clone, Debug)]
pub struct Ema {
    decay: f64,
    growing: bool,
    average: Average,
}

impl Ema {
    /// Begins with the model as it is.
    pub fn new<M: Module>(model: &M, decay: f64) -> Ema {
        let mut average = Average::default();
        average.mix(model, 1.0);
        average.count = 0;
        Ema {
            decay,
            growing: false,
            average,
        }
    }

    /// Uses `min(decay, (1 + t) / (10 + t))` at update `t`, so that the first steps are soon forgotten.
    pub fn growing(mut self) -> Ema {
        self.growing = true;
        self
    }

    /// Takes in the model after a step.
    pub fn update<M: Module>(&mut self, model: &M) {
        let count = self.average.count as f64 + 1.0;
        let decay = match self.growing {
            true => self.decay.min((1.0 + count) / (10.0 + count)),
            false => self.decay,
        };
        self.average.mix(model, 1.0 - decay);
    }

    /// The model with the averages in place of its parameters. Buffers are the model's own, in cells of their own.
    pub fn averaged<M: Module>(&self, model: &M) -> M {
        self.average.applied(model)
    }

    /// The averages by the parameters' names, for [`save`](crate::save).
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        self.average.state()
    }

    /// Continues from what [`state`](Ema::state) gave.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) {
        self.average.restore(state);
    }
}

/// Stochastic weight averaging (Izmailov et al. 2018): the mean of the models it is given, as a rule one each epoch of the last
/// part of a training with a constant rate. Batch norm needs one more pass over the data with the averaged model in training
/// mode.
///
/// ```
/// use chainrule_nn::{Linear, Swa};
/// let mut layer = Linear::new(2, 1).without_bias();
/// let mut swa = Swa::new();
/// let before = layer.weight.to_vec::<f32>()[0];
/// for _ in 0..3 {
///     swa.update(&layer);
///     layer.weight += 1.0;
/// }
/// assert!((swa.averaged(&layer).weight.to_vec::<f32>()[0] - before - 1.0).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Swa {
    average: Average,
}

impl Swa {
    /// The mean of nothing yet.
    pub fn new() -> Swa {
        Swa::default()
    }

    /// Takes a model into the mean.
    pub fn update<M: Module>(&mut self, model: &M) {
        let share = 1.0 / (self.average.count as f64 + 1.0);
        self.average.mix(model, share);
    }

    /// How many models have been taken in.
    pub fn count(&self) -> u64 {
        self.average.count
    }

    /// The model with the means in place of its parameters; the model itself if none was taken in.
    pub fn averaged<M: Module>(&self, model: &M) -> M {
        self.average.applied(model)
    }

    /// The means by the parameters' names, for [`save`](crate::save).
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        self.average.state()
    }

    /// Continues from what [`state`](Swa::state) gave.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) {
        self.average.restore(state);
    }
}

const COUNT: &str = "averaged_models";

/// A running average by name.
#[derive(Clone, Debug, Default)]
struct Average {
    values: BTreeMap<String, Tensor>,
    count: u64,
}

impl Average {
    /// `a ← a + share (w - a)`; what is new begins with its value.
    fn mix<M: Module>(&mut self, model: &M, share: f64) {
        for (name, leaf) in model.named_parameters() {
            let value = leaf.stop_history();
            let mixed = match self.values.get(&name) {
                Some(average) if leaf.dtype().is_floating() => {
                    untracked(|| (average + (&value - average) * share).cast(leaf.dtype()))
                }
                _ => value,
            };
            self.values.insert(name, mixed);
        }
        // Nobody looks at an average before the end: left pending, it would hold on to every step's model.
        evaluate(&self.values.values().collect::<Vec<_>>());
        self.count += 1;
    }

    fn applied<M: Module>(&self, model: &M) -> M {
        state::rebuilt(model, &mut |name, tensor| {
            let average = self.values.get(name);
            average.unwrap_or(tensor).stop_history()
        })
    }

    fn state(&self) -> BTreeMap<String, Tensor> {
        let mut state = self.values.clone();
        state.insert(COUNT.to_owned(), Tensor::from(self.count as i64));
        state
    }

    fn restore(&mut self, state: &BTreeMap<String, Tensor>) {
        self.values = state.clone();
        let count = self.values.remove(COUNT);
        self.count = count.map_or(0, |count| count.item::<i64>().max(0) as u64);
    }
}
