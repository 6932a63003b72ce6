//! Parameters that are treated otherwise than the rest.

use super::configured::not_negative;
use crate::pattern::matches;
use crate::{ArgumentError, Arguments};
use chainrule_core::tree::{Tree, named_leaves};

/// Settings for the parameters whose paths match a pattern, in which `*` stands for any characters.
///
/// Of several groups that match one parameter and speak of the same setting, the one added last counts.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Group, Layer, Linear, Sgd};
/// let mut layer = Linear::new(2, 1);
/// let before = layer.clone();
/// let mut sgd = Sgd::new(0.1)
///     .weight_decay(1e-4)
///     .group(Group::matching("bias").weight_decay(0.0).learning_rate_factor(2.0))
///     .group(Group::matching("weight").frozen());
/// let loss = layer.forward(&tensor![[1.0, 2.0]]).sum(..);
/// sgd.update_from(&mut layer, &loss.backward())?;
/// let bias = |layer: &Linear| layer.bias.as_ref().unwrap().item::<f32>();
/// assert!((bias(&before) - bias(&layer) - 0.2).abs() < 1e-6);
/// assert_eq!(before.weight.to_vec::<f32>(), layer.weight.to_vec::<f32>());
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pattern: String,
    rate: Option<Rate>,
    weight_decay: Option<f64>,
    frozen: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rate {
    Fixed(f64),
    Factor(f64),
}

/// What holds for one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    pub(crate) frozen: bool,
}

impl Group {
    /// The parameters whose paths match `pattern`, such as `*.bias` or `encoder.*`, as yet without settings of their own.
    pub fn matching(pattern: impl Into<String>) -> Group {
        Group {
            pattern: pattern.into(),
            rate: None,
            weight_decay: None,
            frozen: None,
        }
    }

    /// The group that a configuration describes: `parameters`, its pattern, and any of `learning_rate`, `learning_rate_factor`,
    /// `weight_decay` and `frozen`.
    ///
    /// # Errors
    /// When an argument is missing, wrong or not known.
    pub fn configured(arguments: &mut Arguments) -> Result<Group, ArgumentError> {
        let mut group = Group::matching(arguments.required::<String>("parameters")?);
        let rate = arguments.given("learning_rate")?;
        if let Some(rate) = rate {
            group = group.learning_rate(not_negative(arguments, "learning_rate", rate)?);
        }
        if let Some(factor) = arguments.given("learning_rate_factor")? {
            if rate.is_some() {
                let message = "a group has a learning rate of its own or a factor, not both";
                return Err(arguments.problem("learning_rate_factor", message));
            }
            let factor = not_negative(arguments, "learning_rate_factor", factor)?;
            group = group.learning_rate_factor(factor);
        }
        if let Some(decay) = arguments.given("weight_decay")? {
            group = group.weight_decay(not_negative(arguments, "weight_decay", decay)?);
        }
        match arguments.given("frozen")? {
            Some(true) => group = group.frozen(),
            Some(false) => group = group.trained(),
            None => {}
        }
        arguments.finish()?;
        Ok(group)
    }

    /// A learning rate that no schedule changes.
    pub fn learning_rate(mut self, rate: f64) -> Group {
        self.rate = Some(Rate::Fixed(rate));
        self
    }

    /// `factor` times the optimiser's learning rate, whatever a schedule makes of that.
    pub fn learning_rate_factor(mut self, factor: f64) -> Group {
        self.rate = Some(Rate::Factor(factor));
        self
    }

    /// A weight decay of its own.
    pub fn weight_decay(mut self, decay: f64) -> Group {
        self.weight_decay = Some(decay);
        self
    }

    /// Leaves these parameters as they are; they need no gradient.
    pub fn frozen(mut self) -> Group {
        self.frozen = Some(true);
        self
    }

    /// Trains these parameters though a group before this one freezes them.
    pub fn trained(mut self) -> Group {
        self.frozen = Some(false);
        self
    }

    /// Whether a parameter of the model matches the pattern.
    pub fn matches_any<T: Tree>(&self, model: &T) -> bool {
        let mut parameters = named_leaves(model).into_iter();
        parameters.any(|(name, _)| matches(&self.pattern, &name))
    }

    /// The settings for the parameter called `name`, where `settings` hold for all.
    pub(crate) fn settle(groups: &[Group], name: &str, settings: Settings) -> Settings {
        let base = settings.learning_rate;
        let matching = groups.iter().filter(|group| matches(&group.pattern, name));
        matching.fold(settings, |settings, group| Settings {
            learning_rate: match group.rate {
                Some(Rate::Fixed(rate)) => rate,
                Some(Rate::Factor(factor)) => factor * base,
                None => settings.learning_rate,
            },
            weight_decay: group.weight_decay.unwrap_or(settings.weight_decay),
            frozen: group.frozen.unwrap_or(settings.frozen),
        })
    }
}
