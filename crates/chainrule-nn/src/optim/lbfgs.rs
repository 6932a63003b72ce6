//! L-BFGS.

use super::configured::not_negative;
use super::line_search::{Point, strong_wolfe};
use super::{ConfiguredOptimiser, MissingGradients, Optimiser, StateError};
use crate::{ArgumentError, Arguments};
use chainrule_core::tree::{Path, Tree, leaves, mapped};
use chainrule_core::{DType, Tensor, evaluate, value_and_grad};
use std::collections::{BTreeMap, VecDeque};

/// The quasi-Newton method of limited memory (Liu, Nocedal 1989), for losses without noise: full batches, simulations, small
/// networks. Follows PyTorch's implementation, after Schmidt's minFunc.
///
/// Each [`step`](Lbfgs::step) makes several iterations, and evaluates the loss itself as often as it needs to. The memory is
/// kept from one step to the next.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_nn::Lbfgs;
/// // Rosenbrock's function, a curved valley with its minimum at (1, 1).
/// let loss = |w: &Tensor| {
///     let (x, y) = (w.index(0), w.index(1));
///     (&y - x.square()).square() * 100.0 + (1.0 - x).square()
/// };
/// let mut w = Tensor::from([-1.5, 2.0]);
/// let mut lbfgs = Lbfgs::new(1.0).strong_wolfe();
/// for _ in 0..3 {
///     lbfgs.step(&mut w, loss);
/// }
/// assert!((w.to_vec::<f64>()[1] - 1.0).abs() < 1e-4);
/// ```
#[derive(Clone, Debug)]
pub struct Lbfgs {
    /// The length of a step in units of the direction; the first one tried where the line is searched.
    pub learning_rate: f64,
    iterations: usize,
    evaluations: Option<usize>,
    gradient_tolerance: f64,
    change_tolerance: f64,
    history: usize,
    search: bool,
    steps: u64,
    memory: Memory,
}

/// What is kept between iterations.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// Changes of the gradient and of the parameters with the inverse of their product, oldest first.
    pairs: VecDeque<(Tensor, Tensor, f64)>,
    /// The inverse Hessian to begin with, as a multiple of the identity.
    scale: f64,
    last: Option<Last>,
}

#[derive(Clone, Debug)]
struct Last {
    gradient: Tensor,
    direction: Tensor,
    length: f64,
}

impl Lbfgs {
    /// At most 20 iterations and 25 evaluations a step, a history of 100 pairs, no line search.
    pub fn new(learning_rate: f64) -> Lbfgs {
        Lbfgs {
            learning_rate,
            iterations: 20,
            evaluations: None,
            gradient_tolerance: 1e-7,
            change_tolerance: 1e-9,
            history: 100,
            search: false,
            steps: 0,
            memory: Memory::default(),
        }
    }

    /// Searches along each direction for a point that satisfies the strong Wolfe conditions.
    pub fn strong_wolfe(mut self) -> Lbfgs {
        self.search = true;
        self
    }

    /// The most iterations in one step.
    pub fn max_iterations(mut self, count: usize) -> Lbfgs {
        self.iterations = count;
        self
    }

    /// The number of evaluations after which a step ends; 5/4 of the iterations unless said otherwise.
    pub fn max_evaluations(mut self, count: usize) -> Lbfgs {
        self.evaluations = Some(count);
        self
    }

    /// How many pairs of changes are remembered.
    pub fn history(mut self, pairs: usize) -> Lbfgs {
        self.history = pairs;
        self
    }

    /// The largest entry of the gradient at which the minimum is reached.
    pub fn gradient_tolerance(mut self, tolerance: f64) -> Lbfgs {
        self.gradient_tolerance = tolerance;
        self
    }

    /// The change of the loss or of the parameters below which a step ends.
    pub fn change_tolerance(mut self, tolerance: f64) -> Lbfgs {
        self.change_tolerance = tolerance;
        self
    }

