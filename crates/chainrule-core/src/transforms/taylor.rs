//! Taylor mode: all directional derivatives up to some order in one pass.
//!
//! Every tensor gets the series of its values along the line `x + t v`. That of an elementwise result follows from its
//! partials by `y' = Σ partial · x'`, where a partial is tensor code again and has a series of its own; those of linear
//! and multilinear results follow from the operation itself. A partial that computes the same as something that is there
//! shares its series, which closes the circle of `sin` and `cos` and keeps the cost quadratic in the order (Griewank and
//! Walther, *Evaluating Derivatives*, chapter 13; Bettencourt, Johnson and Duvenaud 2019).

use super::jvp::check_direction;
use super::record::{Running, open};
use crate::declare::Derivative;
use crate::error::or_raise;
use crate::graph::walk::{Edges, Step, Walk, between};
use crate::graph::{placed_at, with_place, without_evaluation};
use crate::tensor::Tensor;
use crate::tree::{Tree, leaves, rebuilt};
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::Location;
use std::rc::Rc;

/// The value of `f` at `at`, and its directional derivatives of orders 1 to `order`: entry `k - 1` is the `k`-th
/// derivative of `f(at + t direction)` by `t` at 0, which is `k!` times the coefficient of the Taylor series.
///
/// One pass, whose cost grows with the square of the order; nesting [`jvp`](crate::jvp) costs a power of 2 or more for
/// each order. What is returned are ordinary tensors: they can be differentiated again, and `taylor` nests.
///
/// ```
/// use chainrule_core::{taylor, Tensor};
/// let (value, derivatives) = taylor(Tensor::exp, &Tensor::from(0.0), &Tensor::from(2.0), 3);
/// assert_eq!(value.item::<f64>(), 1.0);
/// let numbers: Vec<f64> = derivatives.iter().map(|derivative| derivative.item()).collect();
/// assert_eq!(numbers, [2.0, 4.0, 8.0]);
/// ```
///
/// # Panics
/// When `direction` has other shapes than `at`, or when every path to the result passes an operation without a derivative.
#[track_caller]
pub fn taylor<P: Tree, O: Tree>(
    f: impl Fn(&P) -> O,
    at: &P,
    direction: &P,
    order: usize,
) -> (O, Vec<O>) {
    let caller = Location::caller();
    let at_leaves = leaves(at);
    let directions = leaves(direction);
    check_direction("taylor", &at_leaves, &directions);
    let running = Running::start();
    let inputs = running.fresh(&at_leaves);
    let output = f(&rebuilt(at, &inputs));
    let outputs: Vec<Tensor> = leaves(&output).into_iter().cloned().collect();
    let walk = between(&inputs, &outputs, Edges::Differentiable);
    let derivatives = without_evaluation(|| {
        placed_at(caller, || {
            let mut expansion = Expansion::default();
            for (input, direction) in inputs.iter().zip(&directions) {
                expansion.start(input, direction);
            }
            expansion.add_walk(&walk);
            let known = expansion.outputs(&outputs, order);
            (1..=order)
                .map(|k| rebuilt(&output, &known[k - 1]))
                .collect()
        })
    });
    if order > 0 && inputs.iter().any(|input| input.dtype().is_floating()) {
        or_raise(cut(&inputs, &outputs, &walk));
    }
    running.finish(&walk);
    (rebuilt(&output, &outputs), derivatives)
}

/// An error when no output depends differentiably on any input although paths exist.
fn cut(inputs: &[Tensor], outputs: &[Tensor], walk: &Walk) -> Result<(), crate::error::Error> {
    if outputs.is_empty() || outputs.iter().any(|output| walk.row(output).is_some()) {
        return Ok(());
    }
    let missing = |input| super::record::missing_derivative(input, outputs, "taylor");
    inputs.iter().find_map(missing).map_or(Ok(()), Err)
}

/// The number of a series in an expansion.
type Id = usize;

/// A coefficient; `None` is zero.
type Coefficient = Option<Tensor>;

/// How the coefficients of a series come about.
#[derive(Clone)]
enum Rule {
    /// All that are not there are zero.
    Finite,
    /// An output of an elementwise operation, or of one with a rule, whose slope nobody has asked for.
    Unopened(Rc<Operands>),
    /// `y' = s` for another series.
    Integral(Id),
    /// `y = s'` for another series.
    Slope(Id),
    /// The sum of products of pairs of series.
    Products(Vec<(Id, Id)>),
    /// One output of a linear operation; all outputs are computed together.
    Linear(Rc<Operands>, usize),
    /// The only output of a multilinear operation.
    Multilinear(Rc<Operands>),
    /// An operation that is linear along a route which the values have chosen.
    Routed(Rc<Operands>, Tensor),
    /// The sum of series.
    Sum(Vec<Id>),
}

