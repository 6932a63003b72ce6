//! The model of a traced graph.

use crate::local;
use crate::model::{Direction, Kind, Local, Model, Node, Structure};
use crate::number::{Array, number_text, shape_text};
use chainrule_core::{
    DType, ErrorKind, Graph, GraphNode, NodeKind, Structure as Jacobian, Tensor, Tree, attempt,
};

/// Tensors with more elements are described by their shape and norm instead of being listed.
pub const LISTED: usize = 64;

/// More inputs than these are not named in the title.
const NAMED: usize = 6;

impl Model {
    /// What a graph knows: the values of the last [`forward`](Graph::forward), the adjoints of the last
    /// [`backward`](Graph::backward) (of ones, if there was none), the local derivatives, what the backward pass reads, and
    /// where each node was made. A function without derivatives, such as one that returns integers, gives a model whose
    /// direction is [`Direction::None`].
    ///
    /// Tensors of more than [`LISTED`] elements are described by their shape and norm.
    ///
    /// ```
    /// use chainrule_core::{Graph, Tensor};
    /// use chainrule_view::Model;
    /// let x = Tensor::from(vec![1.0, 2.0, 3.0]);
    /// let mut graph = Graph::trace(|x: &Tensor| (x * x).sum(..), &x);
    /// let model = Model::of(&mut graph);
    /// assert_eq!(model.expression, "v1 of x");
    /// assert_eq!(model.nodes[0].derivative.as_ref().unwrap().elements, [2.0, 4.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// When a value cannot be computed.
    #[track_caller]
    pub fn of<P: Tree, O: Tree>(graph: &mut Graph<P, O>) -> Model {
        let mut nodes: Vec<Node> = graph.nodes().iter().map(described).collect();
        for (at, node) in nodes.iter_mut().enumerate() {
            node.value = array(&graph.value(at));
            if node.kind == Kind::Constant && node.value.shape.is_empty() {
                node.label = number_text(node.value.elements[0]);
            }
        }
        let direction = match has_adjoints(graph) {
            true => Direction::Reverse,
            false => Direction::None,
        };
        if direction == Direction::Reverse {
            add_adjoints(graph, &mut nodes);
        }
        for at in 0..nodes.len() {
            let locals = (0..nodes[at].inputs.len()).map(|input| local(graph, &nodes, at, input));
            nodes[at].locals = locals.collect();
        }
        let outputs: Vec<usize> = graph.outputs().iter().map(|output| output.node).collect();
        Model {
            expression: title(&nodes, &graph.nodes()[graph.inputs()], &outputs),
            nodes,
            result: outputs[0],
            outputs,
            direction,
        }
    }
}

/// What is known of a node without running the graph.
fn described(node: &GraphNode) -> Node {
    let kind = match node.kind() {
        NodeKind::Input => Kind::Variable,
        NodeKind::Constant | NodeKind::DrawState => Kind::Constant,
        NodeKind::Operation => Kind::Operation,
    };
    Node {
        kind,
        name: (kind == Kind::Variable).then(|| node.name().to_owned()),
        label: node.name().to_owned(),
        primitive: node.primitive().to_owned(),
        detail: detail(node),
        inputs: node.inputs().iter().map(|input| input.node).collect(),
        dtype: node.spec().dtype(),
        value: Array::zeros(&[]),
        derivative: None,
        locals: Vec::new(),
        kept: false,
        span: None,
        place: match node.kind() {
            // Tracing made these, not a line of the program.
            NodeKind::Input | NodeKind::DrawState => None,
            _ => Some(format!("{}:{}", node.place().file(), node.place().line())),
        },
        module: node.path().to_owned(),
    }
}

/// What can be said of an operation besides its operands.
fn detail(node: &GraphNode) -> String {
    let spec = node.spec();
    match node.primitive() {
        "cast" => spec.dtype().to_string(),
        "reshape" => format!(", {}", shape_text(spec.shape())),
        "expand" => shape_text(spec.shape()),
        "permute" if spec.shape().len() > 2 => ", axes".to_owned(),
        _ => String::new(),
    }
}

