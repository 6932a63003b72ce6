//! Between stored values and the arrays of reference implementations.

use super::{Scalar, Stored, Value};
use crate::declare::{Array, Data};
use crate::error::{Error, ErrorKind};
use crate::graph::Spec;
use chainrule_kernels::buffer::OutOfMemory;
use chainrule_kernels::{Buffer, DType, Element};
use half::{bf16, f16};

impl From<OutOfMemory> for Error {
    fn from(refused: OutOfMemory) -> Error {
        let message = format!(
            "{} bytes of memory were asked for and refused\n    help: use smaller batches, or a smaller dtype",
            refused.bytes
        );
        Error::new(ErrorKind::Memory, message)
    }
}

/// The elements of a stored value in row-major order, as their storage type.
pub(crate) fn elements<T: Element>(stored: &Stored) -> Vec<T> {
    let buffer = stored.buffer.as_slice::<T>();
    if stored.layout.is_contiguous() {
        let start = stored.layout.offset;
        return buffer[start..start + stored.layout.shape.elements()].to_vec();
    }
    stored
        .layout
        .positions()
        .map(|position| buffer[position])
        .collect()
}

/// A value as an array; halves become `f32`.
pub(crate) fn to_array(value: &Value, spec: &Spec) -> Result<Array, Error> {
    let count = spec.elements();
    check_room(count)?;
    let data = match value {
        Value::Filled(scalar) => filled(*scalar, spec.dtype(), count),
        Value::Array(stored) => match spec.dtype() {
            DType::F32 => Data::F32(elements(stored)),
            DType::F64 => Data::F64(elements(stored)),
            DType::BF16 => Data::F32(
                elements::<bf16>(stored)
                    .into_iter()
                    .map(f32::from)
                    .collect(),
            ),
            DType::F16 => Data::F32(elements::<f16>(stored).into_iter().map(f32::from).collect()),
            DType::I64 => Data::I64(elements(stored)),
            DType::I32 => Data::I32(elements(stored)),
            DType::U8 => Data::U8(elements(stored)),
            _ => Data::Bool(
                elements::<u8>(stored)
                    .into_iter()
                    .map(|byte| byte != 0)
                    .collect(),
            ),
        },
    };
    Ok(Array::new(spec.shape(), data))
}

/// Asks for the memory of `count` numbers and gives it back: a refusal is an error here and would be an abort later.
fn check_room(count: usize) -> Result<(), Error> {
    /// What is always there.
    const SMALL: usize = 1 << 24;
    if count <= SMALL || Vec::<f64>::new().try_reserve_exact(count).is_ok() {
        return Ok(());
    }
    let bytes = count.saturating_mul(size_of::<f64>());
    Err(OutOfMemory { bytes }.into())
}

fn filled(scalar: Scalar, dtype: DType, count: usize) -> Data {
    match dtype {
        DType::F32 | DType::BF16 | DType::F16 => Data::F32(vec![scalar.to_f64() as f32; count]),
        DType::F64 => Data::F64(vec![scalar.to_f64(); count]),
        DType::I64 => Data::I64(vec![scalar.to_i64(); count]),
        DType::I32 => Data::I32(vec![scalar.to_i64() as i32; count]),
        DType::U8 => Data::U8(vec![scalar.to_i64() as u8; count]),
        _ => Data::Bool(vec![scalar.to_i64() != 0; count]),
    }
}

/// An array as a stored value of `spec`; `f32` elements round to the halves that the spec asks for.
pub(crate) fn from_array(array: Array, spec: &Spec) -> Result<Value, Error> {
    debug_assert_eq!(
        array.shape,
        *spec.shape(),
        "the reference value keeps to the shape rule"
    );
    if array.shape.rank() == 0 {
        let scalar = match &array.data {
            Data::F32(elements) => Scalar::Float(elements[0].into()),
            Data::F64(elements) => Scalar::Float(elements[0]),
            Data::I64(elements) => Scalar::Integer(elements[0]),
            Data::I32(elements) => Scalar::Integer(elements[0].into()),
            Data::U8(elements) => Scalar::Integer(elements[0].into()),
            Data::Bool(elements) => Scalar::Truth(elements[0]),
            Data::Sets(_) => unreachable!("sets are never stored"),
        };
        return Ok(Value::Filled(scalar.cast(spec.dtype())));
    }
    let buffer = to_buffer(&array, spec.dtype())?;
    Ok(Value::contiguous(buffer, array.shape))
}

