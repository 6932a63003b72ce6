//! How a chunk of an input reaches the kernels: in place, widened, filled once, or gathered.

use super::{CHUNK, Operand};
use crate::element::DType;
use crate::half::widen;
use crate::simd::Level;
use smallvec::SmallVec;

/// One dimension of an input after merging: extent, stride in elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dimension {
    extent: usize,
    stride: isize,
}

/// The dimensions of a view, outermost first.
pub(super) type Dimensions = SmallVec<[Dimension; 4]>;

/// Where an input's elements lie.
pub(super) enum Access {
    /// Contiguous, in the register's type: kernels read the memory itself.
    Direct(*const u8),
    /// Contiguous, copied to the chunk before an output overwrites it.
    Copied(*const u8),
    /// Contiguous halves, widened chunk by chunk.
    Widened(*const u8),
    /// One element for all.
    Repeated(*const u8),
    /// Anything else; the innermost dimension last, at least one.
    Gathered(*const u8, Dimensions),
}

// SAFETY: the addresses are only read while `run` borrows the buffers.
unsafe impl Sync for Access {}

impl Access {
    /// The access to a strided operand over `shape`, which holds at least one element.
    ///
    /// # Panics
    /// If the operand has another rank, or reaches beyond its buffer.
    pub(super) fn strided(
        input: usize,
        dtype: DType,
        operand: &Operand,
        shape: &[usize],
    ) -> Access {
        let &Operand::Strided {
            data,
            offset,
            strides,
        } = operand
        else {
            unreachable!("an operand in place has no strides");
        };
        assert!(
            strides.len() == shape.len(),
            "input {input}: {} strides for {} axes",
            strides.len(),
            shape.len()
        );
        let length = data.len() / dtype.size();
        let (lowest, highest) = bounds(offset, strides, shape);
        assert!(
            lowest >= 0 && highest < length as i128,
            "input {input} reaches from element {lowest} to {highest} of a buffer of {length} ({dtype}); shape {shape:?}, \
             strides {strides:?}, offset {offset}"
        );
        // SAFETY: the offset is one of the elements just checked.
        let start = unsafe { data.bytes().as_ptr().add(offset * dtype.size()) };
        let dimensions = merged(strides, shape);
        match dimensions[..] {
            [] | [Dimension { stride: 0, .. }] => Access::Repeated(start),
            [Dimension { stride: 1, .. }] if dtype.is_half() => Access::Widened(start),
            [Dimension { stride: 1, .. }] => Access::Direct(start),
            _ => Access::Gathered(start, dimensions),
        }
    }

    /// Whether a chunk register must be kept for it.
    pub(super) fn needs_register(&self) -> bool {
        !matches!(self, Access::Direct(_))
    }

    /// The address where kernels find elements `start..start + count`, filled into `register` if need be.
    ///
    /// # Safety
    /// The range lies in the iteration space that the access was checked for; `register` is valid for `CHUNK` elements
    /// of the register's type and belongs to this input. A repeated operand has been filled by [`Access::fill`].
    pub(super) unsafe fn chunk(
        &self,
        dtype: DType,
        level: Level,
        start: usize,
        count: usize,
        register: *mut u8,
    ) -> *const u8 {
        let size = dtype.size();
        // SAFETY: the caller vouches for the range and the register.
        unsafe {
            match self {
                Access::Direct(memory) => memory.add(start * size),
                Access::Copied(memory) => {
                    std::ptr::copy_nonoverlapping(memory.add(start * size), register, count * size);
                    register
                }
                Access::Widened(memory) => {
                    widen(
                        dtype,
                        level,
                        register.cast(),
                        memory.add(start * size).cast(),
                        count,
                    );
                    register
                }
                Access::Repeated(_) => register,
                Access::Gathered(memory, dimensions) if dtype.is_half() => {
                    let mut halves = [0u16; CHUNK];
                    let halves = halves.as_mut_ptr();
                    gather::<u16>(halves, memory.cast(), dimensions, start, count);
                    widen(dtype, level, register.cast(), halves, count);
                    register
                }
                Access::Gathered(memory, dimensions) => {
                    if let Some(run) = contiguous_run(dimensions, start, count) {
                        return memory.offset(run * size as isize);
                    }
                    match size {
                        8 => {
                            gather::<u64>(register.cast(), memory.cast(), dimensions, start, count)
                        }
                        4 => {
                            gather::<u32>(register.cast(), memory.cast(), dimensions, start, count)
                        }
                        _ => gather::<u8>(register, memory.cast(), dimensions, start, count),
                    }
                    register
                }
            }
        }
    }

