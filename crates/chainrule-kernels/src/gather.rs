//! Elements chosen by index along the middle axis of `[outer, n, inner]`, and added or written back.
//!
//! All slices are contiguous. Indices are checked before anything is written; a negative index is out of range.

use crate::combine::{Lane, Reducible};
use crate::element::Element;
use crate::reduce::ReduceElement;
use crate::threads::{Shared, divide_range, divide_rows};
use std::fmt;

/// Elements that one task takes at least.
const GRAIN: usize = 1 << 14;

/// An index that names no element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// Where the index stands among the indices, flat.
    pub position: usize,
    /// The index.
    pub index: i64,
    /// The extent of the axis: indices are `0..extent`.
    pub extent: usize,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "index {} at position {} is out of range for an axis of {} elements",
            self.index, self.position, self.extent
        )
    }
}

impl std::error::Error for OutOfRange {}

/// Checks that every index names one of `extent` elements.
///
/// # Errors
/// The first index that does not.
pub fn check_indices(extent: usize, indices: &[i64]) -> Result<(), OutOfRange> {
    let wrong = |&index: &i64| index as u64 >= extent as u64;
    // Without an early exit the common case, all in range, vectorises.
    if !indices.iter().fold(false, |any, index| any | wrong(index)) {
        return Ok(());
    }
    let position = indices.iter().position(wrong).expect("one is wrong");
    Err(OutOfRange {
        position,
        index: indices[position],
        extent,
    })
}

fn check_length(what: &str, name: &str, length: usize, expected: [usize; 3]) {
    let [outer, n, inner] = expected;
    assert!(
        length == outer * n * inner,
        "{what}: {name} has {length} elements, its extents are {expected:?}"
    );
}

/// `out[o, j, i] = input[o, indices[o, j, i], i]`: `input` is `[outer, n, inner]`, `indices` and `out` are
/// `[outer, chosen, inner]`.
///
/// # Errors
/// The first index out of range; `out` is then untouched.
///
/// # Panics
/// When a slice's length does not fit.
///
/// ```
/// let mut out = [0; 2];
/// chainrule_kernels::gather::gather([1, 3, 1], 2, &[10, 20, 30], &[2, 0], &mut out).unwrap();
/// assert_eq!(out, [30, 10]);
/// ```
pub fn gather<T: Element>(
    extents: [usize; 3],
    chosen: usize,
    input: &[T],
    indices: &[i64],
    out: &mut [T],
) -> Result<(), OutOfRange> {
    let [outer, n, inner] = extents;
    check_length("gather", "the input", input.len(), extents);
    check_length(
        "gather",
        "the indices",
        indices.len(),
        [outer, chosen, inner],
    );
    check_length("gather", "the output", out.len(), [outer, chosen, inner]);
    check_indices(n, indices)?;
    divide_rows(out, inner, GRAIN, &|first, rows| {
        each_block(first, chosen, inner, rows, |outer, first, rows| {
            let input = &input[outer * n * inner..][..n * inner];
            let indices = &indices[(outer * chosen + first) * inner..][..rows.len()];
            if inner == 1 {
                for (out, &index) in rows.iter_mut().zip(indices) {
                    *out = input[index as usize];
                }
                return;
            }
            let indices = indices.chunks_exact(inner);
            for (row, indices) in rows.chunks_exact_mut(inner).zip(indices) {
                for (i, (out, &index)) in row.iter_mut().zip(indices).enumerate() {
                    *out = input[index as usize * inner + i];
                }
            }
        });
    });
    Ok(())
}

/// Divides rows of `inner` elements, the first of them number `first` of all, where a block of `chosen` rows ends, and
/// calls `work(block, the first row's number in it, rows)`.
#[inline(always)]
fn each_block<T>(
    first: usize,
    chosen: usize,
    inner: usize,
    mut rows: &mut [T],
    mut work: impl FnMut(usize, usize, &mut [T]),
) {
    let (mut block, mut start) = (first / chosen, first % chosen);
    while !rows.is_empty() {
        let count = ((chosen - start) * inner).min(rows.len());
        let (here, rest) = rows.split_at_mut(count);
        work(block, start, here);
        (block, start, rows) = (block + 1, 0, rest);
    }
}

/// `out[o, j, i] = input[o, indices[j], i]`: `input` is `[outer, n, inner]`, `out` is `[outer, indices.len(), inner]`.
///
/// # Errors
/// The first index out of range; `out` is then untouched.
///
/// # Panics
/// When a slice's length does not fit.
pub fn index_select<T: Element>(
    extents: [usize; 3],
    input: &[T],
    indices: &[i64],
    out: &mut [T],
) -> Result<(), OutOfRange> {
    let [outer, n, inner] = extents;
    let chosen = indices.len();
    check_length("index select", "the input", input.len(), extents);
    check_length(
        "index select",
        "the output",
        out.len(),
        [outer, chosen, inner],
    );
    check_indices(n, indices)?;
    divide_rows(out, inner, GRAIN, &|first, rows| {
        each_block(first, chosen, inner, rows, |outer, first, rows| {
            let input = &input[outer * n * inner..][..n * inner];
            for (row, &index) in rows.chunks_exact_mut(inner).zip(&indices[first..]) {
                row.copy_from_slice(&input[index as usize * inner..][..inner]);
            }
        });
    });
    Ok(())
}

