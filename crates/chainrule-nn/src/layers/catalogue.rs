//! Layers by name, for models that are written in a configuration file.

use super::{ArgumentError, Arguments};
use crate::{AnyLayer, Layer};
use chainrule_core::Shape;

/// A layer that a configuration can name: its declaration stands in the layer's file and is collected by
/// [`catalogue!`](crate::catalogue).
pub trait Declared: Layer + Clone + Send + Sync + 'static {
    /// The name in configurations, such as `conv2d`.
    const NAME: &'static str;

    /// The layer with the given arguments, for inputs of the shape `input`, of which the first axis is the batch.
    ///
    /// # Errors
    /// When an argument is missing or wrong, or the layer does not take such inputs.
    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Self, ArgumentError>;
}

/// A row of the catalogue.
#[derive(Clone, Copy)]
pub struct CatalogueEntry {
    /// The name in configurations.
    pub name: &'static str,
    build: fn(&mut Arguments, &Shape) -> Result<AnyLayer, ArgumentError>,
}

impl CatalogueEntry {
    /// The row of a layer.
    pub const fn of<L: Declared>() -> CatalogueEntry {
        CatalogueEntry {
            name: L::NAME,
            build: |arguments, input| L::declared(arguments, input).map(AnyLayer::new),
        }
    }
}

/// Collects the declared layers of a file: `catalogue! { Relu, Gelu }` stands at its top and defines `CATALOGUE`, which
/// `layers/mod.rs` joins to the whole.
#[macro_export]
macro_rules! catalogue {
    ($($layer:ty),+ $(,)?) => {
        /// The declared layers of this file.
        pub(crate) const CATALOGUE: &[$crate::CatalogueEntry] = &[$($crate::CatalogueEntry::of::<$layer>()),+];
    };
}

/// All layers that a configuration can name, in the order of the catalogue.
pub fn layer_names() -> Vec<&'static str> {
    super::entries().map(|entry| entry.name).collect()
}

/// The layer called `name`, for inputs of the shape `input`.
///
/// ```
/// use chainrule_core::Shape;
/// use chainrule_nn::{build_layer, Arguments, Module, Value};
/// let mut arguments = Arguments::new("linear").with("outputs", Value::Integer(10));
/// let layer = build_layer("linear", &mut arguments, &Shape::from([64, 784]))?;
/// assert_eq!(layer.parameter_count(), 7850);
/// # Ok::<(), chainrule_nn::ArgumentError>(())
/// ```
///
/// # Errors
/// When there is no such layer, or an argument is missing, wrong or not known.
pub fn build_layer(
    name: &str,
    arguments: &mut Arguments,
    input: &Shape,
) -> Result<AnyLayer, ArgumentError> {
    let Some(entry) = super::entries().find(|entry| entry.name == name) else {
        return Err(arguments.unknown("layer", name, &layer_names()));
    };
    let layer = (entry.build)(arguments, input)?;
    arguments.finish()?;
    Ok(layer)
}

/// The extent of an axis of the input, which a layer takes as its number of inputs.
pub(crate) fn input_extent(
    arguments: &Arguments,
    input: &Shape,
    axis: isize,
    what: &str,
) -> Result<usize, ArgumentError> {
    let position = if axis < 0 {
        input.len() as isize + axis
    } else {
        axis
    };
    let extent = usize::try_from(position)
        .ok()
        .and_then(|position| input.get(position));
    extent.copied().ok_or_else(|| {
        arguments.problem(
            "type",
            format!("its input has shape {input}, where the axis of {what} ({axis}) is missing"),
        )
    })
}
