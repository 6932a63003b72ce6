//! Sparsity patterns by walking the declarations on sets of elements.
//!
//! Every element of every tensor between the inputs and the outputs gets the set of input elements that it may depend on
//! differentiably. What an operation does to the sets follows from the class of its derivative: elementwise ones unite
//! them place by place, linear and multilinear ones run their own reference value on sets, routed ones and rules run
//! their tangent code, bodies are opened.

use crate::backend::convert::to_array;
use crate::declare::{Array, Data, Derivative, Evaluation, Linear, Set};
use crate::error::Error;
use crate::graph::walk::{Edges, Step, between};
use crate::shape::Layout;
use crate::tensor::Tensor;
use crate::transforms::record::open;
use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Marks a factor that is not known to be zero, while sets are multiplied.
const NUMBER: u32 = u32::MAX;

type Sets = Rc<Vec<Set>>;

/// The sets of the tensors met so far.
pub(crate) struct Detection {
    /// Whether the pattern is that at the inputs' values only.
    local: bool,
    sets: HashMap<(u64, u32), Sets>,
    /// Nodes that depend on the inputs by any edge: their values are not given.
    dependent: HashSet<u64>,
    /// The operations whose rules are being followed: one that is written by itself (the derivative of a solution is a
    /// solution) mixes everything.
    opened: Vec<TypeId>,
}

impl Detection {
    pub(crate) fn new(local: bool) -> Detection {
        Detection {
            local,
            sets: HashMap::new(),
            dependent: HashSet::new(),
            opened: Vec::new(),
        }
    }

    /// Gives each element of `input` a set of its own, numbered from `first`.
    pub(crate) fn number(&mut self, input: &Tensor, first: usize) {
        let sets = (0..input.elements()).map(|element| Set(vec![(first + element) as u32]));
        self.sets.insert(input.key(), Rc::new(sets.collect()));
        self.dependent.insert(input.id());
    }

    /// The sets of the outputs, by a walk from the inputs that were numbered; `None` where there is no path.
    pub(crate) fn walk(
        &mut self,
        inputs: &[Tensor],
        outputs: &[Tensor],
    ) -> Result<Vec<Option<Sets>>, Error> {
        for step in &between(inputs, outputs, Edges::All).steps {
            self.dependent.insert(step.node.id);
        }
        self.follow(inputs, outputs)
    }

    /// Walks from tensors whose sets are known to `outputs`. Sets are dropped after their last reader.
    fn follow(
        &mut self,
        inputs: &[Tensor],
        outputs: &[Tensor],
    ) -> Result<Vec<Option<Sets>>, Error> {
        let walk = between(inputs, outputs, Edges::Differentiable);
        let mut readers: HashMap<(u64, u32), usize> = HashMap::new();
        for tensor in walk
            .steps
            .iter()
            .flat_map(|step| step.inputs.iter())
            .chain(outputs)
        {
            *readers.entry(tensor.key()).or_default() += 1;
        }
        for step in &walk.steps {
            let images = self.images(step)?;
            for (output, image) in step.outputs().iter().zip(images) {
                if let (Some(image), true) = (image, readers.contains_key(&output.key())) {
                    self.sets.insert(output.key(), image);
                }
            }
            for input in &step.inputs[..] {
                let left = readers.get_mut(&input.key()).expect("counted above");
                *left -= 1;
                if *left == 0 {
                    self.sets.remove(&input.key());
                }
            }
        }
        Ok(outputs.iter().map(|output| self.of(output)).collect())
    }

    fn of(&self, tensor: &Tensor) -> Option<Sets> {
        self.sets.get(&tensor.key()).cloned()
    }

