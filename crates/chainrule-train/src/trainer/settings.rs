//! What a run is told before it begins.

use super::averaging::Averaging;
use super::clip::Clip;
use super::rate::Rate;
use super::{Callback, EarlyStop, Source, Trainer};
use crate::checkpoint::Checkpoints;
use crate::flow::GradientFlow;
use crate::metrics::Metric;
use crate::progress::Reporter;
use chainrule_core::Tensor;
use chainrule_nn::precision::LossScaler;
use chainrule_nn::schedules::Schedule;
use chainrule_nn::{Ema, Module, Swa};
use std::path::PathBuf;

/// How long a run is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    Epochs(u64),
    Steps(u64),
}

/// How often something is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rhythm {
    Epochs(u64),
    Steps(u64),
}

impl<'a, M: Module, B> Trainer<'a, M, B> {
    /// How often each batch is seen.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.length = Length::Epochs(epochs);
        self
    }

    /// How many updates are made, through as many epochs as it takes.
    pub fn steps(mut self, steps: u64) -> Self {
        self.length = Length::Steps(steps);
        self
    }

    /// Makes one update of the mean gradient of this many batches, for more examples than memory holds at once. The last
    /// update of an epoch takes those that are left.
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.accumulate = batches.max(1);
        self
    }

    /// Adds this to the loss that is descended, as a regulariser does; what is reported is the loss without it.
    ///
    /// ```
    /// # use chainrule_core::Tensor;
    /// # use chainrule_nn::{Linear, Layer, Regulariser, Sgd};
    /// # use chainrule_train::trainer::Trainer;
    /// let loss = |model: &Linear, x: &Tensor| model.forward(x).square().mean(..);
    /// let regulariser = Regulariser::elastic(1e-3, 1e-4).except("*bias");
    /// let trainer = Trainer::new(Linear::new(3, 1), Sgd::new(0.1), loss).penalty(move |model| regulariser.of(model));
    /// ```
    pub fn penalty(mut self, penalty: impl Fn(&M) -> Tensor + 'a) -> Self {
        self.penalty = Some(Box::new(penalty));
        self
    }

    /// Scales gradients down whose norm, over all parameters together, is larger than `norm`.
    pub fn clip_norm(mut self, norm: f64) -> Self {
        self.clip = Some(Clip::Norm(norm));
        self
    }

    /// Cuts every number of every gradient to the range from `-value` to `value`.
    pub fn clip_value(mut self, value: f64) -> Self {
        self.clip = Some(Clip::Value(value));
        self
    }

    /// Sets the learning rate before each step as `schedule` says, from the rate that the optimiser was made with.
    ///
    /// ```
    /// # use chainrule_core::Tensor;
    /// # use chainrule_nn::{Linear, Layer, Sgd, schedules::Cosine};
    /// # use chainrule_train::trainer::Trainer;
    /// let loss = |model: &Linear, x: &Tensor| model.forward(x).square().mean(..);
    /// let trainer = Trainer::new(Linear::new(3, 1), Sgd::new(0.1), loss).steps(500).schedule(Cosine::new(500));
    /// ```
    pub fn schedule(mut self, schedule: impl Schedule + 'a) -> Self {
        self.rate = Some(Rate::new(schedule, false));
        self
    }

    /// The same with a schedule that counts epochs.
    pub fn schedule_by_epoch(mut self, schedule: impl Schedule + 'a) -> Self {
        self.rate = Some(Rate::new(schedule, true));
        self
    }

    /// Which number of validations a schedule looks at that falls when nothing improves; the loss otherwise.
    pub fn schedule_watches(mut self, name: impl Into<String>) -> Self {
        if let Some(rate) = &mut self.rate {
            rate.watches = name.into();
        }
        self
    }

    /// Measures loss and metrics over these batches after each epoch, in evaluation mode and without tracking.
    pub fn validate(mut self, data: impl Source<B> + 'a) -> Self {
        self.validation = Some(Box::new(data));
        self
    }

    /// Validates after every so many steps, and at the end, instead of after each epoch.
    pub fn validate_every(mut self, steps: u64) -> Self {
        self.rhythm = Rhythm::Steps(steps.max(1));
        self
    }

    /// Validates after every so many epochs, and at the end.
    pub fn validate_every_epochs(mut self, epochs: u64) -> Self {
        self.rhythm = Rhythm::Epochs(epochs.max(1));
        self
    }

    /// Measures this too, in validation and, as the mean over the batches, in training. The loss function must return
    /// outputs and labels.
    pub fn metric(mut self, metric: impl Metric + 'a) -> Self {
        self.metrics.push(Box::new(metric));
        self
    }

    /// Whether metrics are measured in training; without, a step only makes the loss. They are unless said otherwise.
    pub fn measure_training(mut self, measure: bool) -> Self {
        self.measure_training = measure;
        self
    }

    /// Keeps an exponential moving average of the weights, which takes the share `decay` of itself and the rest of the model
    /// after each step. Validation and [`averaged`](Trainer::averaged) use it.
    pub fn average(mut self, decay: f64) -> Self {
        let ema = Ema::new(&self.model, decay).growing();
        self.average = Some(Averaging::Exponential(ema));
        self
    }

    /// Keeps the mean of the models that there are after step `from` and every `every` steps after it: stochastic weight
    /// averaging ([`Swa`]), as a rule with a constant learning rate. Validation and [`averaged`](Trainer::averaged) use it.
    ///
    /// A model with running statistics, as batch norm keeps them, is refused when the run begins.
    pub fn average_from(mut self, from: u64, every: u64) -> Self {
        self.average = Some(Averaging::Mean {
            swa: Swa::new(),
            from: from.max(1),
            every: every.max(1),
        });
        self
    }

    /// Multiplies the loss that is descended by a scale, for networks that compute in f16, and divides the gradients by it. A
    /// step with a gradient that is not finite is left out, and the scale lowered.
    pub fn scale_loss(mut self, scaler: LossScaler) -> Self {
        self.scaler = Some(scaler);
        self
    }

    /// Ends the run when validations no longer improve.
    pub fn early_stop(mut self, stop: EarlyStop) -> Self {
        self.early_stop = Some(stop);
        self
    }

    /// Calls `callback` while the run goes on.
    pub fn callback(mut self, callback: impl Callback<M> + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Says how the run goes on; without, it is silent.
    pub fn reporter(mut self, reporter: impl Reporter + 'a) -> Self {
        self.reporter = Some(Box::new(reporter));
        self
    }

    /// What the reporter says first, instead of a line about the model.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = Some(summary.into());
        self
    }

    /// Watches the gradients.
    pub fn watch(mut self, flow: GradientFlow) -> Self {
        self.flow = Some(flow);
        self
    }

    /// Writes event files for TensorBoard into this folder: all numbers, and after each validation the
    /// weights and the gradients of the step before it.
    pub fn events(mut self, folder: impl Into<PathBuf>) -> Self {
        self.events = Some(folder.into());
        self
    }

    /// Writes checkpoints, and goes on from one if they say so.
    pub fn checkpoints(mut self, checkpoints: Checkpoints) -> Self {
        self.checkpoints = Some(checkpoints);
        self
    }
}

impl<R: Reporter + ?Sized> Reporter for Box<R> {
    fn begin(&mut self, summary: &str, steps: u64) {
        (**self).begin(summary, steps);
    }

    fn step(&mut self, progress: &crate::progress::Progress) {
        (**self).step(progress);
    }

    fn epoch(&mut self, progress: &crate::progress::Progress) {
        (**self).epoch(progress);
    }

    fn finding(&mut self, finding: &crate::flow::Finding) {
        (**self).finding(finding);
    }

    fn note(&mut self, text: &str) {
        (**self).note(text);
    }

    fn end(&mut self, progress: &crate::progress::Progress) {
        (**self).end(progress);
    }
}
