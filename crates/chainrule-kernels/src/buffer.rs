//! Aligned, recycled memory that tensors keep their elements in.

use crate::element::{DType, Element};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex};

/// Every buffer starts on a boundary of this many bytes: a cache line, and the widest vector register.
pub const ALIGNMENT: usize = 64;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Memory held by live buffers, in bytes, over all threads.
pub fn live_bytes() -> usize {
    LIVE.load(Relaxed)
}

/// The largest [`live_bytes`] since the start or the last [`reset_peak`].
pub fn peak_bytes() -> usize {
    PEAK.load(Relaxed)
}

/// Starts a new measurement of [`peak_bytes`] at what is live now.
pub fn reset_peak() {
    PEAK.store(live_bytes(), Relaxed);
}

/// A request for more memory than the machine gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The bytes asked for.
    pub bytes: usize,
}

/// A block of initialised bytes, aligned to [`ALIGNMENT`], uniquely owned.
///
/// Dropping one returns its memory to a pool, so that a loop which allocates the same sizes again and again touches
/// the same pages.
pub struct Buffer {
    start: NonNull<u8>,
    length: usize,
    capacity: usize,
}

// SAFETY: a `Buffer` owns its memory alone; shared references only read.
unsafe impl Send for Buffer {}
// SAFETY: as above; there is no interior mutability.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// A buffer of `length` bytes, all zero.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the allocator refuses.
    pub fn zeroed(length: usize) -> Result<Buffer, OutOfMemory> {
        let mut buffer = Buffer::scratch(length)?;
        buffer.bytes_mut().fill(0);
        Ok(buffer)
    }

    /// A buffer of `length` bytes whose content is arbitrary (zeros, or what an earlier buffer left there).
    ///
    /// # Errors
    /// [`OutOfMemory`] when the allocator refuses.
    pub fn scratch(length: usize) -> Result<Buffer, OutOfMemory> {
        let capacity = capacity_for(length).ok_or(OutOfMemory { bytes: length })?;
        let start = match take_recycled(capacity) {
            Some(start) => start,
            None => allocate(capacity).ok_or(OutOfMemory { bytes: length })?,
        };
        let live = LIVE.fetch_add(capacity, Relaxed) + capacity;
        if live > PEAK.load(Relaxed) {
            PEAK.fetch_max(live, Relaxed);
        }
        Ok(Buffer {
            start,
            length,
            capacity,
        })
    }

    /// A buffer holding a copy of `elements`.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the allocator refuses.
    pub fn from_slice<T: Element>(elements: &[T]) -> Result<Buffer, OutOfMemory> {
        let mut buffer = Buffer::scratch(size_of_val(elements))?;
        buffer.as_mut_slice::<T>().copy_from_slice(elements);
        Ok(buffer)
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is valid for `length` initialised bytes as long as `self` lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// The bytes, writable.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` makes the access unique.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }

    /// The content as elements of type `T`; bytes behind the last whole element are left out.
    pub fn as_slice<T: Element>(&self) -> &[T] {
        // SAFETY: the memory is aligned to 64, initialised, and every bit pattern of an `Element` is valid.
        unsafe {
            std::slice::from_raw_parts(self.start.as_ptr().cast(), self.length / size_of::<T>())
        }
    }

    /// The content as writable elements of type `T`.
    pub fn as_mut_slice<T: Element>(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`, and `&mut self` makes the access unique.
        unsafe {
            std::slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.length / size_of::<T>())
        }
    }

    /// A buffer for `count` elements of `dtype`, content arbitrary.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the size overflows or the allocator refuses.
    pub fn for_elements(dtype: DType, count: usize) -> Result<Buffer, OutOfMemory> {
        let bytes = count
            .checked_mul(dtype.size())
            .ok_or(OutOfMemory { bytes: usize::MAX })?;
        Buffer::scratch(bytes)
    }
}

/// Memory for a kernel's intermediate results: `count` elements whose content is arbitrary. It counts as live and comes
/// from the pool, so that a loop of products or convolutions asks the system once.
///
/// # Panics
/// When the allocator refuses.
pub(crate) fn workspace<T: Element>(count: usize) -> Buffer {
    let bytes = count.checked_mul(size_of::<T>());
    bytes
        .and_then(|bytes| Buffer::scratch(bytes).ok())
        .unwrap_or_else(|| {
            panic!("memory for {count} intermediate results of a kernel was refused")
        })
}

impl Drop for Buffer {
    fn drop(&mut self) {
        LIVE.fetch_sub(self.capacity, Relaxed);
        recycle(self.start, self.capacity);
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Buffer({} bytes)", self.length)
    }
}

/// The size really reserved for `length` bytes: whole cache lines, so that equal tensors meet in one free list.
fn capacity_for(length: usize) -> Option<usize> {
    let capacity = length.max(1).checked_next_multiple_of(ALIGNMENT)?;
    (capacity <= isize::MAX as usize - ALIGNMENT).then_some(capacity)
}

fn layout(capacity: usize) -> Layout {
    Layout::from_size_align(capacity, ALIGNMENT).expect("capacity_for bounds the size")
}

fn allocate(capacity: usize) -> Option<NonNull<u8>> {
    // SAFETY: `capacity_for` never returns zero. Zeroed memory is initialised memory.
    NonNull::new(unsafe { alloc_zeroed(layout(capacity)) })
}

/// Free memory that is kept beside half of the peak.
const MARGIN: usize = 1 << 25;
/// Free blocks by exact capacity. Small blocks stay with the thread that freed them, large ones are shared.
const SMALL: usize = 4096;
const SMALL_BLOCKS: usize = 64;

struct SmallPool([Vec<NonNull<u8>>; SMALL / ALIGNMENT]);

impl Drop for SmallPool {
    fn drop(&mut self) {
        for (class, blocks) in self.0.iter_mut().enumerate() {
            for block in blocks.drain(..) {
                // SAFETY: the block was allocated with this layout and nobody else holds it.
                unsafe { dealloc(block.as_ptr(), layout((class + 1) * ALIGNMENT)) }
            }
        }
    }
}

thread_local! {
    static SMALL_POOL: RefCell<SmallPool> = RefCell::new(SmallPool(std::array::from_fn(|_| Vec::new())));
}

struct Block {
    start: NonNull<u8>,
    capacity: usize,
}

// SAFETY: a block in the pool is owned by the pool alone.
unsafe impl Send for Block {}

/// Large free blocks, oldest first, bounded by how much was ever live at once.
#[derive(Default)]
struct LargePool {
    blocks: Vec<Block>,
    bytes: usize,
}

static LARGE_POOL: LazyLock<Mutex<LargePool>> = LazyLock::new(Mutex::default);

fn take_recycled(capacity: usize) -> Option<NonNull<u8>> {
    if capacity <= SMALL {
        let class = capacity / ALIGNMENT - 1;
        return SMALL_POOL
            .try_with(|pool| pool.borrow_mut().0[class].pop())
            .ok()
            .flatten();
    }
    let mut pool = LARGE_POOL
        .lock()
        .unwrap_or_else(|broken| broken.into_inner());
    let found = pool
        .blocks
        .iter()
        .rposition(|block| block.capacity == capacity)?;
    pool.bytes -= capacity;
    Some(pool.blocks.remove(found).start)
}

fn recycle(start: NonNull<u8>, capacity: usize) {
    // SAFETY (both calls): the block was allocated with this layout and its owner is gone.
    let release =
        |start: NonNull<u8>, capacity| unsafe { dealloc(start.as_ptr(), layout(capacity)) };
    if capacity <= SMALL {
        let class = capacity / ALIGNMENT - 1;
        let kept = SMALL_POOL.try_with(|pool| {
            let blocks = &mut pool.borrow_mut().0[class];
            let room = blocks.len() < SMALL_BLOCKS;
            if room {
                blocks.push(start);
            }
            room
        });
        if kept != Ok(true) {
            release(start, capacity);
        }
        return;
    }
    let mut pool = LARGE_POOL
        .lock()
        .unwrap_or_else(|broken| broken.into_inner());
    pool.blocks.push(Block { start, capacity });
    pool.bytes += capacity;
    // Live and free memory together stay near what the program once needed at the same time. The margin keeps blocks of
    // sizes that alternate within a step.
    let peak = peak_bytes();
    let bound = peak + peak / 2 + MARGIN;
    let mut excess = 0;
    let mut bytes = pool.bytes;
    while bytes + live_bytes() > bound && excess < pool.blocks.len() {
        bytes -= pool.blocks[excess].capacity;
        excess += 1;
    }
    for block in pool.blocks.drain(..excess) {
        release(block.start, block.capacity);
    }
    pool.bytes = bytes;
}
