//! Extents, axes, broadcasting and strided layouts: arithmetic on shapes that knows no tensor.

mod axes;
mod broadcast;
mod extents;
mod layout;
mod reduction;

pub use axes::{Axes, normalize_axis};
pub use broadcast::broadcast;
pub use extents::Shape;
pub use layout::{Layout, Strides};
pub use reduction::{ReductionAxes, keep};
