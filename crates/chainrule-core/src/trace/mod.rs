//! The graph as an object: traced once, run forward and backward again and again, and asked about every node.

mod engine;
mod local;
mod node;
mod paths;
mod recording;
mod scalar;

pub use local::LocalDerivative;
pub use node::{GraphNode, NodeKind, Operand, Structure};
pub use paths::{GradientPath, GradientPaths, PathCount};

use crate::backend::Value;
use crate::error::{Error, ErrorKind, or_raise, raise};
use crate::graph::watch::Reading;
use crate::tensor::Tensor;
use crate::tree::{Tree, leaves, named_leaves, rebuilt};
use engine::Engine;
use recording::Recording;

/// A function as a graph: its nodes in topological order, run again and again on new inputs without tracing it anew.
///
/// [`forward`](Graph::forward) and [`backward`](Graph::backward) run a compiled plan (for programs of single numbers a
/// flat list of instructions); what they return are constants. After them every node has a [`value`](Graph::value) and an
/// [`adjoint`](Graph::adjoint).
///
/// ```
/// use chainrule_core::{Graph, Tensor};
/// let (x, y, z) = (Tensor::from(-2.0), Tensor::from(5.0), Tensor::from(-4.0));
/// let mut graph = Graph::trace(|(x, y, z): &(Tensor, Tensor, Tensor)| (x + y) * z, &(x, y, z));
/// let names: Vec<&str> = graph.nodes().iter().map(|node| node.primitive()).collect();
/// assert_eq!(names, ["input", "input", "input", "add", "mul"]);
/// let inputs = (Tensor::from(1.0), Tensor::from(2.0), Tensor::from(3.0));
/// assert_eq!(graph.forward(&inputs).item::<f64>(), 9.0);
/// let (dx, dy, dz) = graph.backward(&Tensor::from(1.0));
/// assert_eq!([dx, dy, dz].map(|d| d.item::<f64>()), [3.0, 3.0, 3.0]);
/// assert_eq!(graph.adjoint(3).unwrap().item::<f64>(), 3.0);
/// ```
pub struct Graph<P: Tree, O: Tree> {
    input_tree: P,
    output_tree: O,
    nodes: Vec<GraphNode>,
    recording: Recording,
    reading: Option<Reading>,
    same_path: bool,
    same_draws: bool,
    forward: Engine,
    backward: Option<Engine>,
    every_value: Option<Engine>,
    every_adjoint: Option<Engine>,
    /// The values that the engines start from: inputs, then draw states.
    inputs: Vec<Value>,
    /// What the backward pass reads of the forward pass.
    residuals: Vec<Value>,
    cotangents: Option<Vec<Value>>,
    values: Option<Vec<Value>>,
    adjoints: Option<Vec<Option<Value>>>,
}

impl<P: Tree, O: Tree> Graph<P, O> {
    /// Records `f` on `inputs` and compiles it. The graph starts out as if [`forward`](Graph::forward) had been called on
    /// `inputs`.
    ///
    /// # Panics
    /// When the result has no tensor.
    #[track_caller]
    pub fn trace(f: impl Fn(&P) -> O, inputs: &P) -> Graph<P, O> {
        let (recording, output, reading) = Recording::of(f, inputs);
        let names = named_leaves(inputs).into_iter().map(|(name, _)| name);
        let nodes = recording.nodes(&names.collect::<Vec<_>>());
        let forward = recording.forward_engine();
        let values = recording.first_inputs.clone();
        let mut graph = Graph {
            input_tree: crate::tree::mapped(inputs, Tensor::absent),
            output_tree: crate::tree::mapped(&output, Tensor::absent),
            nodes,
            reading,
            same_path: false,
            same_draws: false,
            forward,
            backward: None,
            every_value: None,
            every_adjoint: None,
            inputs: values,
            residuals: Vec::new(),
            cotangents: None,
            values: None,
            adjoints: None,
            recording,
        };
        graph.run_forward();
        graph
    }

    /// Lets the graph be run on new inputs although tracing read a value: the caller knows that the path stays the same.
    pub fn assume_same_path(mut self) -> Graph<P, O> {
        self.same_path = true;
        self
    }