/// `out[o, indices[o, j, i], i] = source[o, j, i]`: `out` is `[outer, n, inner]` and keeps what no index names,
/// `indices` and `source` are `[outer, chosen, inner]`. Of equal indices the last wins.
///
/// # Errors
/// The first index out of range; `out` is then untouched.
///
/// # Panics
/// When a slice's length does not fit.
pub fn scatter<T: Element>(
    extents: [usize; 3],
    chosen: usize,
    indices: &[i64],
    source: &[T],
    out: &mut [T],
) -> Result<(), OutOfRange> {
    check_scatter("scatter", extents, chosen, indices, source, out)?;
    put(extents, chosen, indices, source, out, |out, source| {
        *out = source
    });
    Ok(())
}

/// `out[o, indices[o, j, i], i] += source[o, j, i]`, shapes as in [`scatter`]. Equal indices add in ascending order of `j`,
/// halves in `f32`, rounded once.
///
/// # Errors
/// The first index out of range; `out` is then untouched.
///
/// # Panics
/// When a slice's length does not fit.
pub fn scatter_add<T: ReduceElement>(
    extents: [usize; 3],
    chosen: usize,
    indices: &[i64],
    source: &[T],
    out: &mut [T],
) -> Result<(), OutOfRange> {
    check_scatter("scatter add", extents, chosen, indices, source, out)?;
    in_lanes(out, |sums| {
        put(extents, chosen, indices, source, sums, add);
    });
    Ok(())
}

#[inline(always)]
fn add<T: Reducible>(sum: &mut T::Lane, source: T) {
    *sum = sum.add(source.lane());
}

/// Lets `work` add to the elements in the type that they are added in.
fn in_lanes<T: Reducible>(out: &mut [T], work: impl Fn(&mut [T::Lane])) {
    if let Some(sums) = T::as_lanes(out) {
        return work(sums);
    }
    let mut sums: Vec<T::Lane> = out.iter().map(|element| element.lane()).collect();
    work(&mut sums);
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = T::from_lane(sum);
    }
}

fn check_scatter<T, S>(
    what: &str,
    extents: [usize; 3],
    chosen: usize,
    indices: &[i64],
    source: &[S],
    out: &[T],
) -> Result<(), OutOfRange> {
    let [outer, n, inner] = extents;
    check_length(what, "the output", out.len(), extents);
    check_length(what, "the indices", indices.len(), [outer, chosen, inner]);
    check_length(what, "the source", source.len(), [outer, chosen, inner]);
    check_indices(n, indices)
}

fn put<T: Send, S: Copy + Sync>(
    extents: [usize; 3],
    chosen: usize,
    indices: &[i64],
    source: &[S],
    out: &mut [T],
    put: impl Fn(&mut T, S) + Sync,
) {
    let [_, n, inner] = extents;
    if indices.is_empty() {
        return;
    }
    divide_rows(out, n * inner, GRAIN, &|first, planes| {
        for (offset, out) in planes.chunks_exact_mut(n * inner).enumerate() {
            let from = (first + offset) * chosen * inner;
            let indices = &indices[from..][..chosen * inner];
            let source = &source[from..][..chosen * inner];
            if inner == 1 {
                for (&index, &source) in indices.iter().zip(source) {
                    put(&mut out[index as usize], source);
                }
                continue;
            }
            let rows = indices.chunks_exact(inner).zip(source.chunks_exact(inner));
            for (indices, source) in rows {
                for (i, (&index, &source)) in indices.iter().zip(source).enumerate() {
                    put(&mut out[index as usize * inner + i], source);
                }
            }
        }
    });
}

/// `out[o, indices[j], i] += source[o, j, i]`: `out` is `[outer, n, inner]`, `source` is `[outer, indices.len(), inner]`.
/// Equal indices add in ascending order of `j`, halves in `f32`, rounded once.
///
/// # Errors
/// The first index out of range; `out` is then untouched.
///
/// # Panics
/// When a slice's length does not fit.
pub fn index_add<T: ReduceElement>(
    extents: [usize; 3],
    indices: &[i64],
    source: &[T],
    out: &mut [T],
) -> Result<(), OutOfRange> {
    let [outer, n, inner] = extents;
    let chosen = indices.len();
    check_length("index add", "the output", out.len(), extents);
    check_length(
        "index add",
        "the source",
        source.len(),
        [outer, chosen, inner],
    );
    check_indices(n, indices)?;
    if !source.is_empty() {
        in_lanes(out, |sums| add_rows(extents, indices, source, sums));
    }
    Ok(())
}