    /// One step of several iterations on `loss`, which must give the same for the same parameters. Returns the loss before.
    ///
    /// # Panics
    /// When the loss is not a single floating-point number.
    #[track_caller]
    pub fn step<T: Tree>(&mut self, model: &mut T, loss: impl Fn(&T) -> Tensor) -> f64 {
        let shape = &mapped(model, Tensor::clone);
        let evaluated = |flat: &Tensor| {
            let (value, gradient) = value_and_grad(&loss)(&shaped(shape, flat));
            let gradient = flattened(&gradient);
            evaluate(&[&value, &gradient]);
            (value.item::<f64>(), gradient)
        };
        let start = flattened(model);
        let (value, gradient) = evaluated(&start);
        let end = self.iterate(start, value, gradient, &evaluated);
        *model = shaped(shape, &end);
        self.steps += 1;
        value
    }

    /// What is kept from step to step, by name, for [`save`](crate::save).
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let mut all = BTreeMap::from([
            (SCALE.to_owned(), Tensor::from(self.memory.scale)),
            (STEPS.to_owned(), Tensor::from(self.steps as i64)),
        ]);
        for (number, (change, step, inverse)) in self.memory.pairs.iter().enumerate() {
            all.insert(format!("pairs.{number}.change"), change.clone());
            all.insert(format!("pairs.{number}.step"), step.clone());
            all.insert(format!("pairs.{number}.inverse"), Tensor::from(*inverse));
        }
        if let Some(last) = &self.memory.last {
            all.insert("last.gradient".to_owned(), last.gradient.clone());
            all.insert("last.direction".to_owned(), last.direction.clone());
            all.insert("last.length".to_owned(), Tensor::from(last.length));
        }
        all
    }

    /// Continues from a state that [`state`](Lbfgs::state) gave.
    ///
    /// # Errors
    /// When the state is not one of L-BFGS.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<(), StateError> {
        let mut left = state.clone();
        let mut missing = Vec::new();
        let mut take = |name: String| {
            let found = left.remove(&name);
            if found.is_none() {
                missing.push(name);
            }
            found.unwrap_or_else(|| Tensor::from(0.0))
        };
        let pairs =
            (0..).take_while(|number| state.contains_key(&format!("pairs.{number}.change")));
        let steps = take(STEPS.to_owned()).cast(DType::I64).item::<i64>();
        let mut memory = Memory {
            scale: take(SCALE.to_owned()).item(),
            ..Memory::default()
        };
        for number in pairs {
            memory.pairs.push_back((
                take(format!("pairs.{number}.change")),
                take(format!("pairs.{number}.step")),
                take(format!("pairs.{number}.inverse")).item(),
            ));
        }
        if state.contains_key("last.gradient") {
            memory.last = Some(Last {
                gradient: take("last.gradient".to_owned()),
                direction: take("last.direction".to_owned()),
                length: take("last.length".to_owned()).item(),
            });
        }
        let unexpected: Vec<String> = left.into_keys().collect();
        if missing.is_empty() && unexpected.is_empty() {
            self.memory = memory;
            self.steps = steps.max(0) as u64;
            return Ok(());
        }
        Err(StateError {
            optimiser: "lbfgs".to_owned(),
            missing,
            unexpected,
            mismatched: Vec::new(),
        })
    }

    fn iterate(
        &mut self,
        mut at: Tensor,
        mut value: f64,
        mut gradient: Tensor,
        evaluated: &dyn Fn(&Tensor) -> (f64, Tensor),
    ) -> Tensor {
        let most = self.evaluations.unwrap_or(self.iterations * 5 / 4);
        let mut count = 1;
        if largest(&gradient) <= self.gradient_tolerance {
            return at;
        }
        for iteration in 1..=self.iterations {
            let is_first = self.memory.last.is_none();
            let direction = self.memory.direction(&gradient, self.history);
            let slope = gradient.dot(&direction).item::<f64>();
            let mut length = self.learning_rate;
            if is_first {
                length *= (1.0 / gradient.abs().sum(..).item::<f64>()).min(1.0);
            }
            let before = value;
            self.memory.last = Some(Last {
                gradient: gradient.clone(),
                direction: direction.clone(),
                length,
            });
            if slope > -self.change_tolerance {
                break;
            }
            if self.search {
                let on_line = |length: f64| {
                    let (value, gradient) = evaluated(&(&at + &direction * length));
                    let slope = gradient.dot(&direction).item();
                    Point {
                        length,
                        value,
                        gradient,
                        slope,
                    }
                };
                let from = Point {
                    length: 0.0,
                    value,
                    gradient,
                    slope,
                };
                let size = largest(&direction);
                // The search ends with what is left of the step's evaluations.
                let (found, tried) = strong_wolfe(
                    &on_line,
                    from,
                    length,
                    size,
                    self.change_tolerance,
                    most.saturating_sub(count),
                );
                (length, value, gradient) = (found.length, found.value, found.gradient);
                count += tried;
                at = &at + &direction * length;
            } else {
                at = &at + &direction * length;
                if iteration != self.iterations {
                    (value, gradient) = evaluated(&at);
                    count += 1;
                }
            }
            evaluate(&[&at]);
            if let Some(last) = &mut self.memory.last {
                last.length = length;
            }
            if count >= most
                || largest(&gradient) <= self.gradient_tolerance
                || largest(&direction) * length.abs() <= self.change_tolerance
                || (value - before).abs() < self.change_tolerance
            {
                break;
            }
        }
        at
    }
}

