//! Recording a function on stand-ins, forward and backward, so that engines can be cut out of it.

use super::engine::Engine;
use super::node::{GraphNode, NodeKind, Operand};
use crate::backend::Value;
use crate::declare::Batch;
use crate::graph::walk::{Edges, between, depending_or, recorded_below};
use crate::graph::watch::{Reading, watching};
use crate::graph::{Slot, Tape, operand, without_evaluation};
use crate::primitives::leaf::{Constant, Placeholder};
use crate::tensor::Tensor;
use crate::tensor::state_of_next_draw;
use crate::transforms::Side;
use crate::transforms::pull_all;
use crate::transforms::record::Running;
use crate::tree::{Tree, leaves, rebuilt};
use smallvec::SmallVec;
use std::collections::HashSet;

/// A function recorded on placeholders.
pub(super) struct Recording {
    tape: Tape,
    /// The number of inputs; draw states follow them.
    pub(super) inputs: usize,
    /// Stand-ins for inputs and draw states.
    pub(super) placeholders: Vec<Tensor>,
    /// The values that inputs and draw states had when they were traced.
    pub(super) first_inputs: Vec<Value>,
    /// The outputs of every step, recorded on the stand-ins.
    steps: Vec<SmallVec<[Tensor; 1]>>,
    pub(super) outputs: Vec<Operand>,
    /// Recorded when it is needed.
    backward: Option<Backward>,
}

/// The backward pass on stand-ins.
struct Backward {
    /// Stand-ins for the cotangents of the outputs.
    seeds: Vec<Tensor>,
    /// The adjoint of every node, where one arrives.
    adjoints: Vec<Option<Tensor>>,
    /// The results of forward steps that the adjoints of the inputs are computed from.
    residuals: Vec<Tensor>,
}

impl Recording {
    /// Records `f`: also its output, and the first value it read.
    pub(super) fn of<P: Tree, O: Tree>(
        f: impl Fn(&P) -> O,
        at: &P,
    ) -> (Recording, O, Option<Reading>) {
        let at_leaves = leaves(at);
        let running = Running::start();
        let inputs = running.fresh(&at_leaves);
        let (output, reading) = watching(&inputs, || f(&rebuilt(at, &inputs)));
        let outputs: Vec<Tensor> = leaves(&output).into_iter().cloned().collect();
        let states = draw_states(&inputs, &outputs);
        let starts = [&inputs[..], &states].concat();
        let tape = Tape::between(&starts, &outputs);
        let first_inputs = starts.iter().map(Tensor::known_value).collect();
        let placeholders: Vec<Tensor> = starts
            .iter()
            .map(|start| Tensor::placeholder(start.spec().clone()))
            .collect();
        let steps = without_evaluation(|| tape.replay_steps(&placeholders, &tape.captured));
        let of = |&slot: &Slot| operand_of(slot, starts.len(), tape.captured.len());
        let outputs = tape.outputs.iter().map(of).collect();
        running.finish(&between(&starts, &outputs_of(&output), Edges::All));
        let recording = Recording {
            tape,
            inputs: inputs.len(),
            placeholders,
            first_inputs,
            steps,
            outputs,
            backward: None,
        };
        (recording, output, reading)
    }

    /// What a graph tells about the nodes.
    pub(super) fn nodes(&self, input_names: &[String]) -> Vec<GraphNode> {
        let mut nodes: Vec<GraphNode> = Vec::new();
        let leaf = |id: usize, name: String, kind: NodeKind, tensor: &Tensor| GraphNode {
            id,
            name,
            kind,
            operation: match kind {
                NodeKind::Constant => Constant::operation(),
                _ => Placeholder::operation(),
            },
            inputs: Vec::new(),
            specs: vec![tensor.spec().clone()],
            place: tensor.place(),
            path: String::new(),
        };
        for (position, tensor) in self.placeholders.iter().enumerate() {
            let (name, kind) = match input_names.get(position) {
                Some(name) => (input_name(name), NodeKind::Input),
                None => (
                    format!("draw{}", position - self.inputs),
                    NodeKind::DrawState,
                ),
            };
            nodes.push(leaf(position, name, kind, tensor));
        }
        for (position, tensor) in self.tape.captured.iter().enumerate() {
            let name = match tensor.known_fill() {
                Some(number) => format!("{number}"),
                None => format!("c{position}"),
            };
            nodes.push(leaf(nodes.len(), name, NodeKind::Constant, tensor));
        }
        for (position, step) in self.tape.steps.iter().enumerate() {
            let of =
                |&slot: &Slot| operand_of(slot, self.placeholders.len(), self.tape.captured.len());
            nodes.push(GraphNode {
                id: nodes.len(),
                name: format!("v{position}"),
                kind: NodeKind::Operation,
                operation: step.operation.clone(),
                inputs: step.inputs.iter().map(of).collect(),
                specs: step.specs.to_vec(),
                place: step.place.location,
                path: step.place.module_path(),
            });
        }
        nodes
    }

    /// The engine from inputs and draw states to the outputs and then what the backward pass reads, once that is recorded.
    pub(super) fn forward_engine(&self) -> Engine {
        let residuals = self
            .backward
            .iter()
            .flat_map(|backward| backward.residuals.clone());
        let results: Vec<Tensor> = self.output_tensors().into_iter().chain(residuals).collect();
        Engine::new(&self.placeholders, &results)
    }

    fn output_tensors(&self) -> Vec<Tensor> {
        let of = |&slot: &Slot| {
            operand(slot, &self.placeholders, &self.tape.captured, &self.steps).clone()
        };
        self.tape.outputs.iter().map(of).collect()
    }

