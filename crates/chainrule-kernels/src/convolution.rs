//! Convolution over one to three spatial axes and its two gradients, in f32 and f64.
//!
//! Data is `[batch, channels, spatial..]`, weights are `[channels out, channels in / groups, kernel..]`. Nothing is
//! unrolled for a whole batch: each thread packs the window elements of a block of results into its own workspace of
//! at most `WORKSPACE` elements or one row of results and multiplies that block.

use crate::buffer::workspace;
use crate::copy::copy_strided;
use crate::gemm::GemmElement;
use crate::gemm_small::Product;
use crate::real::Real;
use crate::threads::{Shared, fork_join, share, thread_count};
use crate::vectorised::vectorised;
use crate::window::Window;
use std::ops::Range;

/// Elements of packed window elements that a thread works on at a time: half of a common second-level cache.
const WORKSPACE: usize = 1 << 17;
/// Weights up to which gradients are summed over parts of the batch; larger ones are divided over the threads.
const SMALL_WEIGHTS: usize = 1 << 16;
/// The most parts of the batch that a gradient of weights is summed over, and pieces that few images are divided into.
/// They do not follow the number of threads, so results do not either.
const PARTS: usize = 16;
/// Multiplications that a piece of an image has at least.
const PIECE: usize = 1 << 18;

/// The element types that convolutions run in: `f32` and `f64`.
pub trait ConvolutionElement: Real + GemmElement {}
impl<T: Real + GemmElement> ConvolutionElement for T {}

/// The extents of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Images.
    pub batch: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Channels of the input, over all groups.
    pub channels_in: usize,
    /// Channels of the result, over all groups.
    pub channels_out: usize,
    /// The spatial axes and the kernel over them.
    pub window: Window,
}

impl Convolution {
    fn group_in(&self) -> usize {
        self.channels_in / self.groups
    }

    fn group_out(&self) -> usize {
        self.channels_out / self.groups
    }

    /// Elements that one result is a sum of.
    fn depth(&self) -> usize {
        self.group_in() * self.window.kernel_size()
    }

    /// Elements of the input.
    pub fn input_size(&self) -> usize {
        self.batch * self.channels_in * self.window.input_size()
    }

    /// Elements of the weights.
    pub fn weight_size(&self) -> usize {
        self.channels_out * self.depth()
    }

    /// Elements of the result.
    pub fn output_size(&self) -> usize {
        self.batch * self.channels_out * self.window.output_size()
    }

    fn check(&self, what: &str, input: usize, weight: usize, output: usize) {
        self.window.check(what);
        assert!(
            self.groups > 0
                && self.channels_in.is_multiple_of(self.groups)
                && self.channels_out.is_multiple_of(self.groups),
            "{what}: {} groups do not divide {} channels in and {} channels out",
            self.groups,
            self.channels_in,
            self.channels_out
        );
        for (name, length, expected) in [
            ("input", input, self.input_size()),
            ("weight", weight, self.weight_size()),
            ("output", output, self.output_size()),
        ] {
            assert!(
                length == expected,
                "{what}: the {name} has {length} elements, {self:?} needs {expected}"
            );
        }
    }

    /// Into how many pieces to divide each image, so that a few images occupy many threads.
    fn pieces(&self) -> usize {
        let work = self.group_out() * self.depth() * self.window.output_size();
        PARTS
            .div_ceil(self.batch * self.groups)
            .min(work / PIECE)
            .max(1)
    }

    /// Results of one channel that are computed together: whole numbers of result rows where that fits.
    fn block(&self) -> usize {
        let row = self.window.output[2].max(1);
        let room = WORKSPACE / self.depth().max(1);
        (room / row * row)
            .max(row)
            .min(self.window.output_size().max(1))
    }
}

