//! From a task to an indexed graph: bodies opened, names removed, common subexpressions merged, dead code dropped.

use super::HasKernel;
use super::graph::{Graph, Node, Origin, Ref};
use super::simplify::{simplified, transposed_product};
use crate::backend::{Source, Task, Value};
use crate::declare::{Body, Evaluation, OperationRef, Specs};
use crate::graph::walk::recorded_below;
use crate::graph::{IdMap, Spec};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

type Table = HashMap<u64, SmallVec<[u32; 1]>, BuildHasherDefault<DefaultHasher>>;

struct Lowering<'a> {
    nodes: Vec<Node>,
    /// Nodes by a hash of operation and inputs.
    known: Table,
    has_kernel: HasKernel<'a>,
    task_step: u32,
}

pub(crate) fn lower(task: &Task, has_kernel: HasKernel<'_>) -> Graph {
    let mut lowering = Lowering {
        nodes: Vec::with_capacity(task.leaves().len() + task.steps().len()),
        known: Table::default(),
        has_kernel,
        task_step: 0,
    };
    for leaf in 0..task.leaves().len() as u32 {
        let spec = task.spec(Source::Leaf(leaf)).clone();
        lowering.given(Origin::Leaf(leaf), spec);
    }
    let mut outputs: Vec<SmallVec<[Ref; 1]>> = Vec::with_capacity(task.steps().len());
    for (position, step) in task.steps().iter().enumerate() {
        lowering.task_step = position as u32;
        let inputs = step.inputs().iter().map(|source| match *source {
            Source::Leaf(leaf) => Ref {
                node: leaf,
                output: 0,
            },
            Source::Step(step, output) => outputs[step as usize][output as usize],
        });
        let inputs: SmallVec<[Ref; 2]> = inputs.collect();
        let fill = |reference: Ref| match lowering.nodes[reference.node as usize].origin {
            Origin::Leaf(leaf) => fill_of(&task.leaves()[leaf as usize]),
            Origin::Constant(ref value) => fill_of(value),
            Origin::Operation(_) => None,
        };
        let lowered = match simplified(step.operation(), &inputs, &lowering.nodes, &fill) {
            Some(same) => smallvec::smallvec![same],
            None => lowering.operation(step.operation(), inputs, step.specs().into()),
        };
        outputs.push(lowered);
    }
    let kept = task
        .steps()
        .iter()
        .zip(outputs)
        .enumerate()
        .filter(|(_, (step, _))| step.is_kept());
    let kept = kept
        .map(|(position, (_, outputs))| (position as u32, outputs))
        .collect();
    without_dead_nodes(Graph {
        nodes: lowering.nodes,
        kept,
    })
}

/// The number every element of a value is, if it is filled.
pub(crate) fn fill_of(value: &Value) -> Option<f64> {
    match value {
        Value::Filled(scalar) => Some(scalar.to_f64()),
        Value::Array(_) => None,
    }
}

