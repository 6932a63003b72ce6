//! Data, the training loop, metrics, checkpoints and reports, on the public surface of the engine and its layers.

pub mod checkpoint;
pub mod data;
pub mod events;
pub mod flow;
pub mod history;
pub mod metrics;
pub mod picture;
pub mod progress;
pub mod report;
pub mod trainer;
