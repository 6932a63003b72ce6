//! Elements moved between strided views: materialising, transposing, filling, writing into a part of a tensor.

use crate::threads::{fork_join, share, task_count};
use smallvec::SmallVec;

/// Bytes below which a copy stays on one thread.
const GRAIN: usize = 1 << 16;
/// The longest contiguous run that one unit of work copies, in elements.
const SEGMENT: usize = 1 << 13;

/// One axis that a copy walks along: extent and the two strides, in elements.
#[derive(Clone, Copy, Debug)]
struct Axis {
    extent: usize,
    source: isize,
    target: isize,
}

type Axes = SmallVec<[Axis; 8]>;

/// Copies a strided view into `out`, contiguous in row-major order.
///
/// Element `(i, j, ..)` is `source[offset + i * strides[0] + j * strides[1] + ..]`; strides may be negative or zero.
///
/// # Panics
/// When ranks differ, the view reaches outside `source`, or `out` does not hold exactly the view's elements.
pub fn copy_strided<T: Copy + Send + Sync>(
    shape: &[usize],
    source: &[T],
    offset: usize,
    strides: &[isize],
    out: &mut [T],
) {
    let elements = shape.iter().product::<usize>();
    assert!(
        out.len() == elements,
        "copy: the view of shape {shape:?} has {elements} elements, the output {}",
        out.len()
    );
    copy(
        shape,
        source,
        offset,
        strides,
        out,
        0,
        &contiguous_strides(shape),
    );
}

/// Copies `source`, contiguous in row-major order, into a strided view of `out`; other elements of `out` stay.
///
/// # Panics
/// As [`copy`]; also when `source` does not hold exactly the view's elements.
pub fn scatter_strided<T: Copy + Send + Sync>(
    shape: &[usize],
    source: &[T],
    out: &mut [T],
    out_offset: usize,
    out_strides: &[isize],
) {
    let elements = shape.iter().product::<usize>();
    assert!(
        source.len() == elements,
        "copy: the view of shape {shape:?} has {elements} elements, the source {}",
        source.len()
    );
    copy(
        shape,
        source,
        0,
        &contiguous_strides(shape),
        out,
        out_offset,
        out_strides,
    );
}

/// Sets every element of `out` to `value`.
pub fn fill<T: Copy + Send + Sync>(out: &mut [T], value: T) {
    let count = out.len();
    copy(&[count], &[value], 0, &[0], out, 0, &[1]);
}

/// Sets every element of a strided view of `out` to `value`.
///
/// # Panics
/// As [`copy`].
pub fn fill_strided<T: Copy + Send + Sync>(
    shape: &[usize],
    value: T,
    out: &mut [T],
    out_offset: usize,
    out_strides: &[isize],
) {
    let zeros: SmallVec<[isize; 8]> = SmallVec::from_elem(0, shape.len());
    copy(shape, &[value], 0, &zeros, out, out_offset, out_strides);
}

/// The strides of a row-major contiguous tensor.
pub fn contiguous_strides(shape: &[usize]) -> SmallVec<[isize; 8]> {
    let mut strides: SmallVec<[isize; 8]> = SmallVec::from_elem(1, shape.len());
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1) as isize;
    }
    strides
}

/// Checks that a view stays inside a slice of `length` elements.
///
/// # Panics
/// When it does not; `what` names the slice in the message.
pub(crate) fn check_view(
    what: &str,
    length: usize,
    shape: &[usize],
    offset: usize,
    strides: &[isize],
) {
    assert!(
        shape.len() == strides.len(),
        "{what}: {} strides for shape {shape:?}",
        strides.len()
    );
    if shape.contains(&0) {
        return;
    }
    let (mut low, mut high) = (offset as i128, offset as i128);
    for (&extent, &stride) in shape.iter().zip(strides) {
        let reach = (extent as i128 - 1) * stride as i128;
        low += reach.min(0);
        high += reach.max(0);
    }
    assert!(
        low >= 0 && high < length as i128,
        "{what}: the view of shape {shape:?}, strides {strides:?}, offset {offset} reaches elements {low}..={high} of a \
         slice of {length}"
    );
}

