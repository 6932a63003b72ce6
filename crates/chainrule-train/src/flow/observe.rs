//! Collecting the numbers of a step from tensors.

use super::record::{ActivationKind, ActivationRecord, ParameterRecord, StepRecord};
use chainrule_core::tree::{Tree, leaves, named_leaves};
use chainrule_core::{DType, Gradients, Tensor, evaluate, untracked};
use std::sync::Arc;

/// What is to be seen in one step: sums over parameters, gradients and activations that are recorded and computed
/// together, when [`GradientFlow::observe`](super::GradientFlow::observe) takes them.
pub struct Observation {
    step: u64,
    parameters: Vec<Parameter>,
    activations: Vec<Activation>,
}

/// A parameter with the sums to come.
struct Parameter {
    record: ParameterRecord,
    /// Which leaf of the model it is.
    leaf: usize,
    before: Tensor,
    /// Of the squares of the gradient and of the parameter, the zeros in the gradient.
    sums: [Tensor; 3],
    update: Option<Tensor>,
}

struct Activation {
    record: ActivationRecord,
    squares: Tensor,
    /// By unit, whether all are zero.
    silent: Option<Tensor>,
    saturated: Option<Tensor>,
}

impl Observation {
    /// A step with the gradients as a tree of the model's structure, as `value_and_grad` gives them; `model` as it was
    /// when they were taken.
    ///
    /// Parameters that are not tracked and have no gradient are frozen: they are left out.
    ///
    /// # Panics
    /// When the tree of gradients has fewer leaves than the model.
    #[track_caller]
    pub fn of<M: Tree>(step: u64, model: &M, gradients: &M) -> Observation {
        let gradients = leaves(gradients);
        Observation::new(step, model, |number, _| gradients[number].clone())
    }

    /// A step with the gradients of a backward pass; `model` as it was when they were taken.
    ///
    /// Make it before the update is computed: a table of gradients keeps no values, so asked afterwards it computes the
    /// backward pass again.
    #[track_caller]
    pub fn of_backward<M: Tree>(step: u64, model: &M, gradients: &Gradients) -> Observation {
        Observation::new(step, model, |_, leaf| gradients.of(leaf))
    }

    fn new<M: Tree>(
        step: u64,
        model: &M,
        gradient: impl Fn(usize, &Tensor) -> Tensor,
    ) -> Observation {
        let mut parameters = Vec::new();
        for (number, (name, leaf)) in named_leaves(model).into_iter().enumerate() {
            if !leaf.dtype().is_floating() {
                continue;
            }
            let gradient = gradient(number, leaf);
            let frozen = gradient.is_absent() && !leaf.is_tracked();
            if !frozen {
                parameters.push(Parameter::new(number, name, leaf, &gradient));
            }
        }
        Observation {
            step,
            parameters,
            activations: Vec::new(),
        }
    }

    /// Adds the change from the model that was given first to `after`: what the optimiser did. The old values are needed
    /// for it, so the update of an observed step cannot be done in place.
    ///
    /// # Panics
    /// When `after` has fewer leaves.
    #[track_caller]
    pub fn updated_to<M: Tree>(mut self, after: &M) -> Observation {
        let after = leaves(after);
        for parameter in &mut self.parameters {
            let difference = untracked(|| wide(after[parameter.leaf]) - wide(&parameter.before));
            parameter.update = Some(sum_of_squares(&difference));
        }
        self
    }

    /// Adds the output of a layer. Its units lie along the last axis, or along axis 1 of pictures (rank 4 and 5).
    #[track_caller]
    pub fn activation(mut self, layer: &str, kind: ActivationKind, output: &Tensor) -> Observation {
        self.activations.push(Activation::new(layer, kind, output));
        self
    }

    /// Adds what `chainrule_nn::observe` saw the layers put out. What a layer does is read off the operation that made its
    /// output, so a layer of one's own that ends in `.relu()` counts as a ReLU; one that passes on the output of a layer
    /// inside it is counted once.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// use chainrule_nn::{Layer, Linear, named, observe};
    /// use chainrule_train::flow::{GradientFlow, Observation};
    /// let model = vec![Linear::new(4, 8), Linear::new(8, 2)];
    /// let x = Tensor::ones([16, 4]);
    /// let forward = || model[1].forward(model[0].forward(&x).tanh()).square().mean(..);
    /// let (loss, seen) = observe(|| named(&model, forward));
    /// let observation = Observation::of_backward(0, &model, &loss.backward()).watched(&seen);
    /// let mut flow = GradientFlow::new();
    /// assert!(flow.observe(observation).is_empty());
    /// assert_eq!(&*flow.records()[0].activations[1].layer, "1");
    /// ```
    #[track_caller]
    pub fn watched(mut self, seen: &[chainrule_nn::Observation]) -> Observation {
        let mut before: Option<&Tensor> = None;
        for layer in seen {
            let output = layer
                .outputs
                .first()
                .filter(|output| output.dtype().is_floating());
            let Some(output) = output else {
                continue;
            };
            if before.is_some_and(|before| before.id() == output.id()) {
                continue;
            }
            before = Some(output);
            let kind = match output.operation_name() {
                "relu" => ActivationKind::Relu,
                "sigmoid" => ActivationKind::Sigmoid,
                "tanh" => ActivationKind::Tanh,
                _ => ActivationKind::Other,
            };
            let name = if layer.path.is_empty() {
                layer.kind
            } else {
                &layer.path
            };
            self = self.activation(name, kind, output);
        }
        self
    }

