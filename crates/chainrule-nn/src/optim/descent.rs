//! The frame of all optimisers that make a step from a gradient: what is the same whatever the rule.

use super::group::{Group, Settings};
use super::state::{Entries, Entry, check_state};
use super::{MissingGradients, Optimiser, Rule, StateError, Step, optimiser, state};
use chainrule_core::error::raise;
use chainrule_core::graph::module_scope;
use chainrule_core::tree::{Tree, leaves, mapped};
use chainrule_core::{Error, ErrorKind, Gradients, Tensor, evaluate, untracked};
use std::collections::BTreeMap;

/// An optimiser that follows a [`Rule`]: [`Sgd`](crate::Sgd), [`Adam`](crate::Adam) and their relatives.
///
/// It keeps the state and the step number of each parameter, knows the [groups](Group), applies weight decay, and records
/// each step without tracking: nothing of the loss's history is held after it.
#[derive(Clone, Debug)]
pub struct Descent<R: Rule> {
    /// The step size; may be changed between updates.
    pub learning_rate: f64,
    pub(crate) rule: R,
    weight_decay: f64,
    maximize: bool,
    groups: Vec<Group>,
    entries: Entries<R::State>,
    steps: u64,
}

impl<R: Rule> Descent<R> {
    /// The optimiser that follows `rule`, without weight decay.
    pub fn with_rule(rule: R, learning_rate: f64) -> Descent<R> {
        Descent {
            learning_rate,
            rule,
            weight_decay: 0.0,
            maximize: false,
            groups: Vec::new(),
            entries: Entries::new(),
            steps: 0,
        }
    }

    /// How strongly weights are drawn to zero at each step: `decay · w` is added to the gradient, or, with the rules that say
    /// so (AdamW, Lion, Muon, Adafactor), `lr · decay · w` is subtracted from the weight.
    pub fn weight_decay(mut self, decay: f64) -> Descent<R> {
        self.weight_decay = decay;
        self
    }

    /// Climbs instead of descending.
    pub fn maximize(mut self) -> Descent<R> {
        self.maximize = true;
        self
    }

    /// Treats the parameters that match the group's pattern as the group says.
    pub fn group(mut self, group: Group) -> Descent<R> {
        self.add_group(group);
        self
    }

    /// The same on an optimiser in use, for freezing and thawing between steps.
    pub fn add_group(&mut self, group: Group) {
        self.groups.push(group);
    }

    /// See [`Update::update`](super::Update::update); here so that the trait need not be imported.
    ///
    /// # Errors
    /// When a parameter that is not frozen got no gradient. Nothing was changed then.
    #[track_caller]
    pub fn update<T: Tree>(
        &mut self,
        model: &mut T,
        gradients: &T,
    ) -> Result<(), MissingGradients> {
        optimiser::update(self, model, gradients)
    }

    /// See [`Update::update_from`](super::Update::update_from); here so that the trait need not be imported.
    ///
    /// # Errors
    /// When a parameter that is not frozen got no gradient. Nothing was changed then.
    #[track_caller]
    pub fn update_from<T: Tree>(
        &mut self,
        model: &mut T,
        gradients: &Gradients,
    ) -> Result<(), MissingGradients> {
        optimiser::update_from(self, model, gradients)
    }

    /// What holds for the parameter called `name`.
    fn settings(&self, name: &str) -> Settings {
        let all = Settings {
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            frozen: false,
        };
        Group::settle(&self.groups, name, all)
    }

    /// The settings of the parameters that take part in a step; `None` for integers and frozen ones.
    #[track_caller]
    fn taking_part(
        &self,
        parameters: &[(String, &Tensor)],
        gradients: &[Tensor],
    ) -> Result<Vec<Option<Settings>>, MissingGradients> {
        let mut names = Vec::new();
        let mut all = Vec::with_capacity(parameters.len());
        for ((name, leaf), gradient) in parameters.iter().zip(gradients) {
            let settings = self.settings(name);
            let takes_part = leaf.dtype().is_floating() && !settings.frozen;
            if takes_part && gradient.is_absent() {
                names.push(name.clone());
            }
            if let Some(reason) = takes_part.then(|| self.rule.refusal(leaf)).flatten() {
                let message = format!("{}: {name}: {reason}", self.rule.name());
                raise(Error::new(ErrorKind::Argument, message));
            }
            all.push(takes_part.then_some(settings));
        }
        match names.is_empty() {
            true => Ok(all),
            false => Err(MissingGradients { names }),
        }
    }