struct Operands {
    step: Step,
    series: Vec<Id>,
}

struct Series {
    coefficients: Vec<Coefficient>,
    rule: Rule,
    like: Tensor,
}

/// The series of all tensors met so far, each extended as far as somebody has asked.
#[derive(Default)]
struct Expansion {
    series: Vec<Series>,
    /// Series by node and output.
    known: HashMap<(u64, u32), Id>,
    /// Nodes by a hash of operation and inputs, so that what computes the same shares its series.
    twins: HashMap<u64, Vec<(Tensor, Vec<Id>)>>,
}

impl Expansion {
    /// The series of an input: its value and the direction.
    fn start(&mut self, input: &Tensor, direction: &Tensor) {
        let moves = input.dtype().is_floating() && !direction.is_absent();
        let slope = moves.then(|| direction.cast(input.dtype()));
        let id = self.push(vec![Some(input.clone()), slope], Rule::Finite, input);
        self.known.insert(input.key(), id);
    }

    fn push(&mut self, coefficients: Vec<Coefficient>, rule: Rule, like: &Tensor) -> Id {
        let like = like.clone();
        self.series.push(Series {
            coefficients,
            rule,
            like,
        });
        self.series.len() - 1
    }

    /// The derivatives of the outputs, by order and then by output.
    fn outputs(&mut self, outputs: &[Tensor], order: usize) -> Vec<Vec<Tensor>> {
        let ids: Vec<Id> = outputs.iter().map(|output| self.of(output)).collect();
        let recorded = self.series.len();
        let mut factorial = 1.0;
        (1..=order)
            .map(|k| {
                // Low orders of everything first, so that asking for the next one never recurses deeply.
                for id in 0..recorded {
                    self.coefficient(id, k);
                }
                factorial *= k as f64;
                let entries = ids.iter().zip(outputs);
                entries
                    .map(|(&id, output)| match self.coefficient(id, k) {
                        Some(coefficient) => scaled(&coefficient, factorial),
                        None => Tensor::absent(output),
                    })
                    .collect()
            })
            .collect()
    }

    /// The series of a tensor; a constant if nothing is known of it.
    fn of(&mut self, tensor: &Tensor) -> Id {
        if let Some(&id) = self.known.get(&tensor.key()) {
            return id;
        }
        let id = self.push(vec![Some(tensor.clone())], Rule::Finite, tensor);
        self.known.insert(tensor.key(), id);
        id
    }

    /// Makes the series of everything that a walk computes known.
    fn add_walk(&mut self, walk: &Walk) {
        for step in &walk.steps {
            with_place(step.node.place(), || self.add(step));
        }
    }

    fn add(&mut self, step: &Step) {
        let outputs = step.outputs();
        if self.known.contains_key(&outputs[0].key()) {
            return;
        }
        let inputs: Vec<Id> = step.inputs.iter().map(|input| self.of(input)).collect();
        if let Some(twin) = self.twin(step, &inputs) {
            for (output, twin) in outputs.iter().zip(twin.all_outputs()) {
                let id = self.of(&twin);
                self.known.insert(output.key(), id);
            }
            return;
        }
        let operands = || {
            Rc::new(Operands {
                step: Step {
                    node: step.node.clone(),
                    inputs: step.inputs.clone(),
                },
                series: inputs.clone(),
            })
        };
        match step.node.operation.derivative() {
            // Their slopes are worked out when somebody asks for more than the value: a partial may have one of its own
            // kind as its partial, without end.
            Derivative::Elementwise(_) | Derivative::Rule(_) => {
                let operands = operands();
                for output in &outputs {
                    self.define(output, Rule::Unopened(operands.clone()));
                }
            }
            Derivative::Linear(_) => {
                let operands = operands();
                for (position, output) in outputs.iter().enumerate() {
                    self.define(output, Rule::Linear(operands.clone(), position));
                }
            }
            Derivative::Multilinear(_) => self.define(&outputs[0], Rule::Multilinear(operands())),
            Derivative::Routed(routed) => {
                let route = routed.route(&step.inputs, &outputs);
                self.define(&outputs[0], Rule::Routed(operands(), route));
            }
            Derivative::Body => {
                let opened = open(&step.node, &step.inputs);
                for (inner, &input) in opened.inputs.iter().zip(&inputs) {
                    self.known.insert(inner.key(), input);
                }
                self.add_walk(&opened.walk);
                for (output, inner) in outputs.iter().zip(&opened.outputs) {
                    let id = self.of(inner);
                    let alias = self.push(vec![Some(output.clone())], Rule::Sum(vec![id]), output);
                    self.known.insert(output.key(), alias);
                }
            }
            Derivative::NotDifferentiable(_) | Derivative::Source => {
                for output in &outputs {
                    self.define(output, Rule::Finite);
                }
            }
        }
    }

