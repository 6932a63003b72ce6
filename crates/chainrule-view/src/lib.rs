//! A graph as one model, and everything that is shown of it: text for the terminal, SVG, Graphviz, JSON.
//!
//! [`Model`] holds what is known of each node: name, primitive, operands, shape, dtype, value, adjoint or tangent, local
//! derivatives, whether the backward pass reads it, and where it came from. [`Model::of`] reads it off a traced
//! [`Graph`]; `chainrule explain` makes one of an expression. Every drawing is a function of the model alone.
//!
//! ```
//! use chainrule_core::{Graph, Tensor};
//! use chainrule_view as view;
//! let (x, y, z) = (Tensor::from(-2.0), Tensor::from(5.0), Tensor::from(-4.0));
//! let mut graph = Graph::trace(|(x, y, z): &(Tensor, Tensor, Tensor)| (x + y) * z, &(x, y, z));
//! graph.backward(&Tensor::from(1.0));
//! println!("{}", view::text(&mut graph));
//! assert!(view::text(&mut graph).contains("v1 = -12"));
//! assert!(view::svg(&mut graph).starts_with("<svg"));
//! assert!(view::dot(&mut graph).starts_with("digraph"));
//! assert!(view::json(&mut graph).contains(r#""primitive":"mul""#));
//! ```
//!
//! # The JSON form
//!
//! One object; [`Model::json`] makes it, and `chainrule explain --json` adds to it.
//!
//! | field | what it is |
//! |---|---|
//! | `version` | of this schema: 1. Fields may be added to a version; a meaning that changes makes a new one |
//! | `expression` | the text that was differentiated, or a title |
//! | `direction` | `"reverse"`: the nodes hold adjoints; `"forward"`: tangents; null: neither |
//! | `result` | the number of the node whose value is the result; the first, where there are several |
//! | `outputs` | the numbers of all nodes whose values are results |
//! | `nodes` | the nodes in topological order |
//!
//! Each node is an object:
//!
//! | field | what it is |
//! |---|---|
//! | `id` | its number, which is its position in `nodes` |
//! | `name` | the name that the user gave, or null |
//! | `label` | what drawings call it, always there |
//! | `primitive` | the operation as its method is called, or `"input"`, `"constant"` |
//! | `inputs` | the numbers of its operands' nodes |
//! | `shape`, `dtype` | the extents, and the type of the elements such as `"f32"`. Of an operation with several outputs these, the value and the adjoint are the first one's |
//! | `value` | its array (below) |
//! | `adjoint` | with direction `"forward"` it is `tangent`: the array of the derivative, zeros where no path leads; null for constants, for what is not floating, and where `direction` is null |
//! | `local_derivatives` | one for each of `inputs`: null where no derivative flows, or an object |
//! | `kept` | whether the backward pass reads its value |
//! | `span` | the first character in `expression` and the one behind the last, or null |
//! | `place` | the line of the program that made it, `"src/main.rs:12"`, or null, as for inputs |
//! | `module` | the path of the module in whose forward it was made, such as `"linear"`; empty outside |
//!
//! A local derivative has `input` (a node's number), `formula` (in the labels of the nodes), `structure` (`"diagonal"`:
//! each element by its own element; `"dense"`: anything else), `value` (an array: the diagonal, or the Jacobian; null
//! where it would be large) and `contribution` (an array: what this node adds to the input's adjoint; null where it would
//! be large, or nothing flows).
//!
//! An array is a number, or nested arrays of numbers in which truth values are 1 and 0. NaN and the infinities are the
//! strings `"NaN"`, `"Infinity"`, `"-Infinity"`. Of a tensor with more than [`LISTED`] elements the elements are left out,
//! and it is the object `{"norm": n}` with its Frobenius norm.

mod canvas;
mod dot;
mod json;
mod layout;
mod list;
pub mod local;
mod model;
mod number;
mod span;
mod style;
mod svg;
mod text;
mod traced;

pub use json::{VERSION, json_number};
pub use model::{Direction, Kind, Local, Model, Node, Structure, formula};
pub use number::{Array, number_text, shape_text};
pub use span::Span;
pub use style::{Role, Style};
pub use text::MOST_NODES;
pub use traced::LISTED;

use chainrule_core::{Graph, Tree};

/// How wide [`text`] may become.
const WIDTH: usize = 100;

/// A traced graph as text of at most 100 columns: boxes and wires, the value above each node and its adjoint below; a
/// table of the nodes where there are more than [`MOST_NODES`]. [`Model::text`] does it with colour or another width.
///
/// ```
/// use chainrule_core::{Graph, Tensor};
/// let mut graph = Graph::trace(|x: &Tensor| x.sin() * x, &Tensor::from(2.0));
/// assert!(chainrule_view::text(&mut graph).contains(" sin ├"));
/// ```
#[track_caller]
pub fn text<P: Tree, O: Tree>(graph: &mut Graph<P, O>) -> String {
    Model::of(graph).text(Style::plain(WIDTH))
}

/// A traced graph as an SVG document: values above the wires in green, adjoints below in red.
///
/// ```
/// use chainrule_core::{Graph, Tensor};
/// let mut graph = Graph::trace(|x: &Tensor| x.sin() * x, &Tensor::from(2.0));
/// assert!(chainrule_view::svg(&mut graph).ends_with("</svg>\n"));
/// ```
#[track_caller]
pub fn svg<P: Tree, O: Tree>(graph: &mut Graph<P, O>) -> String {
    Model::of(graph).svg()
}

/// A traced graph in the language of Graphviz: `dot -Tsvg` draws it.
///
/// ```
/// use chainrule_core::{Graph, Tensor};
/// let mut graph = Graph::trace(|x: &Tensor| x.sin() * x, &Tensor::from(2.0));
/// assert!(chainrule_view::dot(&mut graph).contains("n0 -> n1"));
/// ```
#[track_caller]
pub fn dot<P: Tree, O: Tree>(graph: &mut Graph<P, O>) -> String {
    Model::of(graph).dot()
}

/// A traced graph as JSON on one line, in the schema described [above](self#the-json-form).
///
/// ```
/// use chainrule_core::{Graph, Tensor};
/// let mut graph = Graph::trace(|x: &Tensor| x.sin() * x, &Tensor::from(2.0));
/// assert!(chainrule_view::json(&mut graph).contains(r#""formula":"cos(x)""#));
/// ```
#[track_caller]
pub fn json<P: Tree, O: Tree>(graph: &mut Graph<P, O>) -> String {
    Model::of(graph).json().to_string()
}
