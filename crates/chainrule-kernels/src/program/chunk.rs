//! One thread's run over a range of the iteration space, chunk by chunk.

use super::CHUNK;
use super::access::Access;
use super::builder::Scalar;
use super::code::{Code, Constant};
use super::reduction::{Steps, Total};
use crate::half::{narrow, round_to};
use crate::lane::Compute;
use smallvec::SmallVec;
use std::cell::Cell;

/// One cache line; chunk registers start on such a boundary.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line {
    _bytes: [u8; 64],
}

/// Memory that a thread keeps between runs.
#[derive(Default)]
struct Scratch {
    registers: Vec<Line>,
    addresses: Vec<*mut u8>,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// What all threads of a run share.
pub(super) struct Run<'a> {
    pub(super) code: &'a Code,
    pub(super) access: SmallVec<[Access; 4]>,
    /// The start of each output's memory.
    pub(super) outputs: SmallVec<[*mut u8; 4]>,
    pub(super) steps: SmallVec<[Steps; 2]>,
}

// SAFETY: tasks write disjoint ranges of the outputs, which `run` borrows uniquely.
unsafe impl Sync for Run<'_> {}

/// A thread's registers and addresses for one run.
pub(super) struct Executor<'a> {
    run: &'a Run<'a>,
    scratch: Scratch,
    /// The private chunk register of each input (null if it needs none).
    private: SmallVec<[*mut u8; 4]>,
    prefetch: SmallVec<[Prefetch; 8]>,
}

/// A stretch of memory that chunks walk through.
#[derive(Clone, Copy)]
struct Prefetch {
    memory: *const u8,
    size: usize,
    write: bool,
}

impl<'a> Executor<'a> {
    /// Prepares for chunks of at most `longest` elements. Registers are no longer than that: those of short runs lie close
    /// together, or they would displace each other in the first-level cache.
    pub(super) fn new(run: &'a Run<'a>, longest: usize) -> Executor<'a> {
        let code = run.code;
        let lines = (longest.clamp(1, CHUNK) * code.width).div_ceil(64);
        let private = run
            .access
            .iter()
            .filter(|access| access.needs_register())
            .count();
        let registers = code.temporaries + code.constants.len() + private;
        let mut scratch = SCRATCH.take();
        if scratch.registers.len() < registers * lines {
            scratch
                .registers
                .resize(registers * lines, Line { _bytes: [0; 64] });
        }
        scratch.addresses.clear();
        let memory = scratch.registers.as_mut_ptr();
        let mut next = 0;
        let mut register = || {
            next += 1;
            // SAFETY: the scratch holds `registers` of `lines` lines each.
            unsafe { memory.add((next - 1) * lines).cast::<u8>() }
        };
        for _ in 0..code.temporaries {
            scratch.addresses.push(register());
        }
        for constant in &code.constants {
            let start = register();
            // SAFETY: a register holds `longest` elements of the widest type.
            unsafe { fill_constant(constant, start, longest) };
            scratch.addresses.push(start);
        }
        let mut privates = SmallVec::new();
        for (access, &dtype) in run.access.iter().zip(&code.inputs) {
            let start = if access.needs_register() {
                register()
            } else {
                std::ptr::null_mut()
            };
            // SAFETY: as above.
            unsafe { access.fill(dtype, code.level, longest, start) };
            privates.push(start);
            scratch.addresses.push(start);
        }
        for &output in &run.outputs {
            scratch.addresses.push(output);
        }
        debug_assert_eq!(scratch.addresses.len(), code.slot_count());
        Executor {
            run,
            scratch,
            private: privates,
            // Nothing follows a single chunk.
            prefetch: if longest < CHUNK {
                SmallVec::new()
            } else {
                prefetches(run)
            },
        }
    }

    /// Computes elements `start..start + count`, at most `CHUNK`; the reductions' operands are then in their slots.
    ///
    /// # Safety
    /// The range lies in the iteration space and no other thread works on it.
    pub(super) unsafe fn chunk(&mut self, start: usize, count: usize) {
        let code = self.run.code;
        // SAFETY: the accesses and outputs were checked against the iteration space; kernels get addresses of `count`
        // elements of the types they were chosen for.
        unsafe {
            let addresses = self.scratch.addresses.as_mut_ptr();
            for (index, access) in self.run.access.iter().enumerate() {
                let dtype = code.inputs[index];
                let from = access.chunk(dtype, code.level, start, count, self.private[index]);
                *addresses.add(code.input_slot(index)) = from.cast_mut();
            }
            for (index, output) in code.outputs.iter().enumerate() {
                if output.reduction.is_none() {
                    *addresses.add(code.output_slot(index)) =
                        self.run.outputs[index].add(start * output.dtype.size());
                }
            }
            let mut ahead = Ahead::new(&self.prefetch, start + count, code.instructions.len());
            for instruction in &code.instructions {
                ahead.advance();
                let [out, a, b, c] = instruction.slots.map(|slot| *addresses.add(slot as usize));
                (instruction.kernel)(out, a, b, c, count, instruction.leaf);
            }
            for store in &code.stores {
                let from = *addresses.add(store.from as usize);
                let to = *addresses.add(code.output_slot(store.output));
                let dtype = code.outputs[store.output].dtype;
                if dtype.is_half() {
                    narrow(dtype, code.level, to.cast(), from.cast(), count);
                } else if from != to {
                    std::ptr::copy(from, to, count * dtype.size());
                }
            }
        }
    }

    /// Continues the total of reduction `index` by elements `from..from + count` of the chunk just computed.
    ///
    /// # Safety
    /// The elements were computed by the last call of [`Executor::chunk`].
    pub(super) unsafe fn fold(
        &self,
        index: usize,
        from: usize,
        count: usize,
        total: Total,
    ) -> Total {
        let code = self.run.code;
        let reduce = &code.reductions[index];
        let size = Compute::of(code.outputs[reduce.output].dtype).size();
        // SAFETY: the slot holds the chunk's elements in the register's type.
        unsafe {
            let x = self.scratch.addresses[reduce.from as usize].add(from * size);
            self.run.steps[index].fold(code.level, x, count, total)
        }
    }
}

