//! What pooling over a grid shares: the extents of the grid.

use crate::layers::spatial::EachAxis;
use crate::{ArgumentError, Arguments, FromValue, Value};
use chainrule_core::Tensor;

/// The extents of the output; `None` for those that are the input's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid<const AXES: usize>(pub(crate) [Option<usize>; AXES]);

impl<const AXES: usize> Grid<AXES> {
    pub(crate) fn of(extents: impl EachAxis<AXES>) -> Grid<AXES> {
        Grid(extents.each().map(Some))
    }

    /// The extents for the input `x`.
    pub(crate) fn extents(&self, x: &Tensor) -> [usize; AXES] {
        let first = x.rank() - AXES;
        std::array::from_fn(|axis| self.0[axis].unwrap_or(x.shape()[first + axis]))
    }

    /// The argument `extents`.
    pub(crate) fn declared(arguments: &mut Arguments) -> Result<Grid<AXES>, ArgumentError> {
        let extents: [Kept; AXES] = arguments.required("extents")?;
        Ok(Grid(extents.map(|extent| extent.0)))
    }
}

/// An extent, or `"keep"` for the input's.
#[derive(Clone, Copy)]
struct Kept(Option<usize>);

impl FromValue for Kept {
    fn from_value(value: &Value) -> Option<Kept> {
        match value {
            Value::Text(text) if text == "keep" => Some(Kept(None)),
            _ => usize::from_value(value).map(|extent| Kept(Some(extent))),
        }
    }

    fn expected() -> String {
        "a whole number, or \"keep\" for the input's extent".to_owned()
    }
}