fn add_rows<T: ReduceElement>(
    extents: [usize; 3],
    indices: &[i64],
    source: &[T],
    sums: &mut [T::Lane],
) {
    // Tasks own ranges of the inner axis, so that equal indices meet in one task, in order.
    const COLUMNS: usize = 64;
    let [outer, n, inner] = extents;
    let chosen = indices.len();
    let blocks = inner.div_ceil(COLUMNS);
    let sums = Shared::new(sums);
    let grain = GRAIN.div_ceil(chosen * inner.min(COLUMNS));
    divide_range(outer * blocks, grain, &|range| {
        for unit in range {
            let first = unit % blocks * COLUMNS;
            let width = COLUMNS.min(inner - first);
            for (j, &index) in indices.iter().enumerate() {
                let from = (unit / blocks * chosen + j) * inner + first;
                let to = (unit / blocks * n + index as usize) * inner + first;
                // SAFETY: these columns belong to this unit alone.
                let row = unsafe { sums.range(to..to + width) };
                for (sum, &source) in row.iter_mut().zip(&source[from..from + width]) {
                    add(sum, source);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::fill_integers;

    const CASES: [([usize; 3], usize); 7] = [
        ([1, 5, 1], 7),
        ([3, 4, 2], 6),
        ([2, 1, 3], 1),
        ([0, 4, 2], 3),
        ([2, 4, 0], 3),
        ([2, 300, 70], 500),
        ([40, 50, 9], 0),
    ];

    fn integers(key: u64, count: usize, high: i64) -> Vec<i64> {
        let mut out = vec![0; count];
        fill_integers(key, 0, 0, high, &mut out);
        out
    }

    #[test]
    fn against_plain_loops() {
        for (extents, chosen) in CASES {
            let [outer, n, inner] = extents;
            let input = integers(1, outer * n * inner, 1000);
            let indices = integers(2, outer * chosen * inner, n as i64);
            let source = integers(3, outer * chosen * inner, 1000);
            let rows = integers(4, chosen, n as i64);
            let mut gathered = vec![-1; source.len()];
            gather(extents, chosen, &input, &indices, &mut gathered).unwrap();
            let mut selected = vec![-1; source.len()];
            index_select(extents, &input, &rows, &mut selected).unwrap();
            let (mut set, mut added, mut rows_added) =
                (input.clone(), input.clone(), input.clone());
            scatter(extents, chosen, &indices, &source, &mut set).unwrap();
            scatter_add(extents, chosen, &indices, &source, &mut added).unwrap();
            index_add(extents, &rows, &source, &mut rows_added).unwrap();
            let (mut set_2, mut added_2, mut rows_2) =
                (input.clone(), input.clone(), input.clone());
            for o in 0..outer {
                for (j, &row) in rows.iter().enumerate() {
                    for i in 0..inner {
                        let at = (o * chosen + j) * inner + i;
                        let named = (o * n + indices[at] as usize) * inner + i;
                        let in_row = (o * n + row as usize) * inner + i;
                        assert_eq!(gathered[at], input[named]);
                        assert_eq!(selected[at], input[in_row]);
                        set_2[named] = source[at];
                        added_2[named] += source[at];
                        rows_2[in_row] += source[at];
                    }
                }
            }
            assert_eq!((set, added, rows_added), (set_2, added_2, rows_2));
        }
    }

    #[test]
    fn floats_add_in_order() {
        let mut out = [0f32; 2];
        index_add([1, 2, 1], &[1, 1, 1], &[1e8, -1e8, 1.0], &mut out).unwrap();
        assert_eq!(out, [0.0, 1.0]);
    }

    #[test]
    fn halves_round_once() {
        use ::half::bf16;
        // 256 + 1 is no bf16: adding ones one at a time would stay at 256.
        let mut out = [bf16::from_f32(256.0)];
        let ones = [bf16::ONE; 4];
        index_add([1, 1, 1], &[0; 4], &ones, &mut out).unwrap();
        assert_eq!(out[0].to_f32(), 260.0);
        scatter_add([1, 1, 1], 4, &[0; 4], &ones, &mut out).unwrap();
        assert_eq!(out[0].to_f32(), 264.0);
    }

    #[test]
    fn an_index_out_of_range_is_an_error() {
        let mut out = [7; 3];
        let error = gather([1, 3, 1], 3, &[1, 2, 3], &[0, 3, -1], &mut out).unwrap_err();
        assert_eq!(
            error,
            OutOfRange {
                position: 1,
                index: 3,
                extent: 3
            }
        );
        assert_eq!(out, [7; 3]);
        let error = scatter_add([1, 3, 1], 1, &[-1], &[1], &mut out).unwrap_err();
        assert_eq!(
            error.to_string(),
            "index -1 at position 0 is out of range for an axis of 3 elements"
        );
        assert!(index_select([1, 0, 2], &[], &[0], &mut [0, 0]).is_err());
        assert!(index_add([1, 3, 1], &[5], &[1], &mut out).is_err());
        assert!(scatter([1, 3, 1], 1, &[5], &[1], &mut out).is_err());
    }

    #[test]
    #[should_panic(expected = "gather: the output has 1 elements, its extents are [1, 2, 1]")]
    fn a_short_output_is_refused() {
        let _ = gather([1, 3, 1], 2, &[1, 2, 3], &[0, 1], &mut [0]);
    }
}