    /// Lets random draws repeat. Otherwise every [`forward`](Graph::forward) makes them anew, from the thread's default
    /// generator.
    pub fn repeat_draws(mut self) -> Graph<P, O> {
        self.same_draws = true;
        self
    }

    /// The nodes in topological order: inputs, draw states and constants first, then one for each operation.
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// The nodes of the inputs' leaves, in order.
    pub fn inputs(&self) -> std::ops::Range<usize> {
        0..self.recording.inputs
    }

    /// Where the outputs' leaves are, in order.
    pub fn outputs(&self) -> &[Operand] {
        &self.recording.outputs
    }

    /// The outputs for new inputs of the same shapes and dtypes.
    ///
    /// # Panics
    /// When a shape or dtype differs, or tracing has read a value and the graph was not told to
    /// [`assume_same_path`](Graph::assume_same_path).
    #[track_caller]
    pub fn forward(&mut self, inputs: &P) -> O {
        if let (Some(reading), false) = (self.reading, self.same_path) {
            let message = format!(
                "forward: tracing read a value that depends on the inputs: `{}` made at {}, read at {}, so another path may \
                 be due for new inputs\n    help: trace again, choose by value with `where_`, or call `assume_same_path()` if \
                 the path never changes",
                reading.operation, reading.made, reading.read
            );
            raise(Error::new(ErrorKind::Derivative, message));
        }
        for (position, leaf) in self
            .checked("forward", leaves(inputs), self.inputs())
            .into_iter()
            .enumerate()
        {
            self.inputs[position] = leaf;
        }
        if !self.same_draws {
            self.recording.draw_anew(&mut self.inputs);
        }
        let outputs = self.run_forward();
        rebuilt(&self.output_tree, &outputs)
    }

    fn run_forward(&mut self) -> Vec<Tensor> {
        let mut results = or_raise(self.forward.run(&self.inputs));
        self.residuals = results.split_off(self.recording.outputs.len());
        self.cotangents = None;
        self.values = None;
        self.adjoints = None;
        let outputs = results.into_iter().zip(&self.recording.outputs);
        outputs
            .map(|(value, &operand)| Tensor::constant_of(value, self.spec(operand).clone()))
            .collect()
    }

    /// The cotangents of the inputs that belong to `cotangents` of the outputs, at the inputs of the last
    /// [`forward`](Graph::forward).
    ///
    /// # Panics
    /// When a shape or dtype differs from the output's.
    #[track_caller]
    pub fn backward(&mut self, cotangents: &O) -> P {
        let given = leaves(cotangents);
        let outputs = self.recording.outputs.clone();
        if given.len() != outputs.len() {
            let message = format!(
                "backward: there are {} outputs and {} cotangents",
                outputs.len(),
                given.len()
            );
            raise(Error::new(ErrorKind::Argument, message));
        }
        let values: Vec<Value> = given
            .iter()
            .zip(&outputs)
            .map(|(cotangent, &operand)| self.fitting("backward", cotangent, operand))
            .collect();
        if self.backward.is_none() {
            self.backward = Some(self.recording.backward_engine());
            self.forward = self.recording.forward_engine();
            self.run_forward();
        }
        let engine = self.backward.as_mut().expect("made above");
        let starts = [&self.inputs[..], &self.residuals, &values].concat();
        let results = or_raise(engine.run(&starts));
        self.cotangents = Some(values);
        self.adjoints = None;
        let mut results = results.into_iter();
        let gradients: Vec<Tensor> = self
            .recording
            .input_adjoints()
            .iter()
            .enumerate()
            .map(|(input, adjoint)| match adjoint {
                Some(_) => {
                    let value = results.next().expect("one for each adjoint");
                    Tensor::constant_of(value, self.nodes[input].specs[0].clone())
                }
                None => Tensor::absent(leaves(&self.input_tree)[input]),
            })
            .collect();
        rebuilt(&self.input_tree, &gradients)
    }

