//! The syntax tree, kept in a list: operands stand before what uses them, so it is evaluated from front to back, and
//! neither evaluating nor dropping a deeply nested expression needs a deep stack.

use super::problem::Span;

/// The position of an expression in [`Program::expressions`].
pub type ExpressionId = usize;

/// Statements, the last of which is the result.
#[derive(Debug)]
pub struct Program {
    pub expressions: Vec<Expression>,
    pub statements: Vec<Statement>,
}

/// `name = value`, or a value alone.
#[derive(Debug)]
pub struct Statement {
    pub name: Option<(String, Span)>,
    pub value: ExpressionId,
}

/// One expression and where it stands.
#[derive(Debug)]
pub struct Expression {
    pub kind: Kind,
    pub span: Span,
}

/// What an expression is.
#[derive(Debug)]
pub enum Kind {
    Number(f64),
    Name(String),
    Negate(ExpressionId),
    Binary {
        operator: Operator,
        /// Where the operator itself stands.
        place: Span,
        left: ExpressionId,
        right: ExpressionId,
    },
    List(Vec<ExpressionId>),
    Call {
        function: String,
        /// Where the function's name stands.
        place: Span,
        arguments: Vec<Argument>,
    },
    Transpose(ExpressionId),
    Index {
        base: ExpressionId,
        parts: Vec<IndexPart>,
    },
}

/// One argument of a call, `value` or `name=value`.
#[derive(Debug)]
pub struct Argument {
    pub name: Option<(String, Span)>,
    pub value: ExpressionId,
}

/// One part of an index: a position, or `start:end:step`, each of which may be left out.
#[derive(Debug)]
pub enum IndexPart {
    At(ExpressionId),
    Range([Option<ExpressionId>; 3]),
}

/// The operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    MatrixProduct,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// How tightly something binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
}

impl Operator {
    /// The operator that a symbol stands for.
    pub fn of(symbol: &str) -> Option<Operator> {
        Some(match symbol {
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "^" | "**" => Operator::Power,
            "@" => Operator::MatrixProduct,
            "==" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterEqual,
            _ => return None,
        })
    }

    /// How tightly it binds.
    pub fn binding(self) -> Binding {
        match self {
            Operator::Add | Operator::Subtract => Binding::Sum,
            Operator::Multiply | Operator::Divide | Operator::MatrixProduct => Binding::Product,
            Operator::Power => Binding::Power,
            _ => Binding::Comparison,
        }
    }
}