    /// New states for all draws.
    pub(super) fn draw_anew(&self, values: &mut [Value]) {
        for step in &self.tape.steps {
            if let Some(&Slot::Input(input)) = step.inputs.first()
                && input as usize >= self.inputs
                && let Some(state) = state_of_next_draw(&step.operation)
            {
                values[input as usize] = state.known_value();
            }
        }
    }

    fn recorded_backward(&mut self) -> &Backward {
        if self.backward.is_none() {
            self.backward = Some(self.record_backward());
        }
        self.backward.as_ref().expect("recorded above")
    }

    /// The results of forward steps that the backward pass to the inputs reads.
    fn residuals(&self, seeds: &[Tensor], adjoints: &[Option<Tensor>]) -> Vec<Tensor> {
        let wanted: Vec<Tensor> = adjoints[..self.inputs].iter().flatten().cloned().collect();
        let starts = [&self.placeholders[..], seeds].concat();
        let forward: HashSet<u64> = self.steps.iter().map(|outputs| outputs[0].id()).collect();
        let recorded = recorded_below(&starts, &wanted);
        let backward = recorded
            .iter()
            .filter(|step| !forward.contains(&step.node.id));
        let read = backward
            .flat_map(|step| step.inputs.iter().cloned())
            .chain(wanted);
        let mut met = HashSet::new();
        let residual = |tensor: &Tensor| forward.contains(&tensor.id()) && met.insert(tensor.key());
        read.filter(residual).collect()
    }

    fn record_backward(&self) -> Backward {
        let outputs = self.output_tensors();
        let floating: Vec<Tensor> = self
            .placeholders
            .iter()
            .chain(&self.tape.captured)
            .filter(|tensor| tensor.dtype().is_floating())
            .cloned()
            .collect();
        let seeds: Vec<Tensor> = outputs
            .iter()
            .map(|output| Tensor::placeholder(output.spec().clone()))
            .collect();
        let adjoints: Vec<Option<Tensor>> = without_evaluation(|| {
            let walk = between(&floating, &outputs, Edges::Differentiable);
            let mut table = Side::over(&walk);
            for (output, seed) in outputs.iter().zip(&seeds) {
                if output.dtype().is_floating() {
                    table.accumulate(output, seed.clone());
                }
            }
            pull_all(&walk, &mut table);
            self.node_tensors()
                .iter()
                .map(|tensor| table.get(tensor).cloned())
                .collect()
        });
        let residuals = self.residuals(&seeds, &adjoints);
        Backward {
            seeds,
            adjoints,
            residuals,
        }
    }

    /// The first output of every node.
    fn node_tensors(&self) -> Vec<Tensor> {
        let steps = self.steps.iter().map(|outputs| &outputs[0]);
        let leaves = self.placeholders.iter().chain(&self.tape.captured);
        leaves.chain(steps).cloned().collect()
    }

    /// The adjoint of every node, where one arrives.
    pub(super) fn adjoints(&self) -> &[Option<Tensor>] {
        &self
            .backward
            .as_ref()
            .expect("an engine was made first")
            .adjoints
    }

    /// The adjoint of every input.
    pub(super) fn input_adjoints(&self) -> &[Option<Tensor>] {
        &self.adjoints()[..self.inputs]
    }

    /// From inputs, draw states, residuals and cotangents to the adjoints of the inputs.
    pub(super) fn backward_engine(&mut self) -> Engine {
        self.recorded_backward();
        let backward = self.backward.as_ref().expect("recorded above");
        let wanted: Vec<Tensor> = self.input_adjoints().iter().flatten().cloned().collect();
        let starts = [&self.placeholders[..], &backward.residuals, &backward.seeds].concat();
        Engine::new(&starts, &wanted)
    }

    /// From inputs and draw states to the first output of every node.
    pub(super) fn every_value_engine(&self) -> Engine {
        Engine::new(&self.placeholders, &self.node_tensors())
    }

    /// From inputs, draw states and cotangents to the adjoint of every node that has one.
    pub(super) fn every_adjoint_engine(&mut self) -> Engine {
        self.recorded_backward();
        let backward = self.backward.as_ref().expect("recorded above");
        let wanted: Vec<Tensor> = backward.adjoints.iter().flatten().cloned().collect();
        Engine::new(&[&self.placeholders[..], &backward.seeds].concat(), &wanted)
    }
}

fn outputs_of<O: Tree>(output: &O) -> Vec<Tensor> {
    leaves(output).into_iter().cloned().collect()
}

/// The name of an input at a place in the argument: `x` alone, `x0`, `x1` in a tuple, `weight` in a struct.
fn input_name(path: &str) -> String {
    match path.starts_with(|first: char| first.is_ascii_digit()) || path.is_empty() {
        true => format!("x{path}"),
        false => path.to_owned(),
    }
}

/// A slot as a node: inputs and draw states, captured tensors, steps.
fn operand_of(slot: Slot, starts: usize, captured: usize) -> Operand {
    let (node, output) = match slot {
        Slot::Input(input) => (input as usize, 0),
        Slot::Captured(tensor) => (starts + tensor as usize, 0),
        Slot::Step(step, output) => (starts + captured + step as usize, output as usize),
    };
    Operand { node, output }
}

/// The states that draws between the inputs and the outputs start from, each once.
fn draw_states(inputs: &[Tensor], outputs: &[Tensor]) -> Vec<Tensor> {
    let is_draw = |step: &crate::graph::walk::Step| {
        matches!(step.node.operation.batch(), Batch::Draw(_)) && !step.inputs.is_empty()
    };
    let walk = depending_or(inputs, outputs, is_draw);
    let mut met = HashSet::new();
    let mut states = Vec::new();
    for step in walk.steps.iter().filter(|step| is_draw(step)) {
        let state = &step.inputs[0];
        if met.insert(state.id()) {
            states.push(state.clone());
        }
    }
    states
}
