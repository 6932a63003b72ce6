//! What is known of an expression after differentiation: the one model that every view draws.

use super::number::Array;
use super::problem::Span;

/// The graph with its values and derivatives. Nodes stand in topological order.
#[derive(Debug)]
pub struct Model {
    pub expression: String,
    pub nodes: Vec<Node>,
    /// The node whose value is the result.
    pub result: usize,
    pub direction: Direction,
}

/// Which derivatives the nodes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Adjoints: of the result by the node.
    Reverse,
    /// Tangents: of the node by one input.
    Forward { input: usize },
    /// None, as nobody said how to weigh the elements of the result.
    None,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Variable,
    Constant,
    Operation,
}

/// One value of the computation.
#[derive(Debug)]
pub struct Node {
    pub kind: Kind,
    /// The name of a variable, or the one a statement gave.
    pub name: Option<String>,
    /// What the views call it: its name, a constant's text, or a name of ours.
    pub label: String,
    pub primitive: String,
    /// What a function is given besides its inputs, as it was written: `, axis=0`, or the brackets of an index.
    pub detail: String,
    pub inputs: Vec<usize>,
    pub value: Array,
    /// The adjoint or the tangent; `None` where no derivative flows.
    pub derivative: Option<Array>,
    /// By each input; `None` where no derivative flows.
    pub locals: Vec<Option<Local>>,
    /// Whether the backward pass reads its value.
    pub kept: bool,
    pub span: Option<Span>,
}

/// The derivative of a node by one of its inputs.
#[derive(Clone, Debug)]
pub struct Local {
    /// The formula in the labels of the nodes: `cos(x)`.
    pub formula: String,
    /// Its value: of each element by its own element (`diagonal`), or the whole Jacobian.
    pub value: Option<Array>,
    pub structure: Structure,
    /// What the input gets from this node in reverse mode: the node's adjoint times this derivative.
    pub contribution: Option<Array>,
}

/// The structure of a local Jacobian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// Each element of the output depends on its own element of the input.
    Diagonal,
    /// Anything else.
    Dense,
}

impl Model {
    /// The inputs and operations, whose number decides what can be drawn.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes that read a node's value, each once.
    pub fn users(&self) -> Vec<Vec<usize>> {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            for &input in &node.inputs {
                if users[input].last() != Some(&at) {
                    users[input].push(at);
                }
            }
        }
        users
    }

    /// What a node computes, in the labels of its inputs: `v1 * z`.
    pub fn formula(&self, at: usize) -> String {
        let node = &self.nodes[at];
        let inputs: Vec<&str> = node
            .inputs
            .iter()
            .map(|&input| self.nodes[input].label.as_str())
            .collect();
        formula(&node.primitive, &inputs, &node.detail)
    }
}

/// A primitive applied to operands, as it would be written.
pub fn formula(primitive: &str, inputs: &[&str], detail: &str) -> String {
    match (primitive, inputs) {
        ("maximum" | "minimum", _) => format!("{}({})", &primitive[..3], inputs.join(", ")),
        ("neg", [x]) => format!("-{x}"),
        ("square", [x]) => format!("{x}^2"),
        ("reciprocal", [x]) => format!("1 / {x}"),
        ("permute", [x]) => format!("{x}.T"),
        ("slice" | "index_select" | "gather", [x]) => format!("{x}{detail}"),
        ("expand", [x]) => format!("{x} repeated to {detail}"),
        ("cast", [x]) => format!("{x} as a number"),
        ("stack", _) => format!("[{}]", inputs.join(", ")),
        (_, [x, y]) => match symbol(primitive) {
            Some(symbol) => format!("{x} {symbol} {y}"),
            None => format!("{primitive}({x}, {y}{detail})"),
        },
        _ => format!("{primitive}({}{detail})", inputs.join(", ")),
    }
}

/// The sign of a primitive that is written between its operands.
fn symbol(primitive: &str) -> Option<&'static str> {
    Some(match primitive {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "pow" => "^",
        "matmul" => "@",
        "eq" => "==",
        "ne" => "!=",
        "lt" => "<",
        "le" => "<=",
        "gt" => ">",
        "ge" => ">=",
        _ => return None,
    })
}

/// What stands in a node's box.
pub fn box_text(node: &Node) -> &str {
    match node.primitive.as_str() {
        "slice" if node.detail.chars().count() <= 8 => &node.detail,
        "stack" => "[,]",
        "cast" => "0/1",
        "add" => "+",
        "sub" | "neg" => "−",
        "mul" => "×",
        "div" => "÷",
        "matmul" => "@",
        "pow" => "xʸ",
        "square" => "x²",
        "reciprocal" => "1/x",
        "sum" => "Σ",
        "maximum" => "max",
        "minimum" => "min",
        "permute" => "ᵀ",
        "eq" => "=",
        "ne" => "≠",
        "lt" => "<",
        "le" => "≤",
        "gt" => ">",
        "ge" => "≥",
        "sqrt" => "√",
        "sigmoid" => "σ",
        other => other,
    }
}
