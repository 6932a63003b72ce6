//! The operators between two operands, and the operands of elementwise operations.

use super::functions::{self, Apply};
use super::syntax::{Binding, ExpressionId, Kind, Operator};
use super::value::Value;
use chainrule::{Shape, Tensor};

/// The operands of an elementwise operation of two, and whether it computes with numbers.
pub fn pair_of(kind: &Kind) -> Option<([ExpressionId; 2], bool)> {
    match kind {
        Kind::Binary {
            operator,
            left,
            right,
            ..
        } if *operator != Operator::MatrixProduct => {
            let comparison = operator.binding() == Binding::Comparison;
            Some(([*left, *right], !comparison))
        }
        Kind::Call {
            function,
            arguments,
            ..
        } => match (functions::find(function)?.apply, arguments.as_slice()) {
            (Apply::Two(_), [x, y]) => Some(([x.value, y.value], false)),
            _ => None,
        },
        _ => None,
    }
}

/// The shape that both broadcast to, if there is one.
pub fn common(left: &Shape, right: &Shape) -> Option<Shape> {
    let rank = left.rank().max(right.rank());
    let extent = |shape: &Shape, axis: usize| match (axis + shape.rank()).checked_sub(rank) {
        Some(own) => shape[own],
        None => 1,
    };
    (0..rank)
        .map(|axis| match (extent(left, axis), extent(right, axis)) {
            (a, b) if a == b => Some(a),
            (1, other) | (other, 1) => Some(other),
            _ => None,
        })
        .collect()
}

/// What an operator records.
pub fn binary(operator: Operator, left: &Value, right: &Value) -> Tensor {
    if operator == Operator::MatrixProduct {
        return left.tensor().matmul(right.tensor());
    }
    let (a, b) = (left.beside(right), right.beside(left));
    match operator {
        Operator::Add => a.add(b),
        Operator::Subtract => a.sub(b),
        Operator::Multiply => a.mul(b),
        Operator::Divide => a.div(b),
        Operator::Power => a.pow(b),
        Operator::MatrixProduct => a.matmul(b),
        Operator::Equal => a.eq(b),
        Operator::NotEqual => a.ne(b),
        Operator::Less => a.lt(b),
        Operator::LessEqual => a.le(b),
        Operator::Greater => a.gt(b),
        Operator::GreaterEqual => a.ge(b),
    }
}
