//! Trading time for memory: intermediate values that are computed again instead of kept.

use super::Side;
use super::forward::push_all;
use super::record::{Recorded, Running, named_anew};
use super::reverse::pull_all;
use crate::declare::{
    Batch, Body, Derivative, Evaluation, Operation, OperationRef, Reads, Rule, Specs,
};
use crate::error::Mismatch;
use crate::graph::{Spec, Tape};
use crate::tensor::Tensor;
use crate::tree::{Tree, leaves, rebuilt};
use std::any::Any;
use std::hash::Hasher;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// `f`, with its intermediate values not kept for the backward pass but computed again in it (Griewank and Walther's
/// checkpointing with one level; Chen et al. 2016 for networks).
///
/// Values and derivatives are those of `f`. A backward pass costs one more evaluation of `f`; between the passes only the
/// inputs of `f` are held. Tensors that `f` uses besides its argument are differentiated as ever, and random draws repeat.
///
/// ```
/// use chainrule_core::{checkpoint, grad, tensor, Tensor};
/// let block = |x: &Tensor| x.sin().exp().tanh();
/// let x = tensor![0.1, 0.2];
/// let plain = grad(|x: &Tensor| block(x).sum(..))(&x);
/// let recomputed = grad(|x: &Tensor| checkpoint(block)(x).sum(..))(&x);
/// assert_eq!(plain.to_vec::<f32>(), recomputed.to_vec::<f32>());
/// ```
pub fn checkpoint<P: Tree, O: Tree>(f: impl Fn(&P) -> O) -> impl Fn(&P) -> O {
    move |at| {
        let at_leaves = leaves(at);
        let running = Running::start();
        let inputs = running.fresh(&at_leaves);
        let output = f(&rebuilt(at, &inputs));
        let outputs: Vec<Tensor> = leaves(&output).into_iter().cloned().collect();
        let tape = Tape::between(&inputs, &outputs);
        drop(running);
        if tape.outputs.is_empty() {
            return output;
        }
        let captured = tape.captured.clone();
        let operands: Vec<&Tensor> = at_leaves.iter().copied().chain(&captured).collect();
        let operation = Checkpointed {
            tape: AssertUnwindSafe(tape.without_captured()),
            inputs: inputs.len(),
        };
        let recorded = OperationRef::Shared(Arc::new(operation)).all_of(&operands);
        rebuilt(&output, &recorded)
    }
}

/// A recorded function as one operation. Its operands are the function's inputs, then what it has captured.
struct Checkpointed {
    tape: AssertUnwindSafe<Tape>,
    inputs: usize,
}

impl Checkpointed {
    fn recorded_on(&self, operands: Vec<Tensor>) -> Recorded {
        let outputs = self.body(&operands);
        Recorded::between(operands, outputs)
    }
}

impl Body for Checkpointed {
    fn body(&self, operands: &[Tensor]) -> Vec<Tensor> {
        let (inputs, captured) = operands.split_at(self.inputs);
        self.tape.replay(inputs, captured)
    }
}

impl Operation for Checkpointed {
    fn name(&self) -> &'static str {
        "checkpoint"
    }

    fn formula(&self) -> String {
        "y = f(x), computed again in the backward pass".to_owned()
    }

    fn infer(&self, operands: &[&Spec]) -> Result<Specs, Mismatch> {
        Ok(self.tape.output_specs(operands, self.inputs))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Body(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Rule(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Body
    }

    fn backward_reads(&self) -> Reads {
        Reads::INPUTS
    }

    fn same(&self, other: &dyn Operation) -> bool {
        (other as &dyn Any)
            .downcast_ref::<Checkpointed>()
            .is_some_and(|other| self.inputs == other.inputs && self.tape.same(&other.tape))
    }

    fn hash(&self, hasher: &mut dyn Hasher) {
        self.tape.hash(hasher);
    }

    fn declaration(&self) -> &dyn Any {
        self
    }
}

impl Rule for Checkpointed {
    fn jvp(
        &self,
        inputs: &[Tensor],
        _outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let recorded = self.recorded_on(named_anew(inputs));
        let mut table = Side::over(&recorded.walk);
        for (input, tangent) in recorded.inputs.iter().zip(tangents) {
            if let Some(tangent) = tangent {
                table.set(input, tangent.clone());
            }
        }
        push_all(&recorded.walk, &mut table);
        let outputs = recorded.outputs.iter();
        outputs.map(|output| table.get(output).cloned()).collect()
    }

    /// The function is recorded on inputs that wait for the cotangents, so its values are computed in the backward pass
    /// and not before.
    fn vjp(
        &self,
        inputs: &[Tensor],
        _outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let arrived: Vec<&Tensor> = cotangents.iter().flatten().collect();
        let waiting = inputs.iter().map(|input| input.after(&arrived)).collect();
        let recorded = self.recorded_on(waiting);
        let mut table = Side::over(&recorded.walk);
        for (output, cotangent) in recorded.outputs.iter().zip(cotangents) {
            if let Some(cotangent) = cotangent {
                table.accumulate(output, cotangent.clone());
            }
        }
        pull_all(&recorded.walk, &mut table);
        let inputs = recorded.inputs.iter();
        inputs.map(|input| table.get(input).cloned()).collect()
    }
}
