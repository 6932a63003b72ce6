//! Arrays for reference values: contiguous vectors of any element type, sets of elements among them.

use crate::shape::{Layout, Shape};
use chainrule_kernels::DType;

/// A contiguous row-major array: what reference implementations read and return.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The extents.
    pub shape: Shape,
    /// The elements.
    pub data: Data,
}

/// The elements of an [`Array`]. Halves do not occur: reference values compute them in `f32`.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// Bytes.
    U8(Vec<u8>),
    /// Truth values.
    Bool(Vec<bool>),
    /// Sets of elements: which inputs each element depends on. With union for sum and product, a linear reference
    /// value run on these yields the sparsity pattern of its Jacobian.
    Sets(Vec<Set>),
}

/// A set of element numbers, ascending.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Set(pub Vec<u32>);

impl Set {
    /// The elements of both sets.
    pub fn union(&self, other: &Set) -> Set {
        if other.0.is_empty() {
            return self.clone();
        }
        let mut merged = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let next = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if a < b => left.next(),
                (Some(a), Some(b)) if a == b => {
                    right.next();
                    left.next()
                }
                (_, Some(_)) => right.next(),
                (Some(_), None) => left.next(),
                (None, None) => return Set(merged),
            };
            merged.extend(next);
        }
    }
}

/// What sums and products of a reference value need of an element type.
pub trait Ring: Clone {
    /// The neutral element of addition.
    fn zero() -> Self;
    /// The sum.
    fn plus(&self, other: &Self) -> Self;
    /// The product.
    fn times(&self, other: &Self) -> Self;
}

macro_rules! float_ring {
    ($($type:ty),*) => {$(
        impl Ring for $type {
            fn zero() -> $type { 0.0 }
            fn plus(&self, other: &$type) -> $type { self + other }
            fn times(&self, other: &$type) -> $type { self * other }
        }
    )*};
}
macro_rules! integer_ring {
    ($($type:ty),*) => {$(
        impl Ring for $type {
            fn zero() -> $type { 0 }
            fn plus(&self, other: &$type) -> $type { self.wrapping_add(*other) }
            fn times(&self, other: &$type) -> $type { self.wrapping_mul(*other) }
        }
    )*};
}
float_ring!(f32, f64);
integer_ring!(i64, i32, u8);

impl Ring for Set {
    fn zero() -> Set {
        Set::default()
    }
    fn plus(&self, other: &Set) -> Set {
        self.union(other)
    }
    /// Nothing, where a factor is known to be zero (an empty set); else both: no product of numbers cancels.
    fn times(&self, other: &Set) -> Set {
        if self.0.is_empty() || other.0.is_empty() {
            return Set::default();
        }
        self.union(other)
    }
}

/// Applies the same generic expression to the elements of a [`Data`], whatever their type; the result has that type.
#[macro_export]
macro_rules! each_type {
    ($data:expr, $elements:ident => $result:expr) => {{
        use $crate::declare::Data;
        #[allow(clippy::clone_on_copy)] // the same code serves sets, which are not `Copy`
        let data = match $data {
            Data::F32($elements) => Data::F32($result),
            Data::F64($elements) => Data::F64($result),
            Data::I64($elements) => Data::I64($result),
            Data::I32($elements) => Data::I32($result),
            Data::U8($elements) => Data::U8($result),
            Data::Bool($elements) => Data::Bool($result),
            Data::Sets($elements) => Data::Sets($result),
        };
        data
    }};
}

/// Like [`each_type!`], for expressions that need a [`Ring`]; truth values have none.
#[macro_export]
macro_rules! each_ring {
    ($data:expr, $elements:ident => $result:expr) => {{
        use $crate::declare::Data;
        #[allow(clippy::clone_on_copy)] // the same code serves sets, which are not `Copy`
        let data = match $data {
            Data::F32($elements) => Data::F32($result),
            Data::F64($elements) => Data::F64($result),
            Data::I64($elements) => Data::I64($result),
            Data::I32($elements) => Data::I32($result),
            Data::U8($elements) => Data::U8($result),
            Data::Sets($elements) => Data::Sets($result),
            Data::Bool(_) => unreachable!("shape rules keep arithmetic off truth values"),
        };
        data
    }};
}