    /// The value of a node (its first output) at the inputs of the last [`forward`](Graph::forward).
    ///
    /// # Panics
    /// When there is no such node.
    #[track_caller]
    pub fn value(&mut self, node: usize) -> Tensor {
        self.check_node(node);
        if self.values.is_none() {
            let recording = &self.recording;
            let engine = self
                .every_value
                .get_or_insert_with(|| recording.every_value_engine());
            self.values = Some(or_raise(engine.run(&self.inputs)));
        }
        let values = self.values.as_ref().expect("computed above");
        Tensor::constant_of(values[node].clone(), self.nodes[node].specs[0].clone())
    }

    /// The adjoint of a node: the derivative of the outputs, weighed by the cotangents of the last
    /// [`backward`](Graph::backward) (ones, if there was none), by the node's value. `None` where no derivative arrives.
    ///
    /// # Panics
    /// When there is no such node.
    #[track_caller]
    pub fn adjoint(&mut self, node: usize) -> Option<Tensor> {
        self.check_node(node);
        if self.adjoints.is_none() {
            let cotangents = self.cotangents.clone().unwrap_or_else(|| self.ones());
            let recording = &mut self.recording;
            let engine = self
                .every_adjoint
                .get_or_insert_with(|| recording.every_adjoint_engine());
            let mut computed =
                or_raise(engine.run(&[&self.inputs[..], &cotangents].concat())).into_iter();
            let adjoints = self.recording.adjoints().iter().map(|adjoint| {
                adjoint
                    .as_ref()
                    .map(|_| computed.next().expect("one for each adjoint"))
            });
            self.adjoints = Some(adjoints.collect());
        }
        let adjoints = self.adjoints.as_ref().expect("computed above");
        let value = adjoints[node].clone()?;
        Some(Tensor::constant_of(
            value,
            self.nodes[node].specs[0].clone(),
        ))
    }

    /// The nodes whose values the backward pass of `node` reads: what must be kept until then.
    ///
    /// # Panics
    /// When there is no such node.
    #[track_caller]
    pub fn kept(&self, node: usize) -> Vec<usize> {
        self.check_node(node);
        let node = &self.nodes[node];
        let reads = node.operation.backward_reads();
        let inputs = node.inputs.iter().enumerate();
        let read = inputs.filter(|(position, _)| reads.reads_input(*position));
        let mut kept: Vec<usize> = read.map(|(_, operand)| operand.node).collect();
        kept.extend(reads.outputs.then_some(node.id));
        kept.sort_unstable();
        kept.dedup();
        kept
    }

    fn ones(&self) -> Vec<Value> {
        let one = |&operand: &Operand| {
            Value::Filled(crate::backend::Scalar::Float(1.0).cast(self.spec(operand).dtype()))
        };
        self.recording.outputs.iter().map(one).collect()
    }

    fn spec(&self, operand: Operand) -> &crate::graph::Spec {
        &self.nodes[operand.node].specs[operand.output]
    }

    #[track_caller]
    fn check_node(&self, node: usize) {
        if node >= self.nodes.len() {
            let message = format!(
                "graph: there is no node {node}; the graph has {}",
                self.nodes.len()
            );
            raise(Error::new(ErrorKind::Argument, message));
        }
    }

    /// The values of tensors that must be like some nodes.
    #[track_caller]
    fn checked(
        &self,
        name: &str,
        given: Vec<&Tensor>,
        nodes: std::ops::Range<usize>,
    ) -> Vec<Value> {
        if given.len() != nodes.len() {
            let message = format!(
                "{name}: the graph has {} inputs, {} were given",
                nodes.len(),
                given.len()
            );
            raise(Error::new(ErrorKind::Argument, message));
        }
        given
            .iter()
            .zip(nodes)
            .map(|(tensor, node)| self.fitting(name, tensor, Operand { node, output: 0 }))
            .collect()
    }

    #[track_caller]
    fn fitting(&self, name: &str, tensor: &Tensor, operand: Operand) -> Value {
        let wanted = self.spec(operand);
        if tensor.shape() != wanted.shape() || tensor.dtype() != wanted.dtype() {
            let message = format!(
                "{name}: `{}` is {} of {} in the traced graph, and was given as {} of {}\n    help: trace the function again \
                 for other shapes or dtypes",
                self.nodes[operand.node].name,
                wanted.shape(),
                wanted.dtype(),
                tensor.shape(),
                tensor.dtype()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        tensor.known_value()
    }
}
