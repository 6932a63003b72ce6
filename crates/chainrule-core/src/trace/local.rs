//! The local derivative of one node by one of its operands, as text and as numbers.

use super::node::Structure;
use super::{Graph, Operand};
use crate::declare::{Derivative, OperationRef};
use crate::error::{Error, ErrorKind, raise};
use crate::graph::text::expression;
use crate::graph::without_evaluation;
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::transforms::{jacfwd, vjp};
use crate::tree::Tree;

/// The derivative of a node by one operand, at the values of the last forward pass.
pub struct LocalDerivative {
    structure: Structure,
    text: String,
    operation: OperationRef,
    operands: Vec<Tensor>,
    position: usize,
    output: usize,
}

impl LocalDerivative {
    /// What the Jacobian looks like.
    pub fn structure(&self) -> Structure {
        self.structure
    }

    /// The derivative in words: for elementwise operations the partial as an expression in the operands' names and `y`,
    /// the result; for others the formula of the operation.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The partial at every element, of the result's shape, for an elementwise operation; `None` for others.
    pub fn diagonal(&self) -> Option<Tensor> {
        let Derivative::Elementwise(diagonal) = self.operation.derivative() else {
            return None;
        };
        let output = self.result();
        let partial = diagonal.partial(self.position, &self.operands, &output);
        Some(partial.expand(output.shape()))
    }

    /// The whole Jacobian: the result's shape followed by the operand's. For a diagonal of many elements prefer
    /// [`diagonal`](LocalDerivative::diagonal).
    pub fn jacobian(&self) -> Tensor {
        let operand = &self.operands[self.position];
        if self.structure == Structure::None || !operand.dtype().is_floating() {
            let shape = [&self.result().shape()[..], &operand.shape()[..]].concat();
            return operand.filled_like(0.0).sum(..).expand(Shape::from(shape));
        }
        jacfwd(|operand: &Tensor| self.applied_to(operand))(operand)
    }

    /// The cotangent of the operand that belongs to a cotangent of the result: one step of the backward pass.
    ///
    /// # Panics
    /// When the cotangent has another shape than the result.
    #[track_caller]
    pub fn pulled(&self, cotangent: &Tensor) -> Tensor {
        let operand = &self.operands[self.position];
        if self.structure == Structure::None || !operand.dtype().is_floating() {
            return Tensor::absent(operand);
        }
        vjp(
            |operand: &Tensor| self.applied_to(operand),
            operand,
            |_| cotangent.clone(),
        )
        .1
    }

    fn result(&self) -> Tensor {
        self.applied_to(&self.operands[self.position])
    }

    fn applied_to(&self, operand: &Tensor) -> Tensor {
        let mut operands: Vec<&Tensor> = self.operands.iter().collect();
        operands[self.position] = operand;
        self.operation.all_of(&operands)[self.output].clone()
    }
}

impl<P: Tree, O: Tree> Graph<P, O> {
    /// The derivative of `node` (its first output) by its operand at `position`.
    ///
    /// ```
    /// use chainrule_core::{Graph, Tensor};
    /// let x = Tensor::from(0.5);
    /// let mut graph = Graph::trace(Tensor::tanh, &x);
    /// let local = graph.local_derivative(1, 0);
    /// assert_eq!(local.text(), "1 - y^2");
    /// ```
    ///
    /// # Panics
    /// When there is no such node, or it has no such operand.
    #[track_caller]
    pub fn local_derivative(&mut self, node: usize, position: usize) -> LocalDerivative {
        self.check_node(node);
        if position >= self.nodes[node].inputs.len() {
            let message = format!(
                "local_derivative: node {node}, `{}`, has {} operands, there is no operand {position}",
                self.nodes[node].primitive(),
                self.nodes[node].inputs.len()
            );
            raise(Error::new(ErrorKind::Argument, message));
        }
        let operands: Vec<Operand> = self.nodes[node].inputs.clone();
        let operands = operands
            .into_iter()
            .map(|operand| self.operand_value(operand))
            .collect();
        LocalDerivative {
            structure: self.nodes[node].structure(),
            text: self.local_text(node, position),
            operation: self.nodes[node].operation.clone(),
            operands,
            position,
            output: 0,
        }
    }

    /// The value of an operand; of a further output it is computed from the node's own operands.
    fn operand_value(&mut self, operand: Operand) -> Tensor {
        if operand.output == 0 {
            return self.value(operand.node);
        }
        let inputs = self.nodes[operand.node].inputs.clone();
        let inputs: Vec<Tensor> = inputs
            .into_iter()
            .map(|input| self.operand_value(input))
            .collect();
        let operation = self.nodes[operand.node].operation.clone();
        operation.all_of(&inputs.iter().collect::<Vec<_>>())[operand.output].clone()
    }

    fn local_text(&self, node: usize, position: usize) -> String {
        let node = &self.nodes[node];
        let Derivative::Elementwise(diagonal) = node.operation.derivative() else {
            return node.operation.formula();
        };
        let names: Vec<&str> = node
            .inputs
            .iter()
            .map(|operand| self.nodes[operand.node].name())
            .collect();
        without_evaluation(|| {
            let operands: Vec<Tensor> = node
                .inputs
                .iter()
                .map(|&operand| Tensor::placeholder(self.spec(operand).clone()))
                .collect();
            let output = Tensor::placeholder(node.specs[0].clone());
            let partial = diagonal.partial(position, &operands, &output);
            let mut named: Vec<(&Tensor, &str)> = operands.iter().zip(names).collect();
            named.push((&output, "y"));
            expression(&partial, &named)
        })
    }
}