    /// The sets of a step's outputs.
    fn images(&mut self, step: &Step) -> Result<Vec<Option<Sets>>, Error> {
        let outputs = step.outputs();
        let none = || vec![None; outputs.len()];
        if step.inputs.iter().all(|input| self.of(input).is_none()) {
            return Ok(none());
        }
        Ok(match step.node.operation.derivative() {
            Derivative::Elementwise(diagonal) => {
                let mut united: Option<Sets> = None;
                for (argument, input) in step.inputs.iter().enumerate() {
                    let Some(sets) = self.of(input) else { continue };
                    if diagonal.known_partial(argument) == Some(0.0) {
                        continue;
                    }
                    let sets = match self.local {
                        false => sets,
                        true => {
                            let partial = diagonal.partial(argument, &step.inputs, &outputs[0]);
                            let partial = partial.expand(outputs[0].shape());
                            where_not_zero(&sets, &partial)?
                        }
                    };
                    unite(&mut united, sets);
                }
                vec![united]
            }
            Derivative::Linear(linear) => self.linear(step, linear)?,
            Derivative::Multilinear(_) => vec![self.multilinear(step)?],
            Derivative::Routed(routed) => {
                let route = routed.route(&step.inputs, &outputs);
                self.by_code(step, |tangents| vec![Some(routed.apply(&route, tangents))])?
            }
            Derivative::Rule(rule) => {
                let declared = step.node.operation.declaration().type_id();
                if self.opened.contains(&declared) {
                    return Ok(self.everything(step));
                }
                self.opened.push(declared);
                let images = self.by_code(step, |tangents| {
                    let tangents: Vec<_> = tangents.iter().cloned().map(Some).collect();
                    rule.jvp(&step.inputs, &outputs, &tangents)
                });
                self.opened.pop();
                images?
            }
            Derivative::Body => self.body(step)?,
            Derivative::NotDifferentiable(_) | Derivative::Source => none(),
        })
    }

    fn linear(&mut self, step: &Step, linear: &dyn Linear) -> Result<Vec<Option<Sets>>, Error> {
        let is_open = |position: usize, input: &Tensor| {
            linear.is_fixed(position) && !self.local && self.dependent.contains(&input.id())
        };
        let open_at: Vec<usize> = (0..step.inputs.len())
            .filter(|&position| is_open(position, &step.inputs[position]))
            .collect();
        match step.node.operation.evaluation() {
            Evaluation::View(viewing) => {
                let Some(sets) = self.of(&step.inputs[0]) else {
                    return Ok(vec![None]);
                };
                let layout = Layout::contiguous(step.inputs[0].shape().clone());
                let viewed = viewing
                    .view(&layout, &step.node.specs[0])
                    .expect("a contiguous input can be viewed by every viewing primitive");
                let picked = viewed.positions().map(|position| sets[position].clone());
                Ok(vec![Some(Rc::new(picked.collect()))])
            }
            Evaluation::Reference(_) => {
                let mut arrays = Vec::new();
                for (position, input) in step.inputs.iter().enumerate() {
                    arrays.push(match linear.is_fixed(position) {
                        true if open_at.contains(&position) => None,
                        true => Some(to_array(&input.known_value(), input.spec())?),
                        false => Some(Array::new(
                            input.shape(),
                            Data::Sets(self.sets_or_empty(input)),
                        )),
                    });
                }
                self.linear_image(step, &arrays)
            }
            Evaluation::Body(_) => self.body(step),
            Evaluation::Cast | Evaluation::Pointwise(_) => {
                let chooses = open_at.is_empty()
                    && (0..step.inputs.len()).any(|position| linear.is_fixed(position));
                let mut united: Option<Sets> = None;
                for (position, input) in step.inputs.iter().enumerate() {
                    let Some(sets) = self.of(input) else { continue };
                    let sets = match chooses {
                        false => sets,
                        true => where_not_zero(&sets, &weight(step, linear, position))?,
                    };
                    unite(&mut united, sets);
                }
                Ok(vec![united])
            }
        }
    }

