//! The handle that users hold: a node and which of its outputs.

use crate::backend::{Scalar, Value};
use crate::declare::OperationRef;
use crate::error::{Error, Mismatch, Operand, origin};
use crate::graph::{Device, Edge, Kind, Node, Place, Scope, SharedSpecs, Spec};
use crate::primitives::leaf::{Constant, Identity, Placeholder, TrackedLeaf};
use crate::shape::Shape;
use chainrule_kernels::DType;
use smallvec::SmallVec;
use std::panic::Location;
use std::sync::Arc;

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
#[derive(Clone)]
pub struct Tensor {
    edge: Edge,
}

impl AsRef<Tensor> for Tensor {
    fn as_ref(&self) -> &Tensor {
        self
    }
}

impl Tensor {
    pub(crate) fn from_edge(edge: Edge) -> Tensor {
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

    /// Names the output of the node that this is, in tables of what was met.
    pub(crate) fn key(&self) -> (u64, u32) {
        (self.edge.node.id, self.edge.output)
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

    /// Whether both have the same shape and dtype.
    pub(crate) fn has_kind_of(&self, other: &Tensor) -> bool {
        let shared =
            self.edge.node.specs.is(&other.edge.node.specs) && self.edge.node.specs.len() == 1;
        shared || (self.dtype() == other.dtype() && self.shape() == other.shape())
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

    /// Records `operation` on `inputs` and returns its first output.
    #[track_caller]
    pub(crate) fn try_record(operation: OperationRef, inputs: &[&Tensor]) -> Result<Tensor, Error> {
        let caller = Location::caller();
        let specs = match passed_on(&operation, inputs) {
            Some(specs) => specs,
            None => inferred(&operation, inputs)
                .map_err(|error| error.at(Place::current(caller).location))?,
        };
        let node = Node::recorded(operation, specs, inputs, Place::current(caller));
        let tensor = Tensor::from_node(node);
        crate::graph::keep_bounded(&tensor);
        Ok(tensor)
    }

    /// All outputs of the node, in order.
    pub(crate) fn all_outputs(&self) -> SmallVec<[Tensor; 1]> {
        let outputs = 0..self.edge.node.specs.len() as u32;
        outputs
            .map(|output| {
                Tensor::from_edge(Edge {
                    node: Arc::clone(&self.edge.node),
                    output,
                })
            })
            .collect()
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
        let operation = Constant::operation();
        Tensor::from_node(Node::leaf(operation, spec.into(), value, place))
    }

    /// A leaf of which every element is `scalar`, converted to the spec's dtype.
    #[track_caller]
    pub(crate) fn filled(scalar: Scalar, spec: Spec) -> Tensor {
        Tensor::filled_leaf(Constant::operation(), scalar, spec.into())
    }

    /// A filled leaf that `operation` names.
    #[track_caller]
    pub(crate) fn filled_leaf(
        operation: OperationRef,
        scalar: Scalar,
        specs: SharedSpecs,
    ) -> Tensor {
        let place = Place::current(Location::caller());
        let value = Value::Filled(scalar.cast(specs[0].dtype()));
        Tensor::from_node(Node::leaf(operation, specs, value, place))
    }

    /// A leaf like this tensor of which every element is `number`.
    #[track_caller]
    pub(crate) fn filled_like(&self, number: f64) -> Tensor {
        Tensor::filled_leaf(
            Constant::operation(),
            Scalar::Float(number),
            self.shared_specs(),
        )
    }

    /// The spec, in the form that a node with the same single output can share.
    pub(crate) fn shared_specs(&self) -> SharedSpecs {
        let specs = &self.edge.node.specs;
        match specs.len() {
            1 => specs.clone(),
            _ => self.spec().clone().into(),
        }
    }

    /// A stand-in of this spec, on which operations can be recorded but nothing read.
    #[track_caller]
    pub(crate) fn placeholder(spec: Spec) -> Tensor {
        let place = Place::current(Location::caller());
        Tensor::from_node(Node::placeholder(Placeholder::operation(), spec, place))
    }

    /// The number that every element of a constant is, if that is known without computing anything. A leaf that
    /// somebody differentiates by is no constant.
    pub(crate) fn known_fill(&self) -> Option<f64> {
        let node = &self.edge.node;
        if node.kind != Kind::Leaf || node.is_tracked() {
            return None;
        }
        match node.value(self.edge.output)? {
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
            .cloned()
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

    /// The same value as a constant whose history ends here: it is forgotten as soon as the value is computed.
    ///
    /// For state that is carried from step to step. [`stop_gradient`](Tensor::stop_gradient) only stops derivatives.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let x = Tensor::from(3.0).tracked();
    /// assert!(!(&x * &x).stop_history().is_tracked());
    /// ```
    #[track_caller]
    pub fn stop_history(&self) -> Tensor {
        let place = Place::current(Location::caller());
        let operation = TrackedLeaf::operation();
        Tensor::from_node(Node::identity(
            operation,
            &self.edge,
            Kind::Leaf,
            None,
            place,
        ))
    }

    /// Whether a value can be read: not of what stands on the argument of a running [`vmap`](crate::vmap).
    pub fn has_value(&self) -> bool {
        !self.edge.node.is_abstract()
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
            let original = node.edges().first().cloned();
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

/// The inputs' own specs, where they are all the same and the operation is known to pass that on.
fn passed_on(operation: &OperationRef, inputs: &[&Tensor]) -> Option<SharedSpecs> {
    let (first, others) = inputs.split_first()?;
    let specs = &first.node().specs;
    let same = others.iter().all(|other| other.node().specs.is(specs));
    (same && specs.len() == 1 && operation.keeps_spec_of(specs[0].dtype())).then(|| specs.clone())
}

/// The outputs' specs by the operation's own rule.
fn inferred(operation: &OperationRef, inputs: &[&Tensor]) -> Result<SharedSpecs, Error> {
    let specs: SmallVec<[&Spec; 4]> = inputs.iter().map(|input| input.spec()).collect();
    let outputs = check_devices(&specs)
        .and_then(|()| operation.infer(&specs))
        .and_then(|outputs| outputs.iter().try_for_each(check_size).map(|()| outputs))
        .map_err(|mismatch| {
            let operands: Vec<Operand<'_>> =
                inputs.iter().map(|input| input.as_operand()).collect();
            mismatch.into_error(operation.name(), &operands)
        })?;
    Ok(match inputs.first() {
        Some(first) if outputs.len() == 1 && outputs[0] == *first.spec() => first.shared_specs(),
        _ => outputs.into(),
    })
}

fn check_devices(inputs: &[&Spec]) -> Result<(), Mismatch> {
    let Some((first, others)) = inputs.split_first() else {
        return Ok(());
    };
    match others.iter().find(|other| other.device() != first.device()) {
        None => Ok(()),
        Some(other) => {
            let reason = format!(
                "the operands are on different devices: {} and {}",
                first.device(),
                other.device()
            );
            Err(Mismatch::argument(reason).help("move one with `.to_device(..)`"))
        }
    }
}

fn check_size(output: &Spec) -> Result<(), Mismatch> {
    let fits = output
        .shape()
        .checked_elements()
        .is_some_and(|count| count <= isize::MAX as usize / 16);
    if fits {
        return Ok(());
    }
    let reason = format!(
        "a result of shape {} does not fit in any memory",
        output.shape()
    );
    Err(Mismatch::shape(reason))
}