/// A training loop asks for [`as_lbfgs`](Optimiser::as_lbfgs) and gives it the loss. Who has nothing but a gradient gets one
/// iteration of the given length from [`step`](Optimiser::step), without a search.
impl Optimiser for Lbfgs {
    fn name(&self) -> &'static str {
        Lbfgs::NAME
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = rate;
    }

    fn set_momentum(&mut self, _momentum: f64) -> bool {
        false
    }

    fn as_lbfgs(&mut self) -> Option<&mut Lbfgs> {
        Some(self)
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn step(
        &mut self,
        parameters: &[(String, &Tensor)],
        gradients: &[Tensor],
    ) -> Result<Vec<Option<Tensor>>, MissingGradients> {
        let learnt: Vec<(&String, &Tensor, &Tensor)> = parameters
            .iter()
            .zip(gradients)
            .filter(|((_, leaf), _)| leaf.dtype().is_floating())
            .map(|((name, leaf), gradient)| (name, *leaf, gradient))
            .collect();
        let missing = learnt
            .iter()
            .filter(|(_, _, gradient)| gradient.is_absent());
        let names: Vec<String> = missing.map(|(name, _, _)| (*name).clone()).collect();
        if !names.is_empty() {
            return Err(MissingGradients { names });
        }
        let weights: Vec<Tensor> = learnt.iter().map(|(_, leaf, _)| (*leaf).clone()).collect();
        let slopes: Vec<Tensor> = learnt.iter().map(|(.., slope)| (*slope).clone()).collect();
        let mut once = self.clone();
        (once.iterations, once.search) = (1, false);
        let unasked = |_: &Tensor| unreachable!("one iteration without a search evaluates nothing");
        let (start, slope) = (flattened(&weights), evaluated(flattened(&slopes)));
        let end = once.iterate(start, f64::INFINITY, slope, &unasked);
        self.memory = once.memory;
        self.steps += 1;
        let mut values = shaped(&weights, &end).into_iter();
        let of_leaf = |(_, leaf): &(String, &Tensor)| {
            leaf.dtype().is_floating().then(|| values.next()).flatten()
        };
        Ok(parameters.iter().map(of_leaf).collect())
    }

    fn state(&self) -> BTreeMap<String, Tensor> {
        Lbfgs::state(self)
    }

    fn restore_named(
        &mut self,
        _parameters: &[(String, &Tensor)],
        state: &BTreeMap<String, Tensor>,
    ) -> Result<(), StateError> {
        self.restore(state)
    }
}

