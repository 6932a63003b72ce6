//! The handle that users hold: a node and which of its outputs.

use crate::backend::{Scalar, Value};
use crate::declare::{OperationRef, Specs};
use crate::error::{Error, Operand, origin};
use crate::graph::{Device, Edge, Kind, Node, Place, Scope, Spec};
use crate::primitives::leaf::{Constant, Identity, Placeholder, TrackedLeaf};
use crate::shape::Shape;
use chainrule_kernels::DType;
use smallvec::SmallVec;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// An n-dimensional array that remembers how it was computed.
///
/// A `Tensor` is a cheap handle: cloning it copies no elements. Calling an operation checks shapes and dtypes at once
/// and records a node; values are computed when somebody looks ([`item`](Tensor::item), [`to_vec`](Tensor::to_vec),
/// printing, [`evaluate`](crate::evaluate)). Handles can be sent to and shared between threads.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
/// let y = (&x * 2.0 + 1.0).sum(..);
/// assert_eq!(y.item::<f32>(), 24.0);
/// ```
pub struct Tensor {
    edge: Edge,
}

impl Clone for Tensor {
    fn clone(&self) -> Tensor {
        Tensor::from_edge(self.edge.clone())
    }
}

impl Drop for Tensor {
    fn drop(&mut self) {
        self.edge.node.handles.fetch_sub(1, Relaxed);
    }
}

impl AsRef<Tensor> for Tensor {
    fn as_ref(&self) -> &Tensor {
        self
    }
}

impl Tensor {
    pub(crate) fn from_edge(edge: Edge) -> Tensor {
        edge.node.handles.fetch_add(1, Relaxed);
        Tensor { edge }
    }

    fn from_node(node: Node) -> Tensor {
        Tensor::from_edge(Edge {
            node: Arc::new(node),
            output: 0,
        })
    }

    pub(crate) fn edge(&self) -> &Edge {
        &self.edge
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.edge.node
    }

    /// The number of the node, unique in the process; later nodes have larger ones.
    pub fn id(&self) -> u64 {
        self.edge.node.id
    }

    /// Shape, dtype and device.
    pub fn spec(&self) -> &Spec {
        self.edge.spec()
    }

    /// The extents, outermost axis first.
    pub fn shape(&self) -> &Shape {
        self.spec().shape()
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.spec().dtype()
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape().rank()
    }

    /// The number of elements.
    pub fn elements(&self) -> usize {
        self.shape().elements()
    }

    /// Where the values are computed.
    pub fn device(&self) -> Device {
        self.spec().device()
    }

