//! Computing values: the [`Backend`] trait, its tasks, and the two backends that are always there.

pub(crate) mod convert;
mod cpu;
mod plain;
mod pointwise;
mod select;
mod task;
mod value;

pub use cpu::Cpu;
pub use plain::Plain;
pub use task::{Source, Task, TaskStep};
pub use value::{Scalar, Stored, Value};

pub(crate) use convert::{array_of, first_element, from_array, to_array};

use crate::error::Error;
use crate::graph::Device;
use smallvec::SmallVec;
use std::sync::RwLock;

/// The outputs of the steps whose values are kept, by step.
pub type Computed = Vec<(u32, SmallVec<[Value; 1]>)>;

/// Something that computes the values of recorded nodes.
pub trait Backend: Send + Sync {
    /// The name, as devices print.
    fn name(&self) -> &'static str;
    /// Computes a task and returns all outputs of every step whose values are kept, by step, ascending.
    ///
    /// # Errors
    /// When memory runs out or an index is out of range.
    fn evaluate(&self, task: &Task) -> Result<Computed, Error>;

    /// Gets ready for a task that will be evaluated again and again, with other values of its leaves.
    fn prepare(&self, _task: &Task) {}
}

static BACKENDS: RwLock<Vec<&'static dyn Backend>> = RwLock::new(Vec::new());
static BUILT_IN: [&dyn Backend; 2] = [&Cpu, &Plain];

pub(crate) fn of(device: Device) -> &'static dyn Backend {
    let index = device.0 as usize;
    match BUILT_IN.get(index) {
        Some(backend) => *backend,
        None => {
            let further = BACKENDS.read().unwrap_or_else(|broken| broken.into_inner());
            further[index - BUILT_IN.len()]
        }
    }
}

pub(crate) fn register(backend: &'static dyn Backend) -> Device {
    let mut further = BACKENDS
        .write()
        .unwrap_or_else(|broken| broken.into_inner());
    further.push(backend);
    Device((BUILT_IN.len() + further.len() - 1) as u16)
}