    /// The reference value on sets. Where an operand that chooses is not known (`None`), a condition is taken both ways,
    /// and an index as one that may be anything.
    fn linear_image(
        &self,
        step: &Step,
        arrays: &[Option<Array>],
    ) -> Result<Vec<Option<Sets>>, Error> {
        let Some(unknown) = arrays.iter().position(Option::is_none) else {
            let Evaluation::Reference(reference) = step.node.operation.evaluation() else {
                unreachable!("only reference values are run on sets")
            };
            let arrays: Vec<Array> = arrays.iter().flatten().cloned().collect();
            let images = reference.value(&arrays, &step.node.specs)?;
            return Ok(images
                .into_iter()
                .map(|image| Some(sets_of(image)))
                .collect());
        };
        let operand = &step.inputs[unknown];
        if operand.dtype() != chainrule_kernels::DType::Bool {
            return Ok(self.everything(step));
        }
        let mut united: Option<Vec<Option<Sets>>> = None;
        for truth in [false, true] {
            let mut arrays = arrays.to_vec();
            let chosen = Data::Bool(vec![truth; operand.elements()]);
            arrays[unknown] = Some(Array::new(operand.shape(), chosen));
            let images = self.linear_image(step, &arrays)?;
            united = Some(match united {
                None => images,
                Some(others) => {
                    let pairs = others.into_iter().zip(images);
                    pairs
                        .map(|(first, second)| match (first, second) {
                            (Some(first), Some(second)) => Some(union(&first, &second)),
                            (first, second) => first.or(second),
                        })
                        .collect()
                }
            });
        }
        Ok(united.expect("a condition has two ways"))
    }