    /// The name of the operation that made this tensor, such as `matmul`.
    pub fn operation_name(&self) -> &'static str {
        self.edge.node.operation.name()
    }

    /// The user's source line that made this tensor.
    pub fn place(&self) -> &'static Location<'static> {
        self.edge.node.place
    }

    /// The path of the module inside whose forward this tensor was made, such as `encoder.layers.3`; empty outside.
    pub fn module_path(&self) -> String {
        self.edge.node.place().module_path()
    }

    /// Records `operation` on `inputs`.
    #[track_caller]
    pub(crate) fn try_record(
        operation: OperationRef,
        inputs: &[&Tensor],
    ) -> Result<SmallVec<[Tensor; 1]>, Error> {
        let caller = Location::caller();
        let input_specs: SmallVec<[&Spec; 4]> = inputs.iter().map(|input| input.spec()).collect();
        let specs = infer(&operation, &input_specs)
            .map_err(|mismatch| {
                let operands: Vec<Operand<'_>> =
                    inputs.iter().map(|input| input.as_operand()).collect();
                mismatch.into_error(operation.name(), &operands)
            })
            .map_err(|error| error.at(Place::current(caller).location))?;
        let outputs = specs.len();
        let node = Arc::new(Node::recorded(
            operation,
            specs,
            inputs,
            Place::current(caller),
        ));
        let tensors: SmallVec<[Tensor; 1]> = (0..outputs as u32)
            .map(|output| {
                Tensor::from_edge(Edge {
                    node: Arc::clone(&node),
                    output,
                })
            })
            .collect();
        if let Some(first) = tensors.first() {
            crate::graph::keep_bounded(first);
        }
        Ok(tensors)
    }

    pub(crate) fn as_operand(&self) -> Operand<'_> {
        let name = self.operation_name();
        Operand {
            spec: self.spec(),
            origin: match self.edge.node.kind {
                Kind::Leaf => format!("{name} made at {}", self.place()),
                _ => origin(name, self.place()),
            },
        }
    }

    /// A leaf holding `value`.
    #[track_caller]
    pub(crate) fn constant_of(value: Value, spec: Spec) -> Tensor {
        let place = Place::current(Location::caller());
        Tensor::from_node(Node::leaf(Constant::operation(), spec, value, None, place))
    }

    /// A leaf of which every element is `scalar`, converted to the spec's dtype.
    #[track_caller]
    pub(crate) fn filled(scalar: Scalar, spec: Spec) -> Tensor {
        Tensor::filled_leaf(Constant::operation(), scalar, spec)
    }

    /// A filled leaf that `operation` names.
    #[track_caller]
    pub(crate) fn filled_leaf(operation: OperationRef, scalar: Scalar, spec: Spec) -> Tensor {
        let place = Place::current(Location::caller());
        let value = Value::Filled(scalar.cast(spec.dtype()));
        Tensor::from_node(Node::leaf(operation, spec, value, None, place))
    }

    /// A leaf like this tensor of which every element is `number`.
    #[track_caller]
    pub(crate) fn filled_like(&self, number: f64) -> Tensor {
        Tensor::filled(Scalar::Float(number), self.spec().clone())
    }

    /// A stand-in of this spec, on which operations can be recorded but nothing read.
    #[track_caller]
    pub(crate) fn placeholder(spec: Spec) -> Tensor {
        let place = Place::current(Location::caller());
        Tensor::from_node(Node::placeholder(Placeholder::operation(), spec, place))
    }

    /// The number that every element is, if that is known without computing anything.
    pub(crate) fn known_fill(&self) -> Option<f64> {
        if self.edge.node.kind != Kind::Leaf {
            return None;
        }
        match self.edge.node.value(self.edge.output)? {
            Value::Filled(scalar) => Some(scalar.to_f64()),
            Value::Array(_) => None,
        }
    }

    /// The stored value, computed now if it is not there yet.
    #[track_caller]
    pub(crate) fn known_value(&self) -> Value {
        crate::graph::evaluate(&[self]);
        self.edge
            .node
            .value(self.edge.output)
            .expect("an evaluated target has its value")
    }

    /// This tensor as a leaf to differentiate by, as `requires_grad` in PyTorch.
    ///
    /// What is computed from the result remembers its inputs, so that [`backward`](Tensor::backward) works; history
    /// ends here: nothing the tensor was computed from is reached by a backward pass through the result.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let x = Tensor::from(3.0).tracked();
    /// let y = &x * &x;
    /// assert_eq!(y.backward().of(&x).item::<f64>(), 6.0);
    /// ```
    #[track_caller]
    pub fn tracked(&self) -> Tensor {
        let place = Place::current(Location::caller());
        let scope = Some(Scope::lasting());
        let operation = TrackedLeaf::operation();
        let tensor = Tensor::from_node(Node::identity(
            operation,
            &self.edge,
            Kind::Leaf,
            scope,
            place,
        ));
        crate::graph::keep_bounded(&tensor);
        tensor
    }

    /// Whether a derivative by some leaf below this tensor may still be asked for.
    pub fn is_tracked(&self) -> bool {
        self.edge.node.is_tracked()
    }

    /// A fresh input for a transform: the same value under a new id.
    pub(crate) fn fresh(&self, scope: &Arc<Scope>) -> Tensor {
        let node = &self.edge.node;
        if node.is_abstract() {
            // On a placeholder a fresh input is an ordinary identity, so that the outer replay passes through it.
            return Identity::operation().of(&[self]);
        }
        // A fresh input of a transform that has ended is only another name for what it was made from.
        if node.kind == Kind::Fresh && !node.is_tracked() {
            let original = node.state().inputs.first().cloned();
            if let Some(original) = original {
                return Tensor::from_edge(original).fresh(scope);
            }
        }
        let outer = node.scope();
        let scope = Scope::outermost(outer, Some(scope)).cloned();
        let place = node.place();
        let operation = Identity::operation();
        Tensor::from_node(Node::identity(
            operation,
            &self.edge,
            Kind::Fresh,
            scope,
            place,
        ))
    }
}

fn infer(operation: &OperationRef, inputs: &[&Spec]) -> Result<Specs, crate::error::Mismatch> {
    if let [first, others @ ..] = inputs
        && let Some(other) = others.iter().find(|other| other.device() != first.device())
    {
        let reason = format!(
            "the operands are on different devices: {} and {}",
            first.device(),
            other.device()
        );
        return Err(crate::error::Mismatch::argument(reason).help("move one with `.to_device(..)`"));
    }
    let specs = operation.infer(inputs)?;
    for spec in &specs {
        let fits = spec
            .shape()
            .checked_elements()
            .is_some_and(|count| count <= isize::MAX as usize / 16);
        if !fits {
            let reason = format!(
                "a result of shape {} does not fit in any memory",
                spec.shape()
            );
            return Err(crate::error::Mismatch::shape(reason));
        }
    }
    Ok(specs)
}
