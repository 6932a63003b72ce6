//! The training loop: [`Trainer`].

mod averaging;
mod callback;
mod clip;
mod early_stop;
mod error;
mod fit;
mod judged;
mod means;
mod outcome;
mod rate;
mod report;
mod resume;
mod settings;
mod source;
mod step;
mod validation;

pub use callback::{Callback, Control, View};
pub use early_stop::{EarlyStop, Goal};
pub use error::TrainError;
pub use judged::Judged;
pub use outcome::Outcome;
pub use source::{Generated, Source};

pub(crate) use early_stop::Counters;
pub(crate) use means::Means;

use crate::checkpoint::{Checkpoints, RunState};
use crate::events::EventWriter;
use crate::flow::GradientFlow;
use crate::history::History;
use crate::metrics::Metric;
use crate::progress::Reporter;
use averaging::Averaging;
use chainrule_core::Tensor;
use chainrule_core::tree::mapped;
use chainrule_nn::precision::LossScaler;
use chainrule_nn::{Module, Optimiser};
use clip::Clip;
use rate::Rate;
use settings::{Length, Rhythm};
use std::path::PathBuf;

/// What a batch says of a model.
type LossFunction<'a, M, B> = dyn Fn(&M, &B) -> Judged + 'a;

/// What is added to the loss that is descended.
type Penalty<'a, M> = dyn Fn(&M) -> Tensor + 'a;

/// Trains a model: the loop around loss, gradient and update, and what belongs to it.
///
/// The loss function is given the model and a batch; it returns the loss, or `(loss, outputs, labels)` so that metrics can
/// be measured. Everything else is optional: validation, metrics, a schedule, clipping, accumulation, checkpoints, an early
/// stop, callbacks, progress, a watch over the gradients, event files.
///
/// A run is a function of its settings, its data and the default generator's seed: one that was killed and resumed from
/// its [checkpoints](Trainer::checkpoints) has the curve, bit for bit, of one that was not.
///
/// ```
/// use chainrule_core::{tensor, Generator, Tensor};
/// use chainrule_nn::{Adam, Layer, Linear, Sequential};
/// use chainrule_train::data::{Loader, TensorDataset};
/// use chainrule_train::metrics::Accuracy;
/// use chainrule_train::trainer::Trainer;
/// // Which of two numbers is larger?
/// let x = Generator::new(1).normal([256, 2], 0.0, 1.0);
/// let labels = x.narrow(1, 0, 1).gt(x.narrow(1, 1, 1)).squeeze(1).cast(chainrule_core::DType::I64);
/// let data = Loader::new(TensorDataset::new((x, labels))?, 32)?.shuffle(7);
///
/// let model = Sequential::new().then(Linear::new(2, 16)).then_function("tanh", Tensor::tanh).then(Linear::new(16, 2));
/// let mut trainer = Trainer::new(model, Adam::new(0.01), |model: &Sequential, (x, labels): &(Tensor, Tensor)| {
///     let logits = model.forward(x);
///     (logits.cross_entropy(labels), logits, labels.clone())
/// })
/// .epochs(20)
/// .metric(Accuracy::new())
/// .validate(data.clone());
/// let outcome = trainer.fit(&data)?;
/// assert!(outcome.number("validation_accuracy").unwrap() > 0.9);
/// # Ok::<(), chainrule_train::trainer::TrainError>(())
/// ```
pub struct Trainer<'a, M, B> {
    model: M,
    optimiser: Box<dyn Optimiser + 'a>,
    /// The learning rate that a schedule starts from.
    base_rate: f64,
    loss: Box<LossFunction<'a, M, B>>,
    penalty: Option<Box<Penalty<'a, M>>>,
    length: Length,
    accumulate: usize,
    clip: Option<Clip>,
    rate: Option<Rate<'a>>,
    validation: Option<Box<dyn Source<B> + 'a>>,
    rhythm: Rhythm,
    metrics: Vec<Box<dyn Metric + 'a>>,
    measure_training: bool,
    average: Option<Averaging>,
    scaler: Option<LossScaler>,
    early_stop: Option<EarlyStop>,
    callbacks: Vec<Box<dyn Callback<M> + 'a>>,
    reporter: Option<Box<dyn Reporter + 'a>>,
    summary: Option<String>,
    flow: Option<GradientFlow>,
    events: Option<PathBuf>,
    writer: Option<EventWriter>,
    /// The gradients of a step that a validation follows, for the event file.
    gradients: Option<M>,
    checkpoints: Option<Checkpoints>,
    history: History,
    state: RunState,
    /// The numbers of the last validation.
    validated: Vec<(String, f64)>,
    clock: outcome::Clock,
}

impl<'a, M: Module, B> Trainer<'a, M, B> {
    /// A run of one epoch that changes `model` by `optimiser` so that `loss` falls.
    pub fn new<L: Into<Judged>>(
        model: M,
        optimiser: impl Optimiser + 'a,
        loss: impl Fn(&M, &B) -> L + 'a,
    ) -> Trainer<'a, M, B> {
        Trainer {
            model,
            base_rate: optimiser.learning_rate(),
            optimiser: Box::new(optimiser),
            loss: Box::new(move |model, batch| loss(model, batch).into()),
            penalty: None,
            length: Length::Epochs(1),
            accumulate: 1,
            clip: None,
            rate: None,
            validation: None,
            rhythm: Rhythm::Epochs(1),
            metrics: Vec::new(),
            measure_training: true,
            average: None,
            scaler: None,
            early_stop: None,
            callbacks: Vec::new(),
            reporter: None,
            summary: None,
            flow: None,
            events: None,
            writer: None,
            gradients: None,
            checkpoints: None,
            history: History::new(),
            state: RunState::beginning(),
            validated: Vec::new(),
            clock: outcome::Clock::default(),
        }
    }

    /// The model as it is now.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The model with the averages of its weights, as validation sees it; the model itself if none are kept.
    pub fn averaged(&self) -> M {
        match &self.average {
            Some(average) => average.averaged(&self.model),
            None => mapped(&self.model, Tensor::clone),
        }
    }

    /// The model, when the training is over.
    pub fn into_model(self) -> M {
        self.model
    }

    /// The optimiser.
    pub fn optimiser(&self) -> &dyn Optimiser {
        &*self.optimiser
    }

    /// Everything measured so far: `train/loss` after each step, `epoch/...` the means of each epoch, `validation/...` after
    /// each validation, `learning rate` when it changes.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The watch over the gradients, if there is one.
    pub fn flow(&self) -> Option<&GradientFlow> {
        self.flow.as_ref()
    }

    /// Steps done.
    pub fn step_count(&self) -> u64 {
        self.state.step
    }
}
