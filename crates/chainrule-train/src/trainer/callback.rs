//! What a user adds to a run.

use crate::history::History;

/// A run as a callback sees it.
#[derive(Debug)]
pub struct View<'a, M> {
    /// The model as it is now.
    pub model: &'a M,
    /// Steps done.
    pub step: u64,
    /// The epoch that is going on, counted from 1; at an epoch's end, the one that ends.
    pub epoch: u64,
    /// What was just measured: after a batch its loss, after an epoch its means, after a validation its result.
    pub numbers: &'a [(String, f64)],
    /// Everything measured so far.
    pub history: &'a History,
}

/// Whether the run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// It does.
    Continue,
    /// It ends here, as well as if it had come to its end; the text says why.
    Stop(String),
}

/// Is called while a run goes on, and can end it.
///
/// ```
/// use chainrule_train::trainer::{Callback, Control, View};
/// /// Ends a run that has learnt enough.
/// struct GoodEnough(f64);
/// impl<M> Callback<M> for GoodEnough {
///     fn batch_end(&mut self, view: &View<'_, M>) -> Control {
///         match view.numbers[0].1 < self.0 {
///             true => Control::Stop(format!("the loss is below {}", self.0)),
///             false => Control::Continue,
///         }
///     }
/// }
/// ```
pub trait Callback<M> {
    /// After every step.
    fn batch_end(&mut self, _view: &View<'_, M>) -> Control {
        Control::Continue
    }

    /// After every epoch.
    fn epoch_end(&mut self, _view: &View<'_, M>) -> Control {
        Control::Continue
    }

    /// After every validation.
    fn validation_end(&mut self, _view: &View<'_, M>) -> Control {
        Control::Continue
    }

    /// What a resumed run needs of this callback, as text; checkpoints keep it.
    fn state(&self) -> String {
        String::new()
    }

    /// Takes back what [`state`](Callback::state) gave.
    ///
    /// # Errors
    /// When the text is not such a state: what is wrong with it.
    fn restore(&mut self, _state: &str) -> Result<(), String> {
        Ok(())
    }
}