/// The convolution (as everywhere in machine learning, a cross-correlation) of `input` with `weight`.
///
/// `output[b, o, p] = sum over i, t of weight[o, i, t] * input[b, i, p * stride + t * dilation - padding]`, `i` over the
/// channels of `o`'s group; outside the input there are zeros.
///
/// # Panics
/// When groups do not divide the channels or a slice's length does not fit.
///
/// ```
/// use chainrule_kernels::{convolution::{convolve, Convolution}, window::Window};
/// let window = Window::new(&[4], &[2], &[1], &[0], &[1]);
/// let shape = Convolution { batch: 1, groups: 1, channels_in: 1, channels_out: 1, window };
/// let mut out = [0.0; 3];
/// convolve(&shape, &[1.0, 2.0, 4.0, 8.0], &[1.0, -1.0], &mut out);
/// assert_eq!(out, [-1.0, -2.0, -4.0]);
/// ```
pub fn convolve<T: ConvolutionElement>(
    shape: &Convolution,
    input: &[T],
    weight: &[T],
    output: &mut [T],
) {
    shape.check("convolution", input.len(), weight.len(), output.len());
    let results = shape.window.output_size();
    if output.is_empty() {
        return;
    }
    let depth = shape.depth();
    if depth == 0 {
        return output.fill(T::ZERO);
    }
    let (images, block) = (shape.batch * shape.groups, shape.block());
    // Few images are divided further, by rows of results.
    let row = shape.window.output[2];
    let block = block.min((results / row).div_ceil(shape.pieces()) * row);
    let blocks = results.div_ceil(block);
    let output = Shared::new(output);
    each_unit(images * blocks, &|units| {
        let mut packed = workspace::<T>(depth * block.min(results));
        let packed = packed.as_mut_slice::<T>();
        for unit in units {
            let (image, group) = (unit / blocks / shape.groups, unit / blocks % shape.groups);
            let range = block * (unit % blocks)..(block * (unit % blocks + 1)).min(results);
            let width = range.len();
            let input = shape.group_input(input, image, group);
            pack(&shape.window, input, 0..depth, range.clone(), packed);
            let first = (image * shape.channels_out + group * shape.group_out()) * results;
            let product = Product {
                m: shape.group_out(),
                n: width,
                k: depth,
                a: weight[group * shape.group_out() * depth..].as_ptr(),
                a_row: depth as isize,
                a_column: 1,
                b: packed.as_ptr(),
                b_row: width as isize,
                b_column: 1,
                c: output.pointer().wrapping_add(first + range.start),
                c_row: results as isize,
                c_column: 1,
                accumulate: false,
            };
            // SAFETY: `weight` holds the group's rows, `packed` the block, and the results of this unit, columns of the
            // group's channels, are inside `output` and no other unit's.
            unsafe { T::multiply(product) };
        }
    });
}

/// The gradient of [`convolve`] with respect to its input, from the cotangent `ct` of its result: the transposed
/// convolution. `grad` is overwritten.
///
/// # Panics
/// When groups do not divide the channels or a slice's length does not fit.
pub fn convolve_grad_input<T: ConvolutionElement>(
    shape: &Convolution,
    weight: &[T],
    ct: &[T],
    grad: &mut [T],
) {
    shape.check("convolution gradient", grad.len(), weight.len(), ct.len());
    let (results, taps) = (shape.window.output_size(), shape.window.kernel_size());
    grad.fill(T::ZERO);
    if ct.is_empty() || grad.is_empty() {
        return;
    }
    let (depth, group_in, group_out) = (shape.depth(), shape.group_in(), shape.group_out());
    let plane = shape.window.input_size();
    let images = shape.batch * shape.groups;
    // Few images are divided further, by input channels.
    let parts = shape.pieces().min(group_in);
    let block = shape.block();
    let grad = Shared::new(grad);
    each_unit(images * parts, &|units| {
        let mut packed = workspace::<T>(group_in.div_ceil(parts) * taps * block.min(results));
        let packed = packed.as_mut_slice::<T>();
        for unit in units {
            let (image, group) = (unit / parts / shape.groups, unit / parts % shape.groups);
            let channels = share(group_in, parts, unit % parts, 1);
            let rows = channels.len() * taps;
            let first = (image * shape.channels_in + group * group_in + channels.start) * plane;
            // SAFETY: the image's channels of this unit are no other unit's.
            let grad = unsafe { grad.range(first..first + channels.len() * plane) };
            for start in (0..results).step_by(block) {
                let range = start..(start + block).min(results);
                let width = range.len();
                let product = Product {
                    m: rows,
                    n: width,
                    k: group_out,
                    a: weight[group * group_out * depth + channels.start * taps..].as_ptr(),
                    a_row: 1,
                    a_column: depth as isize,
                    b: ct[(image * shape.channels_out + group * group_out) * results + start..]
                        .as_ptr(),
                    b_row: results as isize,
                    b_column: 1,
                    c: packed.as_mut_ptr(),
                    c_row: width as isize,
                    c_column: 1,
                    accumulate: false,
                };
                // SAFETY: `weight` holds the group's rows, `ct` the group's channels, `packed` has room for the block.
                unsafe { T::multiply(product) };
                unpack(&shape.window, packed, 0..rows, range, grad);
            }
        }
    });
}