    /// Every element of every output depends on every element of every input.
    fn everything(&self, step: &Step) -> Vec<Option<Sets>> {
        let sets = step.inputs.iter().filter_map(|input| self.of(input));
        let mut all: Vec<u32> = sets
            .flat_map(|sets| {
                sets.iter()
                    .flat_map(|set| set.0.clone())
                    .collect::<Vec<_>>()
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        let outputs = step.node.specs.iter();
        outputs
            .map(|spec| Some(Rc::new(vec![Set(all.clone()); spec.elements()])))
            .collect()
    }

    /// For each argument, the reference value on its sets, with the others as numbers that may or must be zero.
    fn multilinear(&mut self, step: &Step) -> Result<Option<Sets>, Error> {
        let Evaluation::Reference(reference) = step.node.operation.evaluation() else {
            return Ok(self.body(step)?.swap_remove(0));
        };
        let factors: Vec<Array> = step
            .inputs
            .iter()
            .map(|input| self.factor(input))
            .collect::<Result<_, Error>>()?;
        let mut united: Option<Sets> = None;
        for (argument, input) in step.inputs.iter().enumerate() {
            if self.of(input).is_none() {
                continue;
            }
            let mut arrays = factors.clone();
            arrays[argument] = Array::new(input.shape(), Data::Sets(self.sets_or_empty(input)));
            let mut images = reference.value(&arrays, &step.node.specs)?;
            let image = without_numbers(images.swap_remove(0));
            unite(&mut united, image);
        }
        Ok(united)
    }

    /// A tensor as a factor: marked wherever it is not known to be zero.
    fn factor(&self, tensor: &Tensor) -> Result<Array, Error> {
        let open = !self.local && self.dependent.contains(&tensor.id());
        let sets = match open {
            true => vec![Set(vec![NUMBER]); tensor.elements()],
            false => {
                let marked = |is_zero: bool| {
                    if is_zero {
                        Set::default()
                    } else {
                        Set(vec![NUMBER])
                    }
                };
                zeros(tensor)?.into_iter().map(marked).collect()
            }
        };
        Ok(Array::new(tensor.shape(), Data::Sets(sets)))
    }

    /// The sets along tangent code, which is linear in the tangents.
    fn by_code(
        &mut self,
        step: &Step,
        code: impl Fn(&[Tensor]) -> Vec<Option<Tensor>>,
    ) -> Result<Vec<Option<Sets>>, Error> {
        let identity = crate::primitives::leaf::Identity::operation();
        let tangents: Vec<Tensor> = step
            .inputs
            .iter()
            .map(|input| identity.of(&[&input.zeros_like()]))
            .collect();
        let images = code(&tangents);
        let present: Vec<Tensor> = images.iter().flatten().cloned().collect();
        let outputs = step.outputs();
        let given = step.inputs.iter().chain(&outputs);
        let mut origins: Vec<Tensor> = given
            .filter(|tensor| self.dependent.contains(&tensor.id()))
            .cloned()
            .collect();
        origins.extend(tangents.iter().cloned());
        for inner in &between(&origins, &present, Edges::All).steps {
            self.dependent.insert(inner.node.id);
        }
        let pairs = tangents.iter().zip(step.inputs.iter());
        let start = pairs.filter_map(|(tangent, input)| Some((tangent.clone(), self.of(input)?)));
        let mut found = self.apart(start.collect(), &present)?.into_iter();
        let found = images
            .iter()
            .map(|image| image.as_ref().and_then(|_| found.next().flatten()));
        Ok(found.collect())
    }

    /// Follows code from tensors with the given sets, apart from the sets of the walk that is under way.
    fn apart(
        &mut self,
        start: Vec<(Tensor, Sets)>,
        outputs: &[Tensor],
    ) -> Result<Vec<Option<Sets>>, Error> {
        let outer = std::mem::take(&mut self.sets);
        let mut inputs = Vec::new();
        for (input, sets) in start {
            self.sets.insert(input.key(), sets);
            inputs.push(input);
        }
        let found = self.follow(&inputs, outputs);
        self.sets = outer;
        found
    }

    fn body(&mut self, step: &Step) -> Result<Vec<Option<Sets>>, Error> {
        let opened = open(&step.node, &step.inputs);
        let (mut origins, mut start) = (Vec::new(), Vec::new());
        for (inner, input) in opened.inputs.iter().zip(step.inputs.iter()) {
            if self.dependent.contains(&input.id()) {
                self.dependent.insert(inner.id());
                origins.push(inner.clone());
            }
            if let Some(sets) = self.of(input) {
                start.push((inner.clone(), sets));
            }
        }
        for inner in &between(&origins, &opened.outputs, Edges::All).steps {
            self.dependent.insert(inner.node.id);
        }
        self.apart(start, &opened.outputs)
    }

    fn sets_or_empty(&self, tensor: &Tensor) -> Vec<Set> {
        match self.of(tensor) {
            Some(sets) => sets.to_vec(),
            None => vec![Set::default(); tensor.elements()],
        }
    }
}

/// The factor by which an elementwise linear operation takes part of one of its free inputs.
fn weight(step: &Step, linear: &dyn Linear, position: usize) -> Tensor {
    let inputs = step.inputs.iter().enumerate();
    let arguments: Vec<Tensor> = inputs
        .map(
            |(other, input)| match (linear.is_fixed(other), other == position) {
                (true, _) => input.clone(),
                (false, true) => input.ones_like(),
                (false, false) => input.zeros_like(),
            },
        )
        .collect();
    step.node
        .operation
        .of(&arguments.iter().collect::<Vec<_>>())
}

fn sets_of(array: Array) -> Sets {
    match array.data {
        Data::Sets(sets) => Rc::new(sets),
        _ => unreachable!("sets in, sets out"),
    }
}

/// Adds sets to those that are there already.
fn unite(united: &mut Option<Sets>, sets: Sets) {
    *united = Some(match united.take() {
        None => sets,
        Some(others) => union(&others, &sets),
    });
}

fn union(first: &[Set], second: &[Set]) -> Sets {
    let pairs = first.iter().zip(second);
    Rc::new(pairs.map(|(first, second)| first.union(second)).collect())
}

/// The sets, emptied where `partial` is zero.
fn where_not_zero(sets: &[Set], partial: &Tensor) -> Result<Sets, Error> {
    let kept = sets.iter().zip(zeros(partial)?);
    let kept = kept.map(|(set, is_zero)| if is_zero { Set::default() } else { set.clone() });
    Ok(Rc::new(kept.collect()))
}

/// Where a tensor's values are zero.
fn zeros(tensor: &Tensor) -> Result<Vec<bool>, Error> {
    Ok(match to_array(&tensor.known_value(), tensor.spec())?.data {
        Data::F32(values) => values.iter().map(|&value| value == 0.0).collect(),
        Data::F64(values) => values.iter().map(|&value| value == 0.0).collect(),
        Data::I64(values) => values.iter().map(|&value| value == 0).collect(),
        Data::I32(values) => values.iter().map(|&value| value == 0).collect(),
        Data::U8(values) => values.iter().map(|&value| value == 0).collect(),
        Data::Bool(values) => values.iter().map(|&value| !value).collect(),
        Data::Sets(_) => unreachable!("sets are never stored"),
    })
}

fn without_numbers(array: Array) -> Sets {
    let Data::Sets(mut sets) = array.data else {
        unreachable!("sets in, sets out")
    };
    for set in &mut sets {
        set.0.retain(|&element| element != NUMBER);
    }
    Rc::new(sets)
}