/// Like [`each_ring!`] for two operands of the same type.
#[macro_export]
macro_rules! each_ring_pair {
    ($first:expr, $second:expr, ($a:ident, $b:ident) => $result:expr) => {{
        use $crate::declare::Data;
        #[allow(clippy::clone_on_copy)] // the same code serves sets, which are not `Copy`
        let data = match ($first, $second) {
            (Data::F32($a), Data::F32($b)) => Data::F32($result),
            (Data::F64($a), Data::F64($b)) => Data::F64($result),
            (Data::I64($a), Data::I64($b)) => Data::I64($result),
            (Data::I32($a), Data::I32($b)) => Data::I32($result),
            (Data::U8($a), Data::U8($b)) => Data::U8($result),
            (Data::Sets($a), Data::Sets($b)) => Data::Sets($result),
            _ => unreachable!("shape rules see to equal dtypes"),
        };
        data
    }};
}

/// Like [`each_type!`] for real numbers only: `f32` and `f64`.
#[macro_export]
macro_rules! each_float {
    ($data:expr, $elements:ident => $result:expr) => {{
        use $crate::declare::Data;
        #[allow(clippy::clone_on_copy)] // the same code serves sets, which are not `Copy`
        let data = match $data {
            Data::F32($elements) => Data::F32($result),
            Data::F64($elements) => Data::F64($result),
            _ => unreachable!("shape rules see to a floating dtype"),
        };
        data
    }};
}

impl Array {
    /// An array of the elements.
    pub fn new(shape: impl Into<Shape>, data: Data) -> Array {
        Array {
            shape: shape.into(),
            data,
        }
    }

    /// The elements that `layout` names, in row-major order.
    pub fn viewed(&self, layout: &Layout) -> Array {
        self.picked(layout.shape.clone(), layout.positions())
    }

    /// An array of `shape` with the elements at `positions` of this one.
    pub fn picked(&self, shape: Shape, positions: impl Iterator<Item = usize>) -> Array {
        Array {
            shape,
            data: each_type!(&self.data, elements => positions.map(|position| elements[position].clone()).collect()),
        }
    }

    /// Appends the elements of `other`, of the same type, at the positions in `range`; the shape is no longer of meaning.
    pub fn append(&mut self, other: &Array, range: std::ops::Range<usize>) {
        match (&mut self.data, &other.data) {
            (Data::F32(mine), Data::F32(theirs)) => mine.extend_from_slice(&theirs[range]),
            (Data::F64(mine), Data::F64(theirs)) => mine.extend_from_slice(&theirs[range]),
            (Data::I64(mine), Data::I64(theirs)) => mine.extend_from_slice(&theirs[range]),
            (Data::I32(mine), Data::I32(theirs)) => mine.extend_from_slice(&theirs[range]),
            (Data::U8(mine), Data::U8(theirs)) => mine.extend_from_slice(&theirs[range]),
            (Data::Bool(mine), Data::Bool(theirs)) => mine.extend_from_slice(&theirs[range]),
            (Data::Sets(mine), Data::Sets(theirs)) => mine.extend_from_slice(&theirs[range]),
            _ => unreachable!("shape rules see to equal dtypes"),
        }
    }

    /// The elements as integers, for index operands.
    pub fn to_integers(&self) -> Vec<i64> {
        match &self.data {
            Data::I64(elements) => elements.clone(),
            Data::I32(elements) => elements.iter().map(|&element| element.into()).collect(),
            Data::U8(elements) => elements.iter().map(|&element| element.into()).collect(),
            _ => unreachable!("shape rules see to integer indices"),
        }
    }

    /// The dtype of the elements; `None` for sets.
    pub fn dtype(&self) -> Option<DType> {
        Some(match self.data {
            Data::F32(_) => DType::F32,
            Data::F64(_) => DType::F64,
            Data::I64(_) => DType::I64,
            Data::I32(_) => DType::I32,
            Data::U8(_) => DType::U8,
            Data::Bool(_) => DType::Bool,
            Data::Sets(_) => return None,
        })
    }
}