impl ConfiguredOptimiser for Lbfgs {
    const NAME: &'static str = "lbfgs";

    fn configured(arguments: &mut Arguments) -> Result<Lbfgs, ArgumentError> {
        let rate = arguments.optional("learning_rate", 1.0)?;
        let rate = not_negative(arguments, "learning_rate", rate)?;
        let mut lbfgs = Lbfgs::new(rate)
            .max_iterations(arguments.optional("max_iterations", 20)?)
            .history(arguments.optional("history", 100)?)
            .gradient_tolerance(arguments.optional("gradient_tolerance", 1e-7)?)
            .change_tolerance(arguments.optional("change_tolerance", 1e-9)?);
        if let Some(count) = arguments.given("max_evaluations")? {
            lbfgs = lbfgs.max_evaluations(count);
        }
        Ok(match arguments.optional("strong_wolfe", true)? {
            true => lbfgs.strong_wolfe(),
            false => lbfgs,
        })
    }
}

impl Memory {
    /// The direction of descent at a point with this gradient, after the last step has been taken into the memory.
    fn direction(&mut self, gradient: &Tensor, history: usize) -> Tensor {
        let Some(last) = &self.last else {
            self.scale = 1.0;
            return evaluated(-gradient);
        };
        let change = gradient - &last.gradient;
        let step = &last.direction * last.length;
        let curvature = change.dot(&step).item::<f64>();
        // A pair without positive curvature would spoil the approximation.
        if curvature > 1e-10 {
            if self.pairs.len() == history {
                self.pairs.pop_front();
            }
            self.scale = curvature / change.dot(&change).item::<f64>();
            self.pairs
                .push_back((evaluated(change), evaluated(step), 1.0 / curvature));
        }
        self.pairs.truncate(history);
        // The two loops of Nocedal 1980: from the newest pair to the oldest, and back.
        let mut q = -gradient;
        let mut shares = Vec::with_capacity(self.pairs.len());
        for (change, step, inverse) in self.pairs.iter().rev() {
            let share = step.dot(&q) * *inverse;
            q = &q - change * &share;
            shares.push(share);
        }
        let mut direction = q * self.scale;
        for ((change, step, inverse), share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            direction = &direction + step * (share - change.dot(&direction) * *inverse);
        }
        evaluated(direction)
    }
}

const SCALE: &str = "scale";
const STEPS: &str = "steps";

/// All floating-point leaves in one vector.
fn flattened<T: Tree>(tree: &T) -> Tensor {
    let vectors: Vec<Tensor> = leaves(tree)
        .into_iter()
        .filter(|leaf| leaf.dtype().is_floating())
        .map(|leaf| leaf.stop_history().reshape([-1]))
        .collect();
    Tensor::concat(&vectors, 0)
}

/// The tree with the entries of a vector in place of its floating-point leaves.
fn shaped<T: Tree>(like: &T, vector: &Tensor) -> T {
    let mut start = 0;
    like.map(&mut Path::new(), &mut |_, leaf| {
        if !leaf.dtype().is_floating() {
            return leaf.clone();
        }
        let piece = vector.narrow(0, start, leaf.elements());
        start += leaf.elements();
        let value = piece.reshape(leaf.shape().clone()).cast(leaf.dtype());
        match leaf.is_tracked() {
            true => value.tracked(),
            false => value,
        }
    })
}

fn evaluated(tensor: Tensor) -> Tensor {
    let tensor = tensor.stop_history();
    evaluate(&[&tensor]);
    tensor
}

fn largest(tensor: &Tensor) -> f64 {
    match tensor.elements() {
        0 => 0.0,
        _ => tensor.abs().max(..).item(),
    }
}