    /// The numbers, all computed in one evaluation.
    pub(super) fn into_record(self) -> StepRecord {
        let mut wanted: Vec<&Tensor> = Vec::new();
        for parameter in &self.parameters {
            wanted.extend(&parameter.sums);
            wanted.extend(&parameter.update);
        }
        for activation in &self.activations {
            wanted.push(&activation.squares);
            wanted.extend(activation.silent.iter().chain(&activation.saturated));
        }
        evaluate(&wanted);
        StepRecord {
            step: self.step,
            parameters: self.parameters.into_iter().map(Parameter::read).collect(),
            activations: self.activations.into_iter().map(Activation::read).collect(),
        }
    }
}

/// In 64 bits: squares of gradients below 10⁻²² would be zero in 32, and squares above 10¹⁹ infinite.
fn wide(tensor: &Tensor) -> Tensor {
    tensor.cast(DType::F64)
}

fn sum_of_squares(tensor: &Tensor) -> Tensor {
    untracked(|| wide(tensor).square().sum(..))
}

impl Parameter {
    fn new(leaf: usize, name: String, parameter: &Tensor, gradient: &Tensor) -> Parameter {
        let layer = match name.rsplit_once('.') {
            Some((layer, _)) => layer,
            None => "model",
        };
        // A derivative's nodes carry the line of what they differentiate: the call of the layer.
        let place = if gradient.is_absent() {
            parameter.place()
        } else {
            gradient.place()
        };
        // Summed as the squares are: a sum of the same kind shares their pass.
        let zeros = untracked(|| wide(&gradient.eq(0.0)).sum(..));
        Parameter {
            leaf,
            record: ParameterRecord {
                layer: layer.into(),
                source: place.to_string().into(),
                elements: parameter.elements(),
                rank: parameter.rank(),
                gradient_norm: 0.0,
                weight_norm: 0.0,
                update_norm: None,
                zero_share: 0.0,
                absent: gradient.is_absent(),
                name: name.into(),
            },
            before: parameter.clone(),
            sums: [sum_of_squares(gradient), sum_of_squares(parameter), zeros],
            update: None,
        }
    }

    fn read(self) -> ParameterRecord {
        let [gradient, parameter, zeros] = &self.sums;
        ParameterRecord {
            gradient_norm: gradient.item::<f64>().sqrt(),
            weight_norm: parameter.item::<f64>().sqrt(),
            update_norm: self.update.map(|update| update.item::<f64>().sqrt()),
            zero_share: zeros.item::<f64>() / self.record.elements.max(1) as f64,
            ..self.record
        }
    }
}

impl Activation {
    fn new(layer: &str, kind: ActivationKind, output: &Tensor) -> Activation {
        let beyond = |low: f64, high: f64| {
            let flat = || output.le(low).logical_or(output.ge(high));
            Some(untracked(|| flat().cast(DType::F32).mean(..)))
        };
        Activation {
            record: ActivationRecord {
                layer: Arc::from(layer),
                source: output.place().to_string().into(),
                kind,
                silent: Vec::new(),
                silent_share: 0.0,
                saturated_share: 0.0,
                spread: 0.0,
            },
            squares: untracked(|| output.square().mean(..)),
            silent: (kind == ActivationKind::Relu).then(|| silent(output)),
            saturated: match kind {
                ActivationKind::Sigmoid => beyond(0.05, 0.95),
                ActivationKind::Tanh => beyond(-0.9, 0.9),
                _ => None,
            },
        }
    }

    fn read(self) -> ActivationRecord {
        let silent = self
            .silent
            .map_or(Vec::new(), |silent| silent.to_vec::<bool>());
        let count = silent.iter().filter(|silent| **silent).count();
        ActivationRecord {
            silent_share: count as f64 / silent.len().max(1) as f64,
            silent,
            saturated_share: self.saturated.map_or(0.0, |share| share.item()),
            spread: self.squares.item::<f64>().sqrt(),
            ..self.record
        }
    }
}

/// For each unit, whether no output is above zero.
fn silent(output: &Tensor) -> Tensor {
    let rank = output.rank();
    if rank == 0 {
        return output.le(0.0).reshape([1]);
    }
    let units = if rank >= 4 { 1 } else { rank - 1 };
    let others: Vec<isize> = (0..rank)
        .filter(|axis| *axis != units)
        .map(|axis| axis as isize)
        .collect();
    untracked(|| match others[..] {
        [] => output.le(0.0),
        _ => output.max(&others[..]).le(0.0),
    })
}