    /// Fills the register of a repeated operand with `count` copies.
    ///
    /// # Safety
    /// `register` is valid for `count` elements of the register's type.
    pub(super) unsafe fn fill(&self, dtype: DType, level: Level, count: usize, register: *mut u8) {
        let Access::Repeated(memory) = *self else {
            return;
        };
        // SAFETY: the caller vouches for the register, `strided` for the element.
        unsafe {
            match dtype.size() {
                2 => {
                    let mut wide = 0f32;
                    widen(dtype, level, &raw mut wide, memory.cast(), 1);
                    std::slice::from_raw_parts_mut(register.cast::<f32>(), count).fill(wide);
                }
                8 => std::slice::from_raw_parts_mut(register.cast::<u64>(), count)
                    .fill(*memory.cast()),
                4 => std::slice::from_raw_parts_mut(register.cast::<u32>(), count)
                    .fill(*memory.cast()),
                _ => std::slice::from_raw_parts_mut(register, count).fill(*memory),
            }
        }
    }
}

/// The lowest and highest element that a non-empty strided view touches.
fn bounds(offset: usize, strides: &[isize], shape: &[usize]) -> (i128, i128) {
    let (mut lowest, mut highest) = (offset as i128, offset as i128);
    for (&stride, &extent) in strides.iter().zip(shape) {
        let span = stride as i128 * (extent as i128 - 1);
        lowest += span.min(0);
        highest += span.max(0);
    }
    (lowest, highest)
}

/// The dimensions without those of extent 1, neighbours that one stride can walk joined.
fn merged(strides: &[isize], shape: &[usize]) -> Dimensions {
    let mut dimensions = Dimensions::new();
    for (&stride, &extent) in strides.iter().zip(shape) {
        if extent == 1 {
            continue;
        }
        match dimensions.last_mut() {
            Some(outer) if outer.stride == stride.wrapping_mul(extent as isize) => {
                *outer = Dimension {
                    extent: outer.extent * extent,
                    stride,
                };
            }
            _ => dimensions.push(Dimension { extent, stride }),
        }
    }
    dimensions
}

/// The element offset of position `index` over `dimensions`, and its coordinate in the innermost.
fn locate(dimensions: &[Dimension], mut index: usize) -> (isize, usize) {
    let mut offset = 0;
    let mut innermost = None;
    for dimension in dimensions.iter().rev() {
        let coordinate = index % dimension.extent;
        index /= dimension.extent;
        offset += coordinate as isize * dimension.stride;
        innermost.get_or_insert(coordinate);
    }
    (offset, innermost.unwrap_or(0))
}

/// The element offset of a chunk that lies within one contiguous row.
fn contiguous_run(dimensions: &[Dimension], start: usize, count: usize) -> Option<isize> {
    let row = dimensions.last()?;
    if row.stride != 1 || row.extent < count {
        return None;
    }
    let (offset, coordinate) = locate(dimensions, start);
    (coordinate + count <= row.extent).then_some(offset)
}

/// Copies positions `start..start + count` of a strided view to `out`.
///
/// # Safety
/// The positions lie in the view, whose elements are readable; `out` is valid for `count` elements.
unsafe fn gather<T: Copy>(
    mut out: *mut T,
    memory: *const T,
    dimensions: &[Dimension],
    start: usize,
    count: usize,
) {
    let Some(row) = dimensions.last() else { return };
    let (mut position, mut left) = (start, count);
    while left > 0 {
        let (offset, coordinate) = locate(dimensions, position);
        let length = left.min(row.extent - coordinate);
        // SAFETY: the run lies within one row of the view.
        unsafe {
            let source = memory.offset(offset);
            match row.stride {
                0 => std::slice::from_raw_parts_mut(out, length).fill(*source),
                1 => std::ptr::copy_nonoverlapping(source, out, length),
                stride => {
                    for index in 0..length {
                        out.add(index)
                            .write(*source.offset(index as isize * stride));
                    }
                }
            }
            out = out.add(length);
        }
        position += length;
        left -= length;
    }
}