impl Drop for Executor<'_> {
    fn drop(&mut self) {
        SCRATCH.set(std::mem::take(&mut self.scratch));
    }
}

/// # Safety
/// `start` is valid for `count` elements of the constant's register type.
unsafe fn fill_constant(constant: &Constant, start: *mut u8, count: usize) {
    // SAFETY: the caller vouches for the register.
    unsafe {
        match Compute::of(constant.dtype) {
            Compute::F32 => {
                let value = match constant.value {
                    Scalar::F64(value) => value as f32,
                    Scalar::I64(value) => value as f32,
                };
                fill(start, count, round_to(constant.dtype, value));
            }
            Compute::F64 => fill(start, count, float(constant)),
            Compute::I64 => fill(start, count, integer(constant)),
            Compute::I32 => match constant.value {
                Scalar::F64(value) => fill(start, count, value as i32),
                Scalar::I64(value) => fill(start, count, value as i32),
            },
            Compute::U8 => match constant.value {
                Scalar::F64(value) => fill(start, count, value as u8),
                Scalar::I64(value) => fill(start, count, value as u8),
            },
            Compute::Truth => fill(start, count, (float(constant) != 0.0) as u8),
        }
    }
}

fn float(constant: &Constant) -> f64 {
    match constant.value {
        Scalar::F64(value) => value,
        Scalar::I64(value) => value as f64,
    }
}

fn integer(constant: &Constant) -> i64 {
    match constant.value {
        Scalar::F64(value) => value as i64,
        Scalar::I64(value) => value,
    }
}

/// # Safety
/// `start` is valid for `count` elements.
unsafe fn fill<T: Copy>(start: *mut u8, count: usize, value: T) {
    // SAFETY: the caller's contract.
    unsafe { std::slice::from_raw_parts_mut(start.cast::<T>(), count).fill(value) }
}

/// The stretches of memory that a run streams through: direct inputs and outputs.
fn prefetches(run: &Run) -> SmallVec<[Prefetch; 8]> {
    let inputs =
        run.access
            .iter()
            .zip(&run.code.inputs)
            .filter_map(|(access, dtype)| match *access {
                Access::Direct(memory) | Access::Copied(memory) | Access::Widened(memory) => {
                    Some(Prefetch {
                        memory,
                        size: dtype.size(),
                        write: false,
                    })
                }
                _ => None,
            });
    let outputs = run
        .code
        .outputs
        .iter()
        .zip(&run.outputs)
        .filter_map(|(output, &memory)| {
            let streamed = output.reduction.is_none();
            streamed.then_some(Prefetch {
                memory,
                size: output.dtype.size(),
                write: true,
            })
        });
    inputs.chain(outputs).collect()
}

/// Asks for the next chunk's cache lines, a few between any two instructions.
struct Ahead<'a> {
    streams: &'a [Prefetch],
    start: usize,
    stream: usize,
    line: usize,
    per_instruction: usize,
}

impl<'a> Ahead<'a> {
    fn new(streams: &'a [Prefetch], start: usize, instructions: usize) -> Ahead<'a> {
        let lines: usize = streams.iter().map(|stream| CHUNK * stream.size / 64).sum();
        let per_instruction = lines.div_ceil(instructions.max(1));
        Ahead {
            streams,
            start,
            stream: 0,
            line: 0,
            per_instruction,
        }
    }

    #[inline(always)]
    fn advance(&mut self) {
        let mut left = self.per_instruction;
        while left > 0 && self.stream < self.streams.len() {
            let stream = &self.streams[self.stream];
            let lines = CHUNK * stream.size / 64;
            let count = left.min(lines - self.line);
            // A hint may name any address, also behind the end.
            let mut address = stream
                .memory
                .wrapping_add(self.start * stream.size + self.line * 64);
            for _ in 0..count {
                prefetch(address, stream.write);
                address = address.wrapping_add(64);
            }
            self.line += count;
            left -= count;
            if self.line == lines {
                self.stream += 1;
                self.line = 0;
            }
        }
    }
}

#[inline(always)]
fn prefetch(address: *const u8, write: bool) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint; it faults on no address.
        unsafe {
            if write {
                _mm_prefetch::<_MM_HINT_ET0>(address.cast());
            } else {
                _mm_prefetch::<_MM_HINT_T0>(address.cast());
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (address, write);
}