/// The gradient of [`convolve`] with respect to its weight, from the cotangent `ct` of its result. `grad` is overwritten.
///
/// # Panics
/// When groups do not divide the channels or a slice's length does not fit.
pub fn convolve_grad_weight<T: ConvolutionElement>(
    shape: &Convolution,
    input: &[T],
    ct: &[T],
    grad: &mut [T],
) {
    shape.check("convolution gradient", input.len(), grad.len(), ct.len());
    let results = shape.window.output_size();
    if grad.is_empty() || ct.is_empty() || input.is_empty() {
        return grad.fill(T::ZERO);
    }
    let (depth, group_out) = (shape.depth(), shape.group_out());
    let block = shape.block();
    let size = grad.len();
    let (parts, splits) = if size <= SMALL_WEIGHTS {
        (shape.batch.min(PARTS), 1)
    } else {
        (1, (PARTS / 2).div_ceil(shape.groups).min(depth))
    };
    // Sums are kept as `[groups, depth, channels out of the group]`: only the cotangent, the smaller operand, then has to
    // be turned for the product.
    let mut sums = workspace::<T>(parts * size);
    let sums = sums.as_mut_slice::<T>();
    {
        let sums = Shared::new(&mut *sums);
        each_unit(parts * shape.groups * splits, &|units| {
            let mut packed = workspace::<T>(depth.div_ceil(splits) * block.min(results));
            let packed = packed.as_mut_slice::<T>();
            for unit in units {
                let part = unit / splits / shape.groups;
                let group = unit / splits % shape.groups;
                let rows = share(depth, splits, unit % splits, 1);
                let start = part * size + (group * depth + rows.start) * group_out;
                let mut first = true;
                for image in share(shape.batch, parts, part, 1) {
                    let input = shape.group_input(input, image, group);
                    for column in (0..results).step_by(block) {
                        let range = column..(column + block).min(results);
                        let width = range.len();
                        pack(&shape.window, input, rows.clone(), range, packed);
                        let product = Product {
                            m: group_out,
                            n: rows.len(),
                            k: width,
                            a: ct[(image * shape.channels_out + group * group_out) * results
                                + column..]
                                .as_ptr(),
                            a_row: results as isize,
                            a_column: 1,
                            b: packed.as_ptr(),
                            b_row: 1,
                            b_column: width as isize,
                            c: sums.pointer().wrapping_add(start),
                            c_row: 1,
                            c_column: group_out as isize,
                            accumulate: !first,
                        };
                        // SAFETY: `ct` holds the group's channels, `packed` the block; part, group and rows of the
                        // gradient belong to this unit alone.
                        unsafe { T::multiply(product) };
                        first = false;
                    }
                }
            }
        });
    }
    let (total, others) = sums.split_at_mut(size);
    for part in others.chunks_exact(size) {
        for (total, &part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
    let extents = [shape.groups, group_out, depth];
    let strides = [(depth * group_out) as isize, 1, group_out as isize];
    copy_strided(&extents, total, 0, &strides, grad);
}

impl Convolution {
    /// The channels of one group of one image.
    fn group_input<'a, T>(&self, input: &'a [T], image: usize, group: usize) -> &'a [T] {
        let plane = self.window.input_size();
        &input[(image * self.channels_in + group * self.group_in()) * plane..]
            [..self.group_in() * plane]
    }
}

/// Divides `units` over the threads; each call of `work` allocates its own workspace.
fn each_unit(units: usize, work: &(dyn Fn(Range<usize>) + Sync)) {
    let tasks = units.min(4 * thread_count());
    fork_join(tasks, &|task| work(share(units, tasks, task, 1)));
}

/// Element `row` of the depth: its channel and its place in the window.
#[inline(always)]
fn tap(window: &Window, row: usize) -> (usize, [usize; 3]) {
    let [_, height, width] = window.kernel;
    let taps = window.kernel_size();
    let place = row % taps;
    (
        row / taps,
        [
            place / (height * width),
            place / width % height,
            place % width,
        ],
    )
}

/// Walks the rows of results in a block, for one element of the window.
struct Runs<'a> {
    window: &'a Window,
    tap: [usize; 3],
    /// The results of a row that see the input, and where along the last axis the first of them does.
    seen: Range<usize>,
    first: usize,
    /// The next row's place, and its start in the block.
    plane: usize,
    line: usize,
    start: usize,
    length: usize,
}

