//! Optimisers by name, for trainings that are written in a configuration file.

use super::{Descent, Group, Optimiser, Rule};
use crate::{ArgumentError, Arguments};

/// An optimiser that a configuration can name: its declaration stands in the optimiser's file.
pub trait ConfiguredOptimiser: Optimiser + Sized + 'static {
    /// The name in configurations, such as `adamw`.
    const NAME: &'static str;

    /// The optimiser with the given arguments.
    ///
    /// # Errors
    /// When an argument is missing or wrong.
    fn configured(arguments: &mut Arguments) -> Result<Self, ArgumentError>;
}

struct Entry {
    name: &'static str,
    build: fn(&mut Arguments) -> Result<Box<dyn Optimiser>, ArgumentError>,
}

const fn entry<O: ConfiguredOptimiser>() -> Entry {
    Entry {
        name: O::NAME,
        build: |arguments| Ok(Box::new(O::configured(arguments)?)),
    }
}

const ENTRIES: &[Entry] = &[
    entry::<super::Sgd>(),
    entry::<super::Adam>(),
    entry::<super::AdamW>(),
    entry::<super::Adamax>(),
    entry::<super::NAdam>(),
    entry::<super::RAdam>(),
    entry::<super::Adagrad>(),
    entry::<super::Adadelta>(),
    entry::<super::RmsProp>(),
    entry::<super::Rprop>(),
    entry::<super::Asgd>(),
    entry::<super::Adafactor>(),
    entry::<super::Muon>(),
    entry::<super::Lion>(),
    entry::<super::Lbfgs>(),
];

/// All optimisers that a configuration can name.
pub fn optimiser_names() -> Vec<&'static str> {
    ENTRIES.iter().map(|entry| entry.name).collect()
}

/// The optimiser called `name`. All but L-BFGS take `learning_rate`, `weight_decay`, `maximize` and the patterns `frozen` and `undecayed`
/// besides their own arguments, which are called as their methods are.
///
/// ```
/// use chainrule_nn::{build_optimiser, Arguments, Optimiser, Value};
/// let mut arguments = Arguments::new("optimiser")
///     .with("learning_rate", Value::Float(0.1))
///     .with("momentum", Value::Float(0.9));
/// let sgd = build_optimiser("sgd", &mut arguments)?;
/// assert_eq!((sgd.name(), sgd.learning_rate()), ("sgd", 0.1));
/// # Ok::<(), chainrule_nn::ArgumentError>(())
/// ```
///
/// # Errors
/// When there is no such optimiser, or an argument is missing, wrong or not known.
pub fn build_optimiser(
    name: &str,
    arguments: &mut Arguments,
) -> Result<Box<dyn Optimiser>, ArgumentError> {
    let Some(entry) = ENTRIES.iter().find(|entry| entry.name == name) else {
        return Err(arguments.unknown("optimiser", name, &optimiser_names()));
    };
    let optimiser = (entry.build)(arguments)?;
    arguments.finish()?;
    Ok(optimiser)
}

/// The learning rate, which has no default: every task has its own.
pub(crate) fn learning_rate(arguments: &mut Arguments) -> Result<f64, ArgumentError> {
    let rate: f64 = arguments.required("learning_rate")?;
    not_negative(arguments, "learning_rate", rate)
}

/// The value of the argument `name`, once it is at least 0.
pub(crate) fn not_negative(
    arguments: &Arguments,
    name: &str,
    value: f64,
) -> Result<f64, ArgumentError> {
    match value >= 0.0 && value.is_finite() {
        true => Ok(value),
        false => Err(arguments.problem(
            name,
            format!("`{name}` is {value}; expected a number that is not negative"),
        )),
    }
}

impl<R: Rule> Descent<R> {
    /// Takes the arguments that all optimisers have.
    pub(crate) fn with_common(mut self, arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        if let Some(decay) = arguments.given("weight_decay")? {
            self = self.weight_decay(not_negative(arguments, "weight_decay", decay)?);
        }
        if arguments.optional("maximize", false)? {
            self = self.maximize();
        }
        for pattern in arguments.optional::<Vec<String>>("undecayed", Vec::new())? {
            self = self.group(Group::matching(pattern).weight_decay(0.0));
        }
        for pattern in arguments.optional::<Vec<String>>("frozen", Vec::new())? {
            self = self.group(Group::matching(pattern).frozen());
        }
        Ok(self)
    }
}
