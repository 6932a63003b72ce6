//! Recording a program in single-assignment form.

use super::code::Code;
use super::{Program, Reduction};
use crate::element::DType;
use crate::leaf::Leaf;

/// A value that a program computes: an input, a constant or a result, assigned once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(pub(super) u32);

impl Register {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A constant's value, converted to the dtype it is used at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A floating-point number.
    F64(f64),
    /// An integer, exact.
    I64(i64),
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Scalar {
        Scalar::F64(value)
    }
}
impl From<i64> for Scalar {
    fn from(value: i64) -> Scalar {
        Scalar::I64(value)
    }
}
impl From<bool> for Scalar {
    fn from(value: bool) -> Scalar {
        Scalar::I64(value as i64)
    }
}

/// How a register gets its value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Definition {
    Input(usize),
    Constant(Scalar),
    Apply {
        leaf: &'static Leaf,
        dtype: DType,
        operands: [Register; 3],
    },
    Cast(Register),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) definition: Definition,
    pub(super) dtype: DType,
}

impl Node {
    /// The registers it reads.
    pub(super) fn operands(&self) -> impl Iterator<Item = Register> + use<> {
        let (operands, count) = match self.definition {
            Definition::Input(_) | Definition::Constant(_) => ([Register(0); 3], 0),
            Definition::Apply { leaf, operands, .. } => (operands, leaf.arity()),
            Definition::Cast(from) => ([from; 3], 1),
        };
        operands.into_iter().take(count)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) register: Register,
    pub(super) dtype: DType,
    pub(super) reduction: Option<Reduction>,
}

/// Records the instructions of a [`Program`].
///
/// Every method that takes a register panics if it comes from another builder and is unknown here.
#[derive(Default, Debug)]
pub struct Builder {
    pub(super) nodes: Vec<Node>,
    pub(super) inputs: Vec<DType>,
    pub(super) outputs: Vec<Output>,
}

impl Builder {
    /// The next input.
    pub fn input(&mut self, dtype: DType) -> Register {
        self.inputs.push(dtype);
        self.push(Definition::Input(self.inputs.len() - 1), dtype)
    }

    /// A constant, rounded to `dtype`.
    pub fn constant(&mut self, dtype: DType, value: impl Into<Scalar>) -> Register {
        self.push(Definition::Constant(value.into()), dtype)
    }

    /// `leaf` of `operands`, computed at `dtype`; halves are rounded.
    ///
    /// # Panics
    /// If the leaf does not support `dtype`, or the operands' number or dtypes are not what it takes.
    pub fn apply(&mut self, leaf: &'static Leaf, dtype: DType, operands: &[Register]) -> Register {
        assert!(
            leaf.supports(dtype),
            "{} is not defined on {dtype}",
            leaf.name()
        );
        assert!(
            operands.len() == leaf.arity(),
            "{} takes {} operands, not {}",
            leaf.name(),
            leaf.arity(),
            operands.len()
        );
        for (index, &operand) in operands.iter().enumerate() {
            let (expected, found) = (leaf.operand(dtype, index), self.dtype(operand));
            assert!(
                expected == found,
                "{} at {dtype}: operand {index} is {found}, not {expected}",
                leaf.name()
            );
        }
        let operands = std::array::from_fn(|index| operands[index.min(operands.len() - 1)]);
        let definition = Definition::Apply {
            leaf,
            dtype,
            operands,
        };
        self.push(definition, leaf.result(dtype))
    }

    /// `from` converted to `dtype`: floats to integers by truncation, saturating; to Bool as `!= 0`.
    pub fn cast(&mut self, from: Register, dtype: DType) -> Register {
        if self.dtype(from) == dtype {
            return from;
        }
        self.push(Definition::Cast(from), dtype)
    }

    /// Makes `register` the next output; returns the output's index.
    pub fn output(&mut self, register: Register) -> usize {
        self.push_output(register, None)
    }

    /// Makes the reduction of `register` over the trailing axes the next output; returns the output's index.
    pub fn reduce(&mut self, register: Register, reduction: Reduction) -> usize {
        self.push_output(register, Some(reduction))
    }

    /// The dtype of a register.
    pub fn dtype(&self, register: Register) -> DType {
        self.nodes[register.index()].dtype
    }

    /// The program: dead instructions dropped, neighbours joined, chunk registers allocated by last use.
    pub fn finish(self) -> Program {
        Program {
            code: Code::new(&self),
        }
    }

    fn push(&mut self, definition: Definition, dtype: DType) -> Register {
        self.nodes.push(Node { definition, dtype });
        Register(
            u32::try_from(self.nodes.len() - 1).expect("a program has fewer than 2^32 registers"),
        )
    }

    fn push_output(&mut self, register: Register, reduction: Option<Reduction>) -> usize {
        let dtype = self.dtype(register);
        self.outputs.push(Output {
            register,
            dtype,
            reduction,
        });
        self.outputs.len() - 1
    }
}