impl<'a> Runs<'a> {
    /// The rows of results `range`, which starts at the start of a row of the last axis.
    #[inline(always)]
    fn new(window: &'a Window, tap: [usize; 3], range: &Range<usize>) -> Runs<'a> {
        let [_, out_height, out_width] = window.output;
        let seen = window.positions(2, tap[2]);
        let first = window.start(2, seen.start) + (tap[2] * window.dilation[2]) as isize;
        let row = range.start / out_width;
        Runs {
            window,
            tap,
            seen,
            first: first as usize,
            plane: row / out_height,
            line: row % out_height,
            start: 0,
            length: range.len(),
        }
    }

    /// A coordinate of the input; in front of it, it wraps around to beyond it.
    #[inline(always)]
    fn coordinate(&self, axis: usize, position: usize) -> usize {
        let window = self.window;
        (position * window.stride[axis] + self.tap[axis] * window.dilation[axis])
            .wrapping_sub(window.padding[axis])
    }

    #[inline(always)]
    fn next(&mut self) -> Option<Run> {
        if self.start >= self.length {
            return None;
        }
        let [_, out_height, out_width] = self.window.output;
        let [depth, height, width] = self.window.input;
        let start = self.start;
        let count = out_width.min(self.length - start);
        let (plane, line) = (
            self.coordinate(0, self.plane),
            self.coordinate(1, self.line),
        );
        let end = self.seen.end.min(count);
        let run = if plane < depth && line < height && self.seen.start < end {
            Run {
                start,
                count,
                seen: self.seen.start..end,
                source: (plane * height + line) * width + self.first,
            }
        } else {
            Run {
                start,
                count,
                seen: 0..0,
                source: 0,
            }
        };
        self.start += count;
        self.line += 1;
        if self.line == out_height {
            self.line = 0;
            self.plane += 1;
        }
        Some(run)
    }
}

/// Neighbouring results of one row.
struct Run {
    /// The first, counted from the block's start.
    start: usize,
    count: usize,
    /// Those that see the input, counted from the first.
    seen: Range<usize>,
    /// Where the first of those reads its channel.
    source: usize,
}

vectorised! {
    /// Packs the input elements that results `range` see: row `r` of `packed` belongs to element `rows.start + r` of the
    /// depth and has an element a result.
    fn pack[T: Real](window: &Window, input: &[T], rows: Range<usize>, range: Range<usize>, packed: &mut [T]) = pack_body;
    /// Adds every packed element to the input element it stands for: the transpose of [`pack`].
    fn unpack[T: Real](window: &Window, packed: &[T], rows: Range<usize>, range: Range<usize>, grad: &mut [T]) = unpack_body;
}

#[inline(always)]
fn pack_body<const FUSED: bool, T: Real>(
    window: &Window,
    input: &[T],
    rows: Range<usize>,
    range: Range<usize>,
    packed: &mut [T],
) {
    let (plane, stride) = (window.input_size(), window.stride[2]);
    for (row, packed) in rows.zip(packed.chunks_exact_mut(range.len())) {
        let (channel, place) = tap(window, row);
        let input = &input[channel * plane..][..plane];
        let mut runs = Runs::new(window, place, &range);
        while let Some(run) = runs.next() {
            let out = &mut packed[run.start..run.start + run.count];
            out[..run.seen.start].fill(T::ZERO);
            out[run.seen.end..].fill(T::ZERO);
            let seen = &mut out[run.seen];
            if stride == 1 {
                copy_run(&input[run.source..][..seen.len()], seen);
            } else {
                for (out, &value) in seen
                    .iter_mut()
                    .zip(input[run.source..].iter().step_by(stride))
                {
                    *out = value;
                }
            }
        }
    }
}

/// Copies a run that is often too short for a call of the system's copy.
#[inline(always)]
fn copy_run<T: Copy>(from: &[T], to: &mut [T]) {
    const CHUNK: usize = 8;
    let count = to.len();
    if !(CHUNK..=4 * CHUNK).contains(&count) {
        return to.copy_from_slice(from);
    }
    let mut at = 0;
    loop {
        // The last chunk overlaps the one before.
        at = at.min(count - CHUNK);
        let chunk: [T; CHUNK] = from[at..at + CHUNK].try_into().expect("a whole chunk");
        to[at..at + CHUNK].copy_from_slice(&chunk);
        at += CHUNK;
        if at >= count {
            return;
        }
    }
}

#[inline(always)]
fn unpack_body<const FUSED: bool, T: Real>(
    window: &Window,
    packed: &[T],
    rows: Range<usize>,
    range: Range<usize>,
    grad: &mut [T],
) {
    let (plane, stride) = (window.input_size(), window.stride[2]);
    for (row, packed) in rows.zip(packed.chunks_exact(range.len())) {
        let (channel, place) = tap(window, row);
        let grad = &mut grad[channel * plane..][..plane];
        let mut runs = Runs::new(window, place, &range);
        while let Some(run) = runs.next() {
            let seen = &packed[run.start..run.start + run.count][run.seen];
            if stride == 1 {
                for (grad, &value) in grad[run.source..].iter_mut().zip(seen) {
                    *grad += value;
                }
            } else {
                for (grad, &value) in grad[run.source..].iter_mut().step_by(stride).zip(seen) {
                    *grad += value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
