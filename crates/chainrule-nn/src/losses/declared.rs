//! Losses by name, for trainings that are written in a configuration file.

use crate::{ArgumentError, Arguments};
use chainrule_core::{DType, Reduction, Tensor};
use std::fmt;
use std::sync::Arc;

/// What a loss compares predictions with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossTarget {
    /// The number of the right class of each row.
    Labels,
    /// Rows of class numbers that a negative one ends.
    LabelLists,
    /// Numbers of the prediction's shape; of classes, 1 for the right one and 0 for the others.
    Numbers,
    /// 1 and -1 in the prediction's shape; of classes, 1 for the right one.
    Signs,
}

impl LossTarget {
    /// The labels `[rows]` of `classes` classes in the form that the loss takes.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_nn::losses::LossTarget;
    /// let signs = LossTarget::Signs.of_labels(&tensor![1, 0], 2);
    /// assert_eq!(signs.to_vec::<f32>(), [-1.0, 1.0, 1.0, -1.0]);
    /// ```
    ///
    /// # Panics
    /// When a label is not a class.
    #[track_caller]
    pub fn of_labels(self, labels: &Tensor, classes: usize) -> Tensor {
        let ones = || labels.one_hot(classes).cast(DType::F32);
        match self {
            LossTarget::Labels => labels.clone(),
            LossTarget::LabelLists => {
                let labels = labels.unsqueeze(-1).cast(DType::I64);
                let end = Tensor::full([labels.shape()[0], classes - 1], -1.0).cast(DType::I64);
                Tensor::concat(&[&labels, &end], 1)
            }
            LossTarget::Numbers => ones(),
            LossTarget::Signs => ones() * 2.0 - 1.0,
        }
    }
}

/// What the numbers are that a loss wants to be predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossPrediction {
    /// Logarithms of probabilities of classes, up to a constant: a softmax makes probabilities of them.
    Logits,
    /// Probabilities.
    Probabilities,
    /// Log odds, each for itself: a sigmoid makes probabilities of them.
    LogOdds,
    /// Numbers that are compared with the target itself.
    Values,
    /// Numbers of which the largest belongs to the right class.
    Scores,
}

impl LossPrediction {
    /// The probabilities of classes that predictions `[rows, classes]` stand for; `None` where they are no probabilities.
    #[track_caller]
    pub fn probabilities(self, predictions: &Tensor) -> Option<Tensor> {
        match self {
            LossPrediction::Logits => Some(predictions.softmax(-1)),
            LossPrediction::Probabilities => Some(predictions.clone()),
            LossPrediction::LogOdds => Some(predictions.sigmoid()),
            LossPrediction::Values | LossPrediction::Scores => None,
        }
    }
}

/// A loss of predictions and targets that a configuration can name: its declaration stands in the loss's file.
pub trait DeclaredLoss: fmt::Debug + Send + Sync + 'static {
    /// The name in configurations, such as `huber`.
    const NAME: &'static str;
    /// Short names that the loss is known by elsewhere.
    const ALSO: &'static [&'static str] = &[];
    /// What predictions are compared with.
    const TARGET: LossTarget;
    /// What is predicted.
    const PREDICTION: LossPrediction;

    /// The loss with the given arguments, which are called as its methods are.
    ///
    /// # Errors
    /// When an argument is missing or wrong.
    fn declared(arguments: &mut Arguments) -> Result<Self, ArgumentError>
    where
        Self: Sized;

    /// The loss of `predictions` against targets of the declared kind: a single number.
    #[track_caller]
    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor;
}

/// A loss of any type, as a configuration names it.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::AnyLoss;
/// use chainrule_nn::{Arguments, Value};
/// let mut arguments = Arguments::new("loss").with("delta", Value::Float(0.5));
/// let huber = AnyLoss::named("huber", &mut arguments)?;
/// assert_eq!(huber.of(&tensor![1.0], &tensor![0.0]).item::<f32>(), 0.375);
/// # Ok::<(), chainrule_nn::ArgumentError>(())
/// ```
#[derive(Clone)]
pub struct AnyLoss {
    entry: &'static Entry,
    loss: Arc<dyn Compute>,
}

impl AnyLoss {
    /// The loss called `name`.
    ///
    /// # Errors
    /// When there is no such loss, or an argument is missing, wrong or not known.
    pub fn named(name: &str, arguments: &mut Arguments) -> Result<AnyLoss, ArgumentError> {
        let called = |entry: &&Entry| entry.name == name || entry.also.contains(&name);
        let Some(entry) = ENTRIES.iter().find(called) else {
            return Err(arguments.unknown("loss", name, &loss_names()));
        };
        let loss = (entry.build)(arguments)?;
        arguments.finish()?;
        Ok(AnyLoss { entry, loss })
    }

