//! Rewrites that change no bit, NaN and -0 included.

use super::graph::{Class, Node, Ref};
use crate::declare::{Evaluation, OperationRef};
use crate::primitives::leaf::{Identity, StopGradient, TrackedLeaf};
use crate::primitives::matmul::Matmul;
use crate::primitives::permute::Permute;
use chainrule_kernels::math;

/// What an operation's output is the same as, if it is the same as something that exists.
pub(crate) fn simplified(
    operation: &OperationRef,
    inputs: &[Ref],
    nodes: &[Node],
    fill: &dyn Fn(Ref) -> Option<f64>,
) -> Option<Ref> {
    let declaration = operation.declaration();
    if declaration.is::<Identity>()
        || declaration.is::<StopGradient>()
        || declaration.is::<TrackedLeaf>()
    {
        return Some(inputs[0]);
    }
    if let Some(outer) = declaration.downcast_ref::<Permute>() {
        let inner = &nodes[inputs[0].node as usize];
        let undone = declared::<Permute>(inner).is_some_and(|inner| *inner == outer.inverse());
        return undone.then(|| inner.inputs[0]); // a permutation and its inverse
    }
    let Evaluation::Pointwise(leaf) = operation.evaluation() else {
        return None;
    };
    if std::ptr::eq(leaf, &math::MUL) {
        return match (fill(inputs[0]), fill(inputs[1])) {
            (_, Some(1.0)) => Some(inputs[0]), // x * 1 = x
            (Some(1.0), _) => Some(inputs[1]),
            _ => None,
        };
    }
    if std::ptr::eq(leaf, &math::DIV) && fill(inputs[1]) == Some(1.0) {
        return Some(inputs[0]); // x / 1 = x
    }
    if std::ptr::eq(leaf, &math::NEG)
        && let inner = &nodes[inputs[0].node as usize]
        && let Class::Pointwise(leaf) = inner.class()
        && std::ptr::eq(leaf, &math::NEG)
    {
        return Some(inner.inputs[0]); // -(-x) = x
    }
    None
}

fn declared<T: 'static>(node: &Node) -> Option<&T> {
    node.operation()?.declaration().downcast_ref()
}

/// The factors of a product whose transpose is asked for: `(a b)ᵀ = bᵀ aᵀ`, so that the result lies in rows.
pub(crate) fn transposed_product(
    operation: &OperationRef,
    inputs: &[Ref],
    nodes: &[Node],
) -> Option<[Ref; 2]> {
    let permute = operation.declaration().downcast_ref::<Permute>()?;
    let product = &nodes[inputs[0].node as usize];
    declared::<Matmul>(product)?;
    permute
        .swaps_last_two()
        .then(|| [product.inputs[1], product.inputs[0]])
}
