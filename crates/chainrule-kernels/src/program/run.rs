//! Running a program: checking operands, dividing the iteration space, combining reductions.

use super::access::Access;
use super::chunk::{Executor, Run};
use super::code::Code;
use super::reduction::{SEGMENT, Steps, Total, write_total};
use super::{CHUNK, Operand, Program};
use crate::buffer::Buffer;
use crate::threads::{fork_join, thread_count};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Elements times instructions below which one thread does all: some ten microseconds.
const WORTH_DIVIDING: usize = 1 << 17;

impl Program {
    /// Computes every output over the index space `shape`.
    ///
    /// Outputs are contiguous, row-major in `shape`; a reduction runs over the last `trailing` axes and its output has the
    /// shape that is left. What the outputs hold before is ignored, unless an input is [`Operand::InPlace`]. A Bool
    /// input's bytes must be 0 or 1.
    ///
    /// # Panics
    /// If the number of inputs or outputs is wrong, an output's buffer is too small, or an operand has another rank than
    /// `shape`, reaches beyond its buffer, or is in place where it cannot be; the message names it.
    pub fn run(
        &self,
        shape: &[usize],
        trailing: usize,
        inputs: &[Operand],
        outputs: &mut [&mut Buffer],
    ) {
        let code = &self.code;
        let space = Space::new(shape, trailing, !code.reductions.is_empty());
        check_counts(code, inputs, outputs);
        check_outputs(code, &space, outputs);
        let outputs: SmallVec<[*mut u8; 4]> = outputs
            .iter_mut()
            .map(|buffer| buffer.bytes_mut().as_mut_ptr())
            .collect();
        let access = inputs
            .iter()
            .enumerate()
            .map(|(index, operand)| access(code, index, operand, shape, &outputs, space.count()))
            .collect();
        let steps = code
            .reductions
            .iter()
            .map(|reduce| Steps::of(reduce.reduction, code.outputs[reduce.output].dtype))
            .collect();
        let run = Run {
            code,
            access,
            outputs,
            steps,
        };
        if space.row == 0 {
            run.write_empty_rows(&space);
        } else if space.rows > 0 {
            run.divide(&space);
        }
    }
}

/// The iteration space as rows that reductions run over; a program without reductions has a single row.
struct Space {
    rows: usize,
    row: usize,
}

impl Space {
    fn new(shape: &[usize], trailing: usize, reduces: bool) -> Space {
        assert!(
            trailing <= shape.len(),
            "{trailing} trailing axes of a shape with {}",
            shape.len()
        );
        let product = |extents: &[usize]| {
            let zero = extents.contains(&0);
            let product = extents
                .iter()
                .try_fold(1usize, |product, &extent| product.checked_mul(extent));
            if zero {
                0
            } else {
                product.expect("the iteration space has fewer than 2^64 elements")
            }
        };
        if !reduces {
            return Space {
                rows: 1,
                row: product(shape),
            };
        }
        let (outer, inner) = shape.split_at(shape.len() - trailing);
        Space {
            rows: product(outer),
            row: product(inner),
        }
    }

    fn count(&self) -> usize {
        self.rows
            .checked_mul(self.row)
            .expect("the iteration space has fewer than 2^64 elements")
    }

    /// Segments a row is cut into.
    fn segments(&self) -> usize {
        self.row.div_ceil(SEGMENT)
    }

    /// Rows that are computed in one chunk.
    fn rows_per_chunk(&self) -> usize {
        (CHUNK / self.row).max(1)
    }
}

fn check_counts(code: &Code, inputs: &[Operand], outputs: &[&mut Buffer]) {
    assert!(
        inputs.len() == code.inputs.len(),
        "the program takes {} inputs, not {}",
        code.inputs.len(),
        inputs.len()
    );
    assert!(
        outputs.len() == code.outputs.len(),
        "the program has {} outputs, not {}",
        code.outputs.len(),
        outputs.len()
    );
}

fn check_outputs(code: &Code, space: &Space, outputs: &[&mut Buffer]) {
    for (index, (output, buffer)) in code.outputs.iter().zip(outputs).enumerate() {
        let count = if output.reduction.is_some() {
            space.rows
        } else {
            space.count()
        };
        let room = buffer.len() / output.dtype.size();
        assert!(
            count <= room,
            "output {index} has {count} elements ({}), its buffer room for {room}",
            output.dtype
        );
    }
}

fn access(
    code: &Code,
    index: usize,
    operand: &Operand,
    shape: &[usize],
    outputs: &[*mut u8],
    count: usize,
) -> Access {
    let dtype = code.inputs[index];
    let &Operand::InPlace(output) = operand else {
        if count == 0 {
            return Access::Repeated(std::ptr::null());
        }
        return Access::strided(index, dtype, operand, shape);
    };
    assert!(
        output < code.outputs.len() && code.outputs[output].reduction.is_none(),
        "input {index} is in place of output {output}, which is no elementwise output"
    );
    let target = code.outputs[output].dtype;
    assert!(
        target.size() == dtype.size(),
        "input {index} ({dtype}) is in place of output {output} ({target}), whose elements have another size"
    );
    let memory = outputs[output].cast_const();
    let last = code.last_read[index];
    if dtype.is_half() {
        Access::Widened(memory)
    } else if last != usize::MAX && last <= code.written[output] {
        Access::Direct(memory)
    } else {
        Access::Copied(memory)
    }
}