/// The elements in memory, as `dtype`; `f32` elements round to the halves that are asked for.
pub(crate) fn to_buffer(array: &Array, dtype: DType) -> Result<Buffer, Error> {
    Ok(match (&array.data, dtype) {
        (Data::F32(elements), DType::BF16) => rounded(elements, bf16::from_f32)?,
        (Data::F32(elements), DType::F16) => rounded(elements, f16::from_f32)?,
        (Data::F32(elements), _) => Buffer::from_slice(elements)?,
        (Data::F64(elements), _) => Buffer::from_slice(elements)?,
        (Data::I64(elements), _) => Buffer::from_slice(elements)?,
        (Data::I32(elements), _) => Buffer::from_slice(elements)?,
        (Data::U8(elements), _) => Buffer::from_slice(elements)?,
        (Data::Bool(elements), _) => rounded(elements, u8::from)?,
        (Data::Sets(_), _) => unreachable!("sets are never stored"),
    })
}

/// The elements of a row-major buffer as an array; halves become `f32`.
pub(crate) fn from_contiguous(buffer: &Buffer, spec: &Spec) -> Array {
    let count = spec.elements();
    let data = match spec.dtype() {
        DType::F32 => Data::F32(buffer.as_slice()[..count].to_vec()),
        DType::F64 => Data::F64(buffer.as_slice()[..count].to_vec()),
        DType::BF16 => Data::F32(
            buffer.as_slice::<bf16>()[..count]
                .iter()
                .map(|&x| x.into())
                .collect(),
        ),
        DType::F16 => Data::F32(
            buffer.as_slice::<f16>()[..count]
                .iter()
                .map(|&x| x.into())
                .collect(),
        ),
        DType::I64 => Data::I64(buffer.as_slice()[..count].to_vec()),
        DType::I32 => Data::I32(buffer.as_slice()[..count].to_vec()),
        DType::U8 => Data::U8(buffer.as_slice()[..count].to_vec()),
        _ => Data::Bool(
            buffer.as_slice::<u8>()[..count]
                .iter()
                .map(|&byte| byte != 0)
                .collect(),
        ),
    };
    Array::new(spec.shape(), data)
}

fn rounded<S: Copy, T: Element>(elements: &[S], convert: impl Fn(S) -> T) -> Result<Buffer, Error> {
    let mut buffer = Buffer::scratch(elements.len() * size_of::<T>())?;
    for (slot, &element) in buffer.as_mut_slice::<T>().iter_mut().zip(elements) {
        *slot = convert(element);
    }
    Ok(buffer)
}

/// The first element of a buffer of `dtype`.
pub(crate) fn first_element(buffer: &Buffer, dtype: DType) -> Scalar {
    match dtype {
        DType::F32 => Scalar::Float(buffer.as_slice::<f32>()[0].into()),
        DType::F64 => Scalar::Float(buffer.as_slice::<f64>()[0]),
        DType::BF16 => Scalar::Float(buffer.as_slice::<bf16>()[0].into()),
        DType::F16 => Scalar::Float(buffer.as_slice::<f16>()[0].into()),
        DType::I64 => Scalar::Integer(buffer.as_slice::<i64>()[0]),
        DType::I32 => Scalar::Integer(buffer.as_slice::<i32>()[0].into()),
        DType::U8 => Scalar::Integer(buffer.as_slice::<u8>()[0].into()),
        _ => Scalar::Truth(buffer.as_slice::<u8>()[0] != 0),
    }
}

/// Numbers as an array of the spec's shape and dtype.
pub(crate) fn array_of(numbers: &[Scalar], spec: &Spec) -> Array {
    let cast = numbers.iter().map(|number| number.cast(spec.dtype()));
    let data = match spec.dtype() {
        DType::F32 | DType::BF16 | DType::F16 => {
            Data::F32(cast.map(|s| s.to_f64() as f32).collect())
        }
        DType::F64 => Data::F64(cast.map(Scalar::to_f64).collect()),
        DType::I64 => Data::I64(cast.map(Scalar::to_i64).collect()),
        DType::I32 => Data::I32(cast.map(|s| s.to_i64() as i32).collect()),
        DType::U8 => Data::U8(cast.map(|s| s.to_i64() as u8).collect()),
        _ => Data::Bool(cast.map(|s| s.to_i64() != 0).collect()),
    };
    Array::new(spec.shape(), data)
}

/// A buffer with one element.
pub(crate) fn filled_buffer(scalar: Scalar, dtype: DType) -> Result<Buffer, Error> {
    Ok(match dtype {
        DType::F32 => Buffer::from_slice(&[scalar.to_f64() as f32])?,
        DType::F64 => Buffer::from_slice(&[scalar.to_f64()])?,
        DType::BF16 => Buffer::from_slice(&[bf16::from_f64(scalar.to_f64())])?,
        DType::F16 => Buffer::from_slice(&[f16::from_f64(scalar.to_f64())])?,
        DType::I64 => Buffer::from_slice(&[scalar.to_i64()])?,
        DType::I32 => Buffer::from_slice(&[scalar.to_i64() as i32])?,
        DType::U8 => Buffer::from_slice(&[scalar.to_i64() as u8])?,
        _ => Buffer::from_slice(&[u8::from(scalar.to_i64() != 0)])?,
    })
}