    /// One parameter's step, recorded without tracking.
    fn advance(
        &self,
        entry: &mut Entry<R::State>,
        leaf: &Tensor,
        gradient: &Tensor,
        settings: Settings,
    ) -> Tensor {
        let mut gradient = gradient.clone();
        let mut weight = leaf.clone();
        if self.maximize {
            gradient = -gradient;
        }
        if settings.weight_decay != 0.0 {
            if self.rule.decays_weights() {
                weight *= 1.0 - settings.learning_rate * settings.weight_decay;
            } else {
                gradient += &weight * settings.weight_decay;
            }
        }
        entry.steps += 1;
        let step = Step {
            weight: &weight,
            undecayed: leaf,
            gradient: &gradient,
            number: entry.steps,
            learning_rate: settings.learning_rate,
        };
        let value = self.rule.update(&step, &mut entry.state);
        // A state that is a gradient as it came must not pull the history of this step into the next one.
        entry.state = mapped(&entry.state, |tensor| match tensor.is_tracked() {
            true => tensor.stop_history(),
            false => tensor.clone(),
        });
        value.cast(leaf.dtype())
    }

    fn evaluate_aside(&self) {
        if self.rule.keeps_aside() {
            let states = self.entries.values().map(|entry| &entry.state);
            evaluate(&states.flat_map(leaves).collect::<Vec<_>>());
        }
    }
}

impl<R: Rule> Optimiser for Descent<R> {
    fn name(&self) -> &'static str {
        self.rule.name()
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = rate;
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.rule.set_momentum(momentum)
    }

    fn add_group(&mut self, group: Group) -> bool {
        Descent::add_group(self, group);
        true
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    #[track_caller]
    fn step(
        &mut self,
        parameters: &[(String, &Tensor)],
        gradients: &[Tensor],
    ) -> Result<Vec<Option<Tensor>>, MissingGradients> {
        check_state(self.rule.name(), &self.entries, parameters);
        let settings = self.taking_part(parameters, gradients)?;
        self.evaluate_aside();
        let mut entries = std::mem::take(&mut self.entries);
        let updates = parameters.iter().zip(gradients).zip(settings);
        let values = module_scope(self.rule.name(), || {
            untracked(|| {
                updates
                    .map(|(((name, leaf), gradient), settings)| {
                        let settings = settings?;
                        let entry = entries.entry(name.clone()).or_insert_with(|| Entry {
                            steps: 0,
                            state: self.rule.start(leaf, settings.learning_rate),
                        });
                        Some(self.advance(entry, leaf, gradient, settings))
                    })
                    .collect()
            })
        });
        self.entries = entries;
        self.steps += 1;
        Ok(values)
    }

    fn state(&self) -> BTreeMap<String, Tensor> {
        state::collected(self.learning_rate, self.steps, &self.entries)
    }

    fn restore_named(
        &mut self,
        parameters: &[(String, &Tensor)],
        state: &BTreeMap<String, Tensor>,
    ) -> Result<(), StateError> {
        let start = |name: &str, leaf: &Tensor| {
            let settings = self.settings(name);
            leaf.dtype().is_floating().then(|| {
                (
                    self.rule.start(leaf, settings.learning_rate),
                    settings.frozen,
                )
            })
        };
        let restored = state::restored(self.rule.name(), parameters, state, start)?;
        self.learning_rate = restored.learning_rate;
        self.steps = restored.updates;
        self.entries = restored.entries;
        Ok(())
    }
}