/// Copies a strided view of `source` into a strided view of `out` of the same shape.
///
/// # Panics
/// When ranks differ, a view reaches outside its slice, or two elements of the output's view may share a place.
pub fn copy<T: Copy + Send + Sync>(
    shape: &[usize],
    source: &[T],
    source_offset: usize,
    source_strides: &[isize],
    out: &mut [T],
    out_offset: usize,
    out_strides: &[isize],
) {
    check_view(
        "copy source",
        source.len(),
        shape,
        source_offset,
        source_strides,
    );
    check_view("copy output", out.len(), shape, out_offset, out_strides);
    if shape.contains(&0) {
        return;
    }
    let mut axes = Axes::new();
    let (mut source_offset, mut out_offset) = (source_offset as isize, out_offset as isize);
    for axis in 0..shape.len() {
        let mut walk = Axis {
            extent: shape[axis],
            source: source_strides[axis],
            target: out_strides[axis],
        };
        if walk.extent == 1 {
            continue;
        }
        if walk.target < 0 {
            // Walk the axis from its other end.
            source_offset += (walk.extent as isize - 1) * walk.source;
            out_offset += (walk.extent as isize - 1) * walk.target;
            walk.source = -walk.source;
            walk.target = -walk.target;
        }
        axes.push(walk);
    }
    axes.sort_by_key(|axis| std::cmp::Reverse(axis.target));
    check_apart(&axes, shape, out_strides);
    merge(&mut axes);
    // SAFETY: the checks above showed that both views stay inside their slices and that no two output elements share a
    // place; walking an axis from its other end, reordering and merging axes keep the set of element pairs.
    unsafe {
        copy_axes(
            &axes,
            source.as_ptr().offset(source_offset),
            out.as_mut_ptr().offset(out_offset),
        );
    }
}

/// Panics unless every axis (sorted by falling stride) steps beyond all that the axes inside it reach.
fn check_apart(axes: &[Axis], shape: &[usize], strides: &[isize]) {
    let mut reach = 0;
    for axis in axes.iter().rev() {
        assert!(
            axis.target > reach,
            "copy output: elements of the view of shape {shape:?}, strides {strides:?} may share a place"
        );
        reach += (axis.extent as isize - 1) * axis.target;
    }
}

/// Joins neighbouring axes that both views walk as one.
fn merge(axes: &mut Axes) {
    let mut kept = 0;
    for index in 1..axes.len() {
        let inner = axes[index];
        let outer = axes[kept];
        let extent = inner.extent as isize;
        if outer.source == inner.source * extent && outer.target == inner.target * extent {
            axes[kept] = Axis {
                extent: outer.extent * inner.extent,
                ..inner
            };
        } else {
            kept += 1;
            axes[kept] = inner;
        }
    }
    axes.truncate(kept + 1);
}

/// A pointer that tasks share.
struct Start<P>(P);
// SAFETY: the tasks of one copy write disjoint elements and only read the source.
unsafe impl<P> Sync for Start<P> {}

impl<P: Copy> Start<P> {
    fn get(&self) -> P {
        self.0
    }
}

/// # Safety
/// Every element pair that `axes` name is inside its allocation, and no two output elements coincide.
unsafe fn copy_axes<T: Copy + Send + Sync>(axes: &[Axis], source: *const T, out: *mut T) {
    let Some((&inner, outer)) = axes.split_last() else {
        // SAFETY: without axes there is the one element at the start.
        unsafe { *out = *source };
        return;
    };
    // The axis along which the source is contiguous, where that is not the innermost one.
    let crossing = outer
        .iter()
        .rposition(|axis| axis.source.abs() == 1 && axis.extent >= 4)
        .filter(|_| inner.source.abs() > 1 && inner.target == 1 && inner.extent >= 4);
    if let Some(position) = crossing {
        let mut rest = Axes::from_slice(outer);
        let across = rest.remove(position);
        let width = tile_width::<T>();
        let strips = across.extent.div_ceil(width);
        let (source, out) = (Start(source), Start(out));
        let strip_bytes = width.min(across.extent) * inner.extent * size_of::<T>();
        each_unit(&rest, strips, strip_bytes, &|source_at, out_at, strip| {
            let first = strip * width;
            let across = Axis {
                extent: width.min(across.extent - first),
                ..across
            };
            // SAFETY: the strip is a part of the two views.
            unsafe {
                let source = source
                    .get()
                    .offset(source_at + first as isize * across.source);
                let out = out.get().offset(out_at + first as isize * across.target);
                transpose_strip(across, inner, source, out);
            }
        });
        return;
    }
    let segments = inner.extent.div_ceil(SEGMENT);
    let (source, out) = (Start(source), Start(out));
    let bytes = inner.extent.min(SEGMENT) * size_of::<T>();
    each_unit(outer, segments, bytes, &|source_at, out_at, segment| {
        let first = segment * SEGMENT;
        let run = Axis {
            extent: SEGMENT.min(inner.extent - first),
            ..inner
        };
        // SAFETY: the run is a part of the two views.
        unsafe {
            let source = source
                .get()
                .offset(source_at + first as isize * inner.source);
            let out = out.get().offset(out_at + first as isize * inner.target);
            copy_run(run, source, out);
        }
    });
}

