//! The local derivative, classified by the structure of the Jacobian.

use crate::tensor::Tensor;

/// What an operation's Jacobian looks like. Every mode of differentiation is derived from this.
pub enum Derivative<'a> {
    /// Diagonal: one partial for each input, of the output's shape.
    Elementwise(&'a dyn Diagonal),
    /// The operation itself, jointly linear in its free inputs.
    Linear(&'a dyn Linear),
    /// Linear in each argument while the others stay.
    Multilinear(&'a dyn Multilinear),
    /// Linear, once the forward pass has chosen a route.
    Routed(&'a dyn Routed),
    /// Anything else: both products written out.
    Rule(&'a dyn Rule),
    /// That of the body; transforms open it.
    Body,
    /// None, for the reason given.
    NotDifferentiable(&'static str),
    /// There are no inputs, or none that the output depends on.
    Source,
}

/// Partials of an elementwise operation.
pub trait Diagonal {
    /// The partial derivative by input `argument`, as tensor code on the inputs and the output.
    fn partial(&self, argument: usize, inputs: &[Tensor], output: &Tensor) -> Tensor;
    /// The partial derivative by input `argument` where it is 1, -1 or 0 everywhere.
    fn known_partial(&self, argument: usize) -> Option<f64>;
}

/// A jointly linear operation.
pub trait Linear {
    /// Whether input `argument` is an attribute in tensor form (an index, a condition) and not a free input.
    fn is_fixed(&self, argument: usize) -> bool;
    /// The transposed map: the cotangent of free input `argument`. `cotangents` has an entry for each output; at least
    /// one is present.
    fn transpose(
        &self,
        argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor;
    /// How many results of operations of this type are summed in one operation, if that is better than one after the other:
    /// cotangents of a tensor that is used many times.
    fn sum(&self) -> Option<fn(&[Tensor]) -> Tensor> {
        None
    }
}

/// An operation that is linear in each argument.
pub trait Multilinear {
    /// The transposed map in `argument`: its cotangent, the other arguments held.
    fn transpose(&self, argument: usize, inputs: &[Tensor], cotangent: &Tensor) -> Tensor;
    /// As [`Linear::sum`].
    fn sum(&self) -> Option<fn(&[Tensor]) -> Tensor> {
        None
    }
}

/// An operation that passes on elements (or weighted shares of them) which it chooses by value.
pub trait Routed {
    /// The route, as a tensor: indices or weights, constant for the derivative. Asked for only when it is needed.
    fn route(&self, inputs: &[Tensor], outputs: &[Tensor]) -> Tensor;
    /// The map along the route applied to tangents of the inputs (zeros where absent).
    fn apply(&self, route: &Tensor, tangents: &[Tensor]) -> Tensor;
    /// The cotangent of input `argument`.
    fn transpose(
        &self,
        route: &Tensor,
        argument: usize,
        inputs: &[Tensor],
        cotangent: &Tensor,
    ) -> Tensor;
}

/// Both products written out.
pub trait Rule {
    /// Tangents of the outputs from tangents of the inputs (at least one is present).
    fn jvp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>>;
    /// Cotangents of the inputs from cotangents of the outputs (at least one is present).
    fn vjp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>>;
}