    /// Defines the series of an operation's outputs by their slopes: `y' = Σ partial · x'`.
    fn open(&mut self, operands: &Operands) {
        let step = &operands.step;
        let outputs = step.outputs();
        match step.node.operation.derivative() {
            Derivative::Elementwise(diagonal) => {
                let mut products = Vec::new();
                for (argument, &input) in operands.series.iter().enumerate() {
                    if !self.is_constant(input) {
                        let partial = diagonal.partial(argument, &step.inputs, &outputs[0]);
                        let partial = self.expression(&partial, step.node.id);
                        products.push((partial, self.slope_of(input)));
                    }
                }
                let slope = self.push(Vec::new(), Rule::Products(products), &outputs[0]);
                self.redefine(&outputs[0], Rule::Integral(slope));
            }
            Derivative::Rule(rule) => {
                let inputs = operands.series.iter().zip(step.inputs.iter());
                let tangents: Vec<Option<Tensor>> = inputs
                    .map(|(&input, tensor)| {
                        let moves = !self.is_constant(input) && tensor.dtype().is_floating();
                        moves.then(|| self.stand_in_for_slope(input, tensor))
                    })
                    .collect();
                let images = rule.jvp(&step.inputs, &outputs, &tangents);
                for (output, image) in outputs.iter().zip(images) {
                    let rule = match image {
                        Some(image) => Rule::Integral(self.expression(&image, step.node.id)),
                        None => Rule::Finite,
                    };
                    self.redefine(output, rule);
                }
            }
            _ => unreachable!("other rules are defined at once"),
        }
    }

    fn redefine(&mut self, output: &Tensor, rule: Rule) {
        let id = self.known[&output.key()];
        self.series[id].rule = rule;
    }

    fn define(&mut self, output: &Tensor, rule: Rule) {
        let id = self.push(vec![Some(output.clone())], rule, output);
        self.known.insert(output.key(), id);
    }

    /// The series of a tensor that was computed, after node `newest`, by tensor code from tensors whose series are known.
    fn expression(&mut self, result: &Tensor, newest: u64) -> Id {
        let mut pending = vec![result.clone()];
        let mut steps: Vec<Step> = Vec::new();
        let mut met: HashSet<u64> = HashSet::new();
        while let Some(tensor) = pending.pop() {
            let is_end = self.known.contains_key(&tensor.key()) || tensor.id() <= newest;
            if is_end || !met.insert(tensor.id()) {
                continue;
            }
            let inputs = tensor.node().inputs();
            pending.extend(inputs.iter().cloned());
            steps.push(Step {
                node: tensor.node().clone(),
                inputs,
            });
        }
        steps.sort_unstable_by_key(|step| step.node.id);
        for step in &steps {
            let constant = |input: &Tensor| match self.known.get(&input.key()) {
                Some(&id) => self.is_constant(id),
                None => true,
            };
            if !step.inputs.iter().all(constant) {
                self.add(step);
            }
        }
        self.of(result)
    }

    /// An earlier node that computes the same from the same inputs; `step` becomes known as one if there is none.
    fn twin(&mut self, step: &Step, inputs: &[Id]) -> Option<Tensor> {
        let mut hasher = DefaultHasher::new();
        step.node.operation.hash(&mut hasher);
        inputs.hash(&mut hasher);
        let candidates = self.twins.entry(hasher.finish()).or_default();
        let same = |(twin, theirs): &&(Tensor, Vec<Id>)| {
            twin.node().operation.same(&*step.node.operation) && theirs[..] == *inputs
        };
        if let Some((twin, _)) = candidates.iter().find(same) {
            return Some(twin.clone());
        }
        candidates.push((step.output(), inputs.to_vec()));
        None
    }

    fn is_constant(&self, id: Id) -> bool {
        let series = &self.series[id];
        matches!(series.rule, Rule::Finite) && series.coefficients[1..].iter().all(Option::is_none)
    }

    fn slope_of(&mut self, id: Id) -> Id {
        let like = self.series[id].like.clone();
        self.push(Vec::new(), Rule::Slope(id), &like)
    }

    /// A tensor that stands for the slope of a series in tensor code.
    fn stand_in_for_slope(&mut self, id: Id, like: &Tensor) -> Tensor {
        let first = self.coefficient(id, 1).unwrap_or_else(|| like.zeros_like());
        let identity = crate::primitives::leaf::Identity::operation();
        let stand_in = identity.of(&[&first]);
        let slope = self.slope_of(id);
        self.known.insert(stand_in.key(), slope);
        stand_in
    }

    /// Coefficient `k` of a series, computed with those before it if it is not there.
    fn coefficient(&mut self, id: Id, k: usize) -> Coefficient {
        while self.series[id].coefficients.len() <= k {
            let next = self.series[id].coefficients.len();
            let coefficient = self.computed(id, next);
            // Computing it may have come back here by another way.
            if self.series[id].coefficients.len() == next {
                self.series[id].coefficients.push(coefficient);
            }
        }
        self.series[id].coefficients[k].clone()
    }

