//! The command line of `chainrule explain`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Shows what backpropagation did with an expression, step by step and as a picture.
///
/// The expression is a program: statements `name = value` separated by `;`, the last of which is the result. All numbers
/// are of 64 bits. There are numbers, lists `[1, 2]` and `[[1, 2], [3, 4]]`, the operators `+ - * / ^ @`, comparisons, the
/// transpose `A.T`, indices `A[0, 1]` and `x[1:3]`, and functions by the names of the tensors' methods: exp, log, sin,
/// sigmoid, relu, where, and over axes sum, mean, max, min, prod, norm, softmax and more.
#[derive(Args, Debug, Default)]
#[command(disable_help_flag = true, after_help = EXAMPLES)]
pub struct Options {
    /// What to explain; it may begin with a minus
    #[arg(allow_hyphen_values = true, value_name = "EXPRESSION")]
    pub expression: String,
    /// The values of the variables, such as x=-2 or w=[[1,2],[3,4]]
    #[arg(value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
    /// From the result back to all inputs, or from one input at a time to the result
    #[arg(long, value_enum, default_value_t = Mode::Reverse, value_name = "MODE")]
    pub mode: Mode,
    /// Differentiate by these variables only
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub wrt: Vec<String>,
    /// Show how much every path from an input to the result contributes
    #[arg(long)]
    pub paths: bool,
    /// Show the Jacobian of the result by each input
    #[arg(long)]
    pub jacobian: bool,
    /// Show the second derivatives
    #[arg(long)]
    pub hessian: bool,
    /// Compare each derivative with central differences
    #[arg(long)]
    pub check: bool,
    /// The derivative of what follows by the result; needed where the result is no single number
    #[arg(long, allow_hyphen_values = true, value_name = "VALUE")]
    pub cotangent: Option<String>,
    /// Show one node at a time, and wait for Enter
    #[arg(long)]
    pub step: bool,
    /// Print everything as one JSON object
    #[arg(long, conflicts_with_all = ["dot", "step"])]
    pub json: bool,
    /// Print the graph in the language of Graphviz
    #[arg(long, conflicts_with = "step")]
    pub dot: bool,
    /// Draw the graph into a file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

impl Options {
    /// Whether all that is asked for can be told of a result of many numbers without weighing them.
    pub fn needs_no_cotangent(&self) -> bool {
        let weighed = self.hessian || self.paths || self.check;
        (self.jacobian || self.mode == Mode::Forward) && !weighed
    }
}

/// The direction of differentiation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Adjoints, from the result back
    #[default]
    Reverse,
    /// Tangents, from one input at a time
    Forward,
}

const EXAMPLES: &str = "\
Examples:
  chainrule explain \"(x + y) * z\" x=-2 y=5 z=-4
  chainrule explain \"x1*x2 + sin(x2)\" x1=2 x2=5 --paths
  chainrule explain \"-log(sigmoid(w@x))\" w=[2,-3,-3] x=[-1,-2,1] --check
  chainrule explain \"a = relu(W@x); sum(a^2)\" W=[[1,-2],[3,4]] x=[1,1] --svg picture.svg";
