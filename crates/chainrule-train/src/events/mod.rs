//! TensorBoard event files: scalars, histograms, text and images, as the `tensorboard` program reads them.
//!
//! A file is a sequence of records ([`frame`]), each a protocol-buffer message ([`message`]). It is only ever appended
//! to, so that TensorBoard can follow a running program, and one that was cut off in the middle of a record is read up
//! to there.

pub mod frame;
pub mod message;

mod buckets;
mod writer;

pub use buckets::histogram;
pub use writer::EventWriter;
