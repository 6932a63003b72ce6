//! What is known of a graph after differentiation: the one model that every view draws.

use crate::number::Array;
use crate::span::Span;
use crate::style::Style;
use crate::{dot, list, svg, text};
use chainrule_core::DType;

/// The graph with its values and derivatives. Nodes stand in topological order.
#[derive(Debug)]
pub struct Model {
    /// The text that was differentiated, or a title.
    pub expression: String,
    /// The nodes; each one's number is its position here.
    pub nodes: Vec<Node>,
    /// The node whose value is the result; the first, where there are several.
    pub result: usize,
    /// The nodes whose values are results.
    pub outputs: Vec<usize>,
    /// Which derivatives the nodes hold.
    pub direction: Direction,
}

/// Which derivatives the nodes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Adjoints: of the result by the node.
    Reverse,
    /// Tangents: of the node by one input.
    Forward {
        /// The input's node.
        input: usize,
    },
    /// None, as nobody said how to weigh the elements of the result.
    None,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An input of the function.
    Variable,
    /// What the function uses besides its inputs.
    Constant,
    /// The result of an operation.
    Operation,
}

/// One value of the computation.
#[derive(Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// The name of a variable, or the one a statement gave.
    pub name: Option<String>,
    /// What the views call it: its name, a constant's text, or a name of ours.
    pub label: String,
    /// The operation's name, as the method is called: `mul`, `sin`, `matmul`.
    pub primitive: String,
    /// What a function is given besides its inputs, as it was written: `, axis=0`, the brackets of an index, the shape or
    /// dtype of an `expand` or a `cast`. Empty where it is not known, and for a `permute` that is a transpose.
    pub detail: String,
    /// The nodes of its operands.
    pub inputs: Vec<usize>,
    /// The type of its elements.
    pub dtype: DType,
    /// Its value, or the shape and the norm of a large one.
    pub value: Array,
    /// The adjoint or the tangent; `None` where no derivative flows.
    pub derivative: Option<Array>,
    /// By each input; `None` where no derivative flows.
    pub locals: Vec<Option<Local>>,
    /// Whether the backward pass reads its value.
    pub kept: bool,
    /// Where it stands in the expression.
    pub span: Option<Span>,
    /// The line of the program that made it: `src/main.rs:12`.
    pub place: Option<String>,
    /// The path of the module in whose forward it was made; empty outside.
    pub module: String,
}

/// The derivative of a node by one of its inputs.
#[derive(Clone, Debug)]
pub struct Local {
    /// The formula in the labels of the nodes: `cos(x)`.
    pub formula: String,
    /// Its value: of each element by its own element (`diagonal`), or the whole Jacobian.
    pub value: Option<Array>,
    /// What the Jacobian looks like.
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

impl Node {
    /// What a drawing says of a constant besides its label, in at most about `width` letters: nothing where the label is the
    /// constant's text, as it is of numbers, and of all constants of an expression.
    pub(crate) fn constant_text(&self, width: usize) -> String {
        match self.place.is_some() && !self.value.shape.is_empty() {
            true => self.value.text(width),
            false => String::new(),
        }
    }
}

impl Model {
    /// How many nodes there are, which decides what can be drawn.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node at all.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A whole SVG document: values above the wires in green, derivatives below in red.
    pub fn svg(&self) -> String {
        svg::draw(self)
    }

    /// In the language of Graphviz: a `digraph` whose edges carry the value and the derivative of the node they leave.
    pub fn dot(&self) -> String {
        dot::draw(self)
    }

    /// Boxes and wires for the terminal, or a table of the nodes where there are more than
    /// [`MOST_NODES`](crate::MOST_NODES).
    pub fn text(&self, style: Style) -> String {
        let mut lines = self
            .drawn(style)
            .unwrap_or_else(|| list::lines(self, style));
        lines.push(String::new());
        lines.join("\n")
    }

    /// The lines of the drawing of boxes and wires; `None` if there are more than [`MOST_NODES`](crate::MOST_NODES).
    pub fn drawn(&self, style: Style) -> Option<Vec<String>> {
        text::draw(self, style)
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
        ("permute", [x]) if detail.is_empty() => format!("{x}.T"),
        ("slice" | "index_select" | "gather", [x]) if !detail.is_empty() => format!("{x}{detail}"),
        ("expand", [x]) => format!("{x} repeated to {detail}"),
        ("cast", [x]) if detail.is_empty() => format!("{x} as a number"),
        ("cast", [x]) => format!("{x} as {detail}"),
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
        "slice" if (1..=8).contains(&node.detail.chars().count()) => &node.detail,
        "stack" => "[,]",
        "cast" if node.detail.is_empty() => "0/1",
        "cast" => &node.detail,
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
        "permute" if node.detail.is_empty() => "ᵀ",
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