/// Calls `unit(source offset, output offset, part)` for every position of the outer axes and every part of `parts`, over
/// the threads.
fn each_unit(
    outer: &[Axis],
    parts: usize,
    unit_bytes: usize,
    unit: &(dyn Fn(isize, isize, usize) + Sync),
) {
    let units = outer.iter().map(|axis| axis.extent).product::<usize>() * parts;
    let tasks = task_count(units * unit_bytes, GRAIN).min(units);
    let work = |task: usize| {
        let range = share(units, tasks, task, 1);
        let mut position: SmallVec<[usize; 8]> = SmallVec::from_elem(0, outer.len());
        let mut part = range.start % parts;
        let mut rest = range.start / parts;
        let (mut source_at, mut out_at) = (0, 0);
        for (index, axis) in outer.iter().enumerate().rev() {
            position[index] = rest % axis.extent;
            rest /= axis.extent;
            source_at += position[index] as isize * axis.source;
            out_at += position[index] as isize * axis.target;
        }
        for _ in range {
            unit(source_at, out_at, part);
            part += 1;
            if part < parts {
                continue;
            }
            part = 0;
            for (position, axis) in position.iter_mut().zip(outer).rev() {
                *position += 1;
                source_at += axis.source;
                out_at += axis.target;
                if *position < axis.extent {
                    break;
                }
                *position = 0;
                source_at -= axis.extent as isize * axis.source;
                out_at -= axis.extent as isize * axis.target;
            }
        }
    };
    if tasks == 1 {
        work(0);
    } else {
        fork_join(tasks, &work);
    }
}

/// # Safety
/// Both runs are inside their allocations.
#[inline]
unsafe fn copy_run<T: Copy>(run: Axis, source: *const T, out: *mut T) {
    // SAFETY: all element accesses below are of the runs, which the caller vouches for.
    unsafe {
        if run.target == 1 {
            match run.source {
                1 => std::ptr::copy_nonoverlapping(source, out, run.extent),
                0 => std::slice::from_raw_parts_mut(out, run.extent).fill(*source),
                stride => {
                    for index in 0..run.extent {
                        *out.add(index) = *source.offset(index as isize * stride);
                    }
                }
            }
        } else {
            for index in 0..run.extent as isize {
                *out.offset(index * run.target) = *source.offset(index * run.source);
            }
        }
    }
}

/// The side of a square tile: a cache line of elements, at most 16.
const fn tile_width<T>() -> usize {
    let size = size_of::<T>();
    if size == 0 || size > 8 {
        4
    } else if 64 / size > 16 {
        16
    } else {
        64 / size
    }
}

/// Copies a strip of at most one tile's width across, where the source is contiguous along `across` and the output
/// along `inner`.
///
/// # Safety
/// Both strips are inside their allocations; `across.source` is 1 or -1 and `inner.target` is 1.
unsafe fn transpose_strip<T: Copy>(across: Axis, inner: Axis, source: *const T, out: *mut T) {
    let width = tile_width::<T>();
    let mut at = 0;
    // SAFETY: every access is to an element of the strip.
    unsafe {
        if across.extent == width && across.source == 1 {
            while at + width <= inner.extent {
                let source = source.offset(at as isize * inner.source);
                let out = out.add(at);
                match width {
                    16 => transpose_tile::<T, 16>(inner.source, across.target, source, out),
                    8 => transpose_tile::<T, 8>(inner.source, across.target, source, out),
                    _ => transpose_tile::<T, 4>(inner.source, across.target, source, out),
                }
                at += width;
            }
        }
        for column in 0..across.extent as isize {
            for row in at as isize..inner.extent as isize {
                *out.offset(column * across.target + row) =
                    *source.offset(column * across.source + row * inner.source);
            }
        }
    }
}

/// # Safety
/// The `W` by `W` elements are inside their allocations.
#[inline(always)]
unsafe fn transpose_tile<T: Copy, const W: usize>(
    source_stride: isize,
    out_stride: isize,
    source: *const T,
    out: *mut T,
) {
    // SAFETY: row `i` of either tile starts `i` strides from its start and holds `W` elements.
    unsafe {
        let mut rows = [[*source; W]; W];
        for (index, row) in rows.iter_mut().enumerate() {
            *row = source
                .offset(index as isize * source_stride)
                .cast::<[T; W]>()
                .read_unaligned();
        }
        for column in 0..W {
            let turned: [T; W] = std::array::from_fn(|row| rows[row][column]);
            out.offset(column as isize * out_stride)
                .cast::<[T; W]>()
                .write_unaligned(turned);
        }
    }
}

#[cfg(test)]
mod tests;