/// Whether the outputs can be differentiated.
#[track_caller]
fn has_adjoints<P: Tree, O: Tree>(graph: &mut Graph<P, O>) -> bool {
    let floating = graph.outputs().to_vec().iter().any(|output| {
        graph.nodes()[output.node].specs()[output.output]
            .dtype()
            .is_floating()
    });
    floating
        && match attempt(|| graph.adjoint(0)) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::Derivative => false,
            Err(error) => chainrule_core::error::raise(error),
        }
}

/// The adjoints, and which values the backward pass of the nodes that have one reads.
fn add_adjoints<P: Tree, O: Tree>(graph: &mut Graph<P, O>, nodes: &mut [Node]) {
    for at in 0..nodes.len() {
        if nodes[at].kind == Kind::Constant || !nodes[at].dtype.is_floating() {
            continue;
        }
        let Some(adjoint) = graph.adjoint(at) else {
            continue;
        };
        nodes[at].derivative = Some(array(&adjoint));
        for kept in graph.kept(at) {
            nodes[kept].kept = true;
        }
    }
}

/// The derivative of a node by one of its inputs; `None` where none flows.
fn local<P: Tree, O: Tree>(
    graph: &mut Graph<P, O>,
    nodes: &[Node],
    at: usize,
    position: usize,
) -> Option<Local> {
    let (node, source) = (&nodes[at], &nodes[nodes[at].inputs[position]]);
    let flows = source.kind != Kind::Constant
        && source.dtype.is_floating()
        && node.dtype.is_floating()
        && graph.nodes()[at].structure() != Jacobian::None;
    if !flows {
        return None;
    }
    let diagonal = graph.nodes()[at].structure() == Jacobian::Elementwise;
    let derivative = graph.local_derivative(at, position);
    // A gate of the user's may have the name of a primitive that is something else.
    let known = diagonal == local::is_elementwise(&node.primitive);
    let formula = match local::formula(nodes, at, position) {
        Some(formula) if known => formula,
        _ if diagonal => derivative.text().to_owned(),
        _ => format!("∂{}/∂{}", node.label, source.label),
    };
    let elements = |node: &Node| node.value.shape.iter().product::<usize>();
    let (own, others) = (elements(node), elements(source));
    let value = match diagonal {
        true if own <= LISTED => derivative.diagonal(),
        false if own * others <= LISTED => attempt(|| derivative.jacobian()).ok(),
        _ => None,
    };
    let adjoint = match node.derivative {
        Some(_) => graph.adjoint(at),
        None => None,
    };
    let contribution = match adjoint {
        Some(adjoint) if own.max(others) <= LISTED => attempt(|| derivative.pulled(&adjoint)).ok(),
        _ => None,
    };
    Some(Local {
        formula,
        value: value.as_ref().map(array),
        structure: match diagonal {
            true => Structure::Diagonal,
            false => Structure::Dense,
        },
        contribution: contribution.as_ref().map(array),
    })
}

/// A tensor's elements, or their norm where they are many.
fn array(tensor: &Tensor) -> Array {
    let mut array = Array {
        shape: tensor.shape().to_vec(),
        elements: tensor.cast(DType::F64).to_vec::<f64>(),
        truth: tensor.dtype() == DType::Bool,
        elided: None,
    };
    if array.elements.len() > LISTED {
        array.elided = Some(array.norm());
        array.elements = Vec::new();
    }
    array
}

/// `v4 of x, y, z`.
fn title(nodes: &[Node], inputs: &[GraphNode], outputs: &[usize]) -> String {
    let mut names: Vec<&str> = inputs.iter().map(GraphNode::name).collect();
    if let [first, .., last] = names[..]
        && names.len() > NAMED
    {
        names = vec![first, "…", last];
    }
    let outputs: Vec<&str> = outputs.iter().map(|&at| nodes[at].label.as_str()).collect();
    format!("{} of {}", outputs.join(", "), names.join(", "))
}