impl Run<'_> {
    fn write_empty_rows(&self, space: &Space) {
        for (reduce, steps) in self.code.reductions.iter().zip(&self.steps) {
            for row in 0..space.rows {
                self.write_row(reduce.output, row, steps.identity());
            }
        }
    }

    fn write_row(&self, output: usize, row: usize, total: Total) {
        // SAFETY: `check_outputs` found room for every row.
        unsafe {
            write_total(
                self.code.outputs[output].dtype,
                total,
                self.outputs[output],
                row,
            )
        }
    }

    /// Shares the rows, or the segments of long rows, among the threads.
    fn divide(&self, space: &Space) {
        let segments = space.segments();
        let group = space.rows_per_chunk();
        // The pieces that tasks are made of: segments of long rows, else groups of rows that fill a chunk.
        let pieces = if segments > 1 {
            space.rows * segments
        } else {
            space.rows.div_ceil(group)
        };
        let work = space
            .count()
            .saturating_mul(self.code.instructions.len() + 1);
        let threads = thread_count();
        let tasks = if work < WORTH_DIVIDING || threads == 1 {
            1
        } else {
            pieces.min(4 * threads)
        };
        // A short run never needs more elements of a constant than it has.
        let longest = CHUNK.min(space.count());
        let partials: Vec<AtomicU64> = if segments > 1 {
            let count = pieces * self.steps.len();
            (0..count).map(|_| AtomicU64::new(0)).collect()
        } else {
            Vec::new()
        };
        let task = |task: usize| {
            let mut executor = Executor::new(self, longest);
            let range = pieces * task / tasks..pieces * (task + 1) / tasks;
            for piece in range {
                // SAFETY: pieces are disjoint ranges of the iteration space, each in one task.
                unsafe {
                    if segments > 1 {
                        self.segment(&mut executor, space, piece, &partials);
                    } else if space.row > CHUNK {
                        self.whole_row(&mut executor, space, piece);
                    } else {
                        self.rows(
                            &mut executor,
                            space,
                            piece * group,
                            group.min(space.rows - piece * group),
                        );
                    }
                }
            }
        };
        if tasks == 1 {
            task(0)
        } else {
            fork_join(tasks, &task)
        }
        if segments > 1 {
            self.combine(space, &partials);
        }
    }

    /// One segment of a long row; its totals go to `partials`.
    ///
    /// # Safety
    /// The piece belongs to this task alone.
    unsafe fn segment(
        &self,
        executor: &mut Executor,
        space: &Space,
        piece: usize,
        partials: &[AtomicU64],
    ) {
        let (row, segment) = (piece / space.segments(), piece % space.segments());
        let start = segment * SEGMENT;
        let length = SEGMENT.min(space.row - start);
        let totals = &partials[piece * self.steps.len()..][..self.steps.len()];
        // SAFETY: the segment lies in its row.
        unsafe { self.stretch(executor, row * space.row + start, length, totals) };
    }

    /// A row of more than one chunk, at most one segment.
    ///
    /// # Safety
    /// The row belongs to this task alone.
    unsafe fn whole_row(&self, executor: &mut Executor, space: &Space, row: usize) {
        let mut totals = [const { AtomicU64::new(0) }; 8];
        let mut many = Vec::new();
        let totals = if self.steps.len() <= totals.len() {
            &mut totals[..self.steps.len()]
        } else {
            many.resize_with(self.steps.len(), AtomicU64::default);
            &mut many
        };
        // SAFETY: the row lies in the space.
        unsafe { self.stretch(executor, row * space.row, space.row, totals) };
        for (index, total) in totals.iter_mut().enumerate() {
            let steps = &self.steps[index];
            let total = steps.combine(steps.identity(), *total.get_mut());
            self.write_row(self.code.reductions[index].output, row, total);
        }
    }

    /// `length` elements of one row, chunk by chunk.
    ///
    /// # Safety
    /// The elements belong to this task alone.
    unsafe fn stretch(
        &self,
        executor: &mut Executor,
        start: usize,
        length: usize,
        totals: &[AtomicU64],
    ) {
        for (steps, total) in self.steps.iter().zip(totals) {
            total.store(steps.identity(), Relaxed);
        }
        let mut done = 0;
        while done < length {
            let count = CHUNK.min(length - done);
            // SAFETY: the chunk lies in the stretch.
            unsafe {
                executor.chunk(start + done, count);
                for (index, total) in totals.iter().enumerate() {
                    total.store(executor.fold(index, 0, count, total.load(Relaxed)), Relaxed);
                }
            }
            done += count;
        }
    }

    /// Several rows that together fit a chunk.
    ///
    /// # Safety
    /// The rows belong to this task alone.
    unsafe fn rows(&self, executor: &mut Executor, space: &Space, first: usize, count: usize) {
        // SAFETY: the rows lie in the space, and each in the chunk.
        unsafe {
            executor.chunk(first * space.row, count * space.row);
            for (index, steps) in self.steps.iter().enumerate() {
                for row in 0..count {
                    let segment =
                        executor.fold(index, row * space.row, space.row, steps.identity());
                    let total = steps.combine(steps.identity(), segment);
                    self.write_row(self.code.reductions[index].output, first + row, total);
                }
            }
        }
    }

    /// Each row's total, from its segments' in order.
    fn combine(&self, space: &Space, partials: &[AtomicU64]) {
        let reductions = self.steps.len();
        for (index, steps) in self.steps.iter().enumerate() {
            for row in 0..space.rows {
                let segments = row * space.segments()..(row + 1) * space.segments();
                let total = segments.fold(steps.identity(), |total, segment| {
                    steps.combine(total, partials[segment * reductions + index].load(Relaxed))
                });
                self.write_row(self.code.reductions[index].output, row, total);
            }
        }
    }
}