    /// The name in configurations.
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    /// What predictions are compared with.
    pub fn target(&self) -> LossTarget {
        self.entry.target
    }

    /// What is predicted.
    pub fn prediction(&self) -> LossPrediction {
        self.entry.prediction
    }

    /// The loss of `predictions` against targets of its [kind](AnyLoss::target): a single number.
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn of(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.loss.compute(predictions, targets)
    }
}

impl fmt::Debug for AnyLoss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.loss.fmt(out)
    }
}

/// [`DeclaredLoss`] in a form that a pointer can have.
trait Compute: fmt::Debug + Send + Sync {
    #[track_caller]
    fn compute(&self, predictions: &Tensor, targets: &Tensor) -> Tensor;
}

impl<L: DeclaredLoss> Compute for L {
    #[track_caller]
    fn compute(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.loss(predictions, targets)
    }
}

struct Entry {
    name: &'static str,
    also: &'static [&'static str],
    target: LossTarget,
    prediction: LossPrediction,
    build: fn(&mut Arguments) -> Result<Arc<dyn Compute>, ArgumentError>,
}

const fn entry<L: DeclaredLoss>() -> Entry {
    Entry {
        name: L::NAME,
        also: L::ALSO,
        target: L::TARGET,
        prediction: L::PREDICTION,
        build: |arguments| Ok(Arc::new(L::declared(arguments)?)),
    }
}

const ENTRIES: &[Entry] = &[
    entry::<super::CrossEntropy>(),
    entry::<super::NegativeLogLikelihood>(),
    entry::<super::MultinomialLogistic>(),
    entry::<super::Infogain>(),
    entry::<super::Hinge>(),
    entry::<super::MultiMargin>(),
    entry::<super::MultiLabelMargin>(),
    entry::<super::MultiLabelSoftMargin>(),
    entry::<super::BinaryCrossEntropy>(),
    entry::<super::BinaryCrossEntropyWithLogits>(),
    entry::<super::Focal>(),
    entry::<super::SoftMargin>(),
    entry::<super::HingeEmbedding>(),
    entry::<super::KlDivergence>(),
    entry::<super::SquaredError>(),
    entry::<super::AbsoluteError>(),
    entry::<super::Huber>(),
    entry::<super::SmoothL1>(),
    entry::<super::Euclidean>(),
    entry::<super::PoissonNll>(),
];

/// All losses that a configuration can name, their short names behind them. Those that compare more than predictions and
/// targets (pairs, triplets, sequences, variances) are not among them.
pub fn loss_names() -> Vec<&'static str> {
    let short = ENTRIES.iter().flat_map(|entry| entry.also.iter().copied());
    ENTRIES
        .iter()
        .map(|entry| entry.name)
        .chain(short)
        .collect()
}

/// The argument `reduction`: a loss that is descended is a single number.
pub(super) fn reduction(arguments: &mut Arguments) -> Result<Reduction, ArgumentError> {
    let name: String = arguments.optional("reduction", "mean".to_owned())?;
    match name.as_str() {
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        other => Err(arguments.problem(
            "reduction",
            format!("`reduction` is \"{other}\"; expected \"mean\" or \"sum\""),
        )),
    }
}

/// An argument that is a positive number.
pub(super) fn positive(
    arguments: &mut Arguments,
    name: &'static str,
    default: f64,
) -> Result<f64, ArgumentError> {
    let value: f64 = arguments.optional(name, default)?;
    match value > 0.0 && value.is_finite() {
        true => Ok(value),
        false => Err(arguments.problem(
            name,
            format!("`{name}` is {value}; expected a number above 0"),
        )),
    }
}

/// An argument that is a share, 0 to 1.
pub(super) fn share(
    arguments: &mut Arguments,
    name: &'static str,
) -> Result<Option<f64>, ArgumentError> {
    match arguments.given::<f64>(name)? {
        Some(share) if !(0.0..=1.0).contains(&share) => Err(arguments.problem(
            name,
            format!("`{name}` is {share}; expected a number from 0 to 1"),
        )),
        share => Ok(share),
    }
}

/// An argument that lists numbers, as a tensor.
pub(super) fn row(
    arguments: &mut Arguments,
    name: &'static str,
) -> Result<Option<Tensor>, ArgumentError> {
    let numbers: Option<Vec<f64>> = arguments.given(name)?;
    Ok(numbers.map(|numbers| Tensor::from(numbers).cast(DType::F32)))
}