    fn computed(&mut self, id: Id, k: usize) -> Coefficient {
        match self.series[id].rule.clone() {
            Rule::Finite => None,
            Rule::Unopened(operands) => {
                with_place(operands.step.node.place(), || self.open(&operands));
                self.computed(id, k)
            }
            Rule::Integral(slope) => {
                let coefficient = self.coefficient(slope, k - 1)?;
                Some(scaled(&coefficient, 1.0 / k as f64))
            }
            Rule::Slope(of) => {
                let coefficient = self.coefficient(of, k + 1)?;
                Some(scaled(&coefficient, (k + 1) as f64))
            }
            Rule::Products(pairs) => self.products(&pairs, k),
            Rule::Sum(terms) => {
                let terms = terms
                    .into_iter()
                    .filter_map(|term| self.coefficient(term, k));
                sum(terms.collect())
            }
            Rule::Linear(operands, output) => self.linear(&operands, output, k),
            Rule::Multilinear(operands) => {
                let mut terms = Vec::new();
                self.multilinear(&operands, &mut SmallVec::new(), k, &mut terms);
                sum(terms)
            }
            Rule::Routed(operands, route) => self.routed(&operands, &route, k),
        }
    }

    /// Coefficient `k` of `Σ a b` over pairs of series.
    fn products(&mut self, pairs: &[(Id, Id)], k: usize) -> Coefficient {
        let mut terms = Vec::new();
        for &(partial, moving) in pairs {
            for j in 0..=k {
                let Some(slope) = self.coefficient(moving, k - j) else {
                    continue;
                };
                if let Some(partial) = self.coefficient(partial, j) {
                    terms.extend(super::forward::scaled(partial, &slope));
                }
            }
        }
        sum(terms)
    }

    fn linear(&mut self, operands: &Operands, output: usize, k: usize) -> Coefficient {
        let Derivative::Linear(linear) = operands.step.node.operation.derivative() else {
            unreachable!("the rule was made for a linear operation")
        };
        let inputs = &operands.step.inputs;
        let coefficients: Vec<Coefficient> = (0..inputs.len())
            .map(|position| match linear.is_fixed(position) {
                true => None,
                false => self.coefficient(operands.series[position], k),
            })
            .collect();
        if coefficients.iter().all(Option::is_none) {
            return None;
        }
        let arguments: Vec<Tensor> = coefficients
            .into_iter()
            .enumerate()
            .map(|(position, coefficient)| match linear.is_fixed(position) {
                true => inputs[position].clone(),
                false => coefficient.unwrap_or_else(|| inputs[position].zeros_like()),
            })
            .collect();
        let arguments: Vec<&Tensor> = arguments.iter().collect();
        Some(operands.step.node.operation.all_of(&arguments)[output].clone())
    }

    /// The terms of a product of series whose orders add up to `k`.
    fn multilinear(
        &mut self,
        operands: &Operands,
        chosen: &mut SmallVec<[Tensor; 2]>,
        k: usize,
        terms: &mut Vec<Tensor>,
    ) {
        let position = chosen.len();
        let is_last = position + 1 == operands.series.len();
        for order in if is_last { k } else { 0 }..=k {
            let Some(coefficient) = self.coefficient(operands.series[position], order) else {
                continue;
            };
            chosen.push(coefficient);
            if is_last {
                let arguments: SmallVec<[&Tensor; 2]> = chosen.iter().collect();
                terms.push(operands.step.node.operation.of(&arguments));
            } else {
                self.multilinear(operands, chosen, k - order, terms);
            }
            chosen.pop();
        }
    }

    fn routed(&mut self, operands: &Operands, route: &Tensor, k: usize) -> Coefficient {
        let Derivative::Routed(routed) = operands.step.node.operation.derivative() else {
            unreachable!("the rule was made for a routed operation")
        };
        let coefficients: Vec<Coefficient> = operands
            .series
            .iter()
            .map(|&series| self.coefficient(series, k))
            .collect();
        if coefficients.iter().all(Option::is_none) {
            return None;
        }
        let inputs = coefficients.into_iter().zip(operands.step.inputs.iter());
        let arguments: Vec<Tensor> = inputs
            .map(|(coefficient, input)| coefficient.unwrap_or_else(|| input.zeros_like()))
            .collect();
        Some(routed.apply(route, &arguments))
    }
}

fn scaled(tensor: &Tensor, number: f64) -> Tensor {
    if number == 1.0 {
        return tensor.clone();
    }
    tensor * number
}

fn sum(terms: Vec<Tensor>) -> Coefficient {
    terms.into_iter().reduce(|sum, term| sum + term)
}