impl Lowering<'_> {
    fn given(&mut self, origin: Origin, spec: Spec) -> Ref {
        self.nodes.push(Node {
            origin,
            inputs: SmallVec::new(),
            specs: smallvec::smallvec![spec],
            task_step: self.task_step,
        });
        Ref {
            node: self.nodes.len() as u32 - 1,
            output: 0,
        }
    }

    fn operation(
        &mut self,
        operation: &OperationRef,
        inputs: SmallVec<[Ref; 2]>,
        specs: Specs,
    ) -> SmallVec<[Ref; 1]> {
        if let Evaluation::Body(body) = operation.evaluation()
            && !self.runs_as_kernel(operation, &inputs)
        {
            return self.body(body, &inputs);
        }
        if let Some(factors) = transposed_product(operation, &inputs, &self.nodes) {
            let product = self.nodes[inputs[0].node as usize].operation().cloned();
            let turned = factors.map(|factor| self.turned(operation, factor));
            return self.interned(&product.expect("it is a product"), turned.into(), specs);
        }
        self.interned(operation, inputs, specs)
    }

    /// A factor with its last two axes exchanged.
    fn turned(&mut self, exchange: &OperationRef, factor: Ref) -> Ref {
        if let Some(same) = simplified(exchange, &[factor], &self.nodes, &|_| None) {
            return same;
        }
        let spec = &self.nodes[factor.node as usize].specs[factor.output as usize];
        let specs = exchange.infer(&[spec]).expect("a factor is a matrix");
        self.interned(exchange, smallvec::smallvec![factor], specs)[0]
    }

    /// The node that computes an operation on inputs: one that exists already, or a new one.
    fn interned(
        &mut self,
        operation: &OperationRef,
        inputs: SmallVec<[Ref; 2]>,
        specs: Specs,
    ) -> SmallVec<[Ref; 1]> {
        let mut hasher = DefaultHasher::new();
        operation.hash(&mut hasher);
        inputs.hash(&mut hasher);
        let hash = hasher.finish();
        let twin = self.known.get(&hash).and_then(|candidates| {
            candidates.iter().copied().find(|&candidate| {
                let node = &self.nodes[candidate as usize];
                let same = |known: &OperationRef| known.same(&**operation);
                node.operation().is_some_and(same) && node.inputs == inputs && node.specs == specs
            })
        });
        let outputs = specs.len() as u32;
        let node = twin.unwrap_or_else(|| {
            self.nodes.push(Node {
                origin: Origin::Operation(operation.clone()),
                inputs,
                specs,
                task_step: self.task_step,
            });
            let node = self.nodes.len() as u32 - 1;
            self.known.entry(hash).or_default().push(node);
            node
        });
        (0..outputs).map(|output| Ref { node, output }).collect()
    }

    fn runs_as_kernel(&self, operation: &OperationRef, inputs: &[Ref]) -> bool {
        let spec = |input: &Ref| &self.nodes[input.node as usize].specs[input.output as usize];
        (self.has_kernel)(operation, &inputs.iter().map(spec).collect::<Vec<&Spec>>())
    }

    /// A composite's body, recorded on stand-ins for its inputs and copied in its place.
    fn body(&mut self, body: &dyn Body, inputs: &[Ref]) -> SmallVec<[Ref; 1]> {
        let stand_ins: Vec<Tensor> = inputs
            .iter()
            .map(|&input| {
                let node = &self.nodes[input.node as usize];
                Tensor::placeholder(node.specs[input.output as usize].clone())
            })
            .collect();
        let outputs = crate::graph::without_evaluation(|| body.body(&stand_ins));
        let mut rows = IdMap::new();
        let mut lowered: Vec<SmallVec<[Ref; 1]>> = Vec::new();
        for (stand_in, &input) in stand_ins.iter().zip(inputs) {
            rows.insert(stand_in.id(), lowered.len() as u32);
            lowered.push(smallvec::smallvec![input]);
        }
        for step in recorded_below(&stand_ins, &outputs) {
            let references = match step.node.value(0) {
                Some(value) => smallvec::smallvec![
                    self.given(Origin::Constant(value.clone()), step.node.specs[0].clone())
                ],
                None => {
                    let of = |tensor: &Tensor| {
                        let row = rows
                            .get(tensor.id())
                            .expect("inputs come before their readers");
                        lowered[row as usize][tensor.edge().output as usize]
                    };
                    let inputs: SmallVec<[Ref; 2]> = step.inputs.iter().map(of).collect();
                    let nodes = &self.nodes;
                    let fill = |reference: Ref| match &nodes[reference.node as usize].origin {
                        Origin::Constant(value) => fill_of(value),
                        _ => None,
                    };
                    match simplified(&step.node.operation, &inputs, nodes, &fill) {
                        Some(same) => smallvec::smallvec![same],
                        None => {
                            self.operation(&step.node.operation, inputs, step.node.specs[..].into())
                        }
                    }
                }
            };
            rows.insert(step.node.id, lowered.len() as u32);
            lowered.push(references);
        }
        let of = |tensor: &Tensor| {
            let row = rows.get(tensor.id()).expect("every output was recorded");
            lowered[row as usize][tensor.edge().output as usize]
        };
        outputs.iter().map(of).collect()
    }
}

/// The graph without what no kept value needs; nodes move up.
fn without_dead_nodes(graph: Graph) -> Graph {
    let mut alive = vec![false; graph.nodes.len()];
    for reference in graph.kept.iter().flat_map(|(_, outputs)| outputs) {
        alive[reference.node as usize] = true;
    }
    for node in (0..graph.nodes.len()).rev() {
        if alive[node] {
            for input in &graph.nodes[node].inputs {
                alive[input.node as usize] = true;
            }
        }
    }
    let mut moved = vec![0u32; graph.nodes.len()];
    let mut nodes: Vec<Node> = Vec::with_capacity(graph.nodes.len());
    for (old, mut node) in graph.nodes.into_iter().enumerate() {
        if !alive[old] {
            continue;
        }
        for input in &mut node.inputs {
            input.node = moved[input.node as usize];
        }
        moved[old] = nodes.len() as u32;
        nodes.push(node);
    }
    let mut kept = graph.kept;
    for reference in kept.iter_mut().flat_map(|(_, outputs)| outputs) {
        reference.node = moved[reference.node as usize];
    }
    Graph { nodes, kept }
}
