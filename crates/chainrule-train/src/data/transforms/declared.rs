//! Transforms by name, for trainings that are written in a configuration file.

use super::{Image, Transform};
use chainrule_nn::{ArgumentError, Arguments};

/// A change of images that a configuration can name: its declaration stands in the transform's file.
pub trait DeclaredTransform: Transform + Sized + 'static {
    /// The name in configurations, such as `random_crop`.
    const NAME: &'static str;

    /// The transform with the given arguments, for images `[channels, height, width]`.
    ///
    /// # Errors
    /// When an argument is missing or wrong.
    fn declared(arguments: &mut Arguments, image: [usize; 3]) -> Result<Self, ArgumentError>;
}

type Built = Result<Box<dyn Transform>, ArgumentError>;

struct Entry {
    name: &'static str,
    build: fn(&mut Arguments, [usize; 3]) -> Built,
}

const fn entry<T: DeclaredTransform>() -> Entry {
    Entry {
        name: T::NAME,
        build: |arguments, image| Ok(Box::new(T::declared(arguments, image)?)),
    }
}

const ENTRIES: &[Entry] = &[
    entry::<super::FlipHorizontal>(),
    entry::<super::FlipVertical>(),
    entry::<super::RandomCrop>(),
    entry::<super::Rotate>(),
    entry::<super::Affine>(),
    entry::<super::GaussianNoise>(),
    entry::<super::ColourJitter>(),
    entry::<super::Cutout>(),
];

/// All transforms that a configuration can name.
pub fn transform_names() -> Vec<&'static str> {
    ENTRIES.iter().map(|entry| entry.name).collect()
}

/// The transform called `name`, for images `[channels, height, width]`. The arguments are called as the transforms' fields are.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Arguments, Value};
/// use chainrule_train::data::{Random, transforms::{Transform, build_transform}};
/// let mut arguments = Arguments::new("augment").with("probability", Value::Float(1.0));
/// let flip = build_transform("flip_horizontal", &mut arguments, [1, 1, 2])?;
/// let image = Tensor::from_vec(vec![0.25_f32, 0.75], [1, 1, 2]);
/// assert_eq!(flip.image(&image, &mut Random::new(1)).to_vec::<f32>(), [0.75, 0.25]);
/// # Ok::<(), chainrule_nn::ArgumentError>(())
/// ```
///
/// # Errors
/// When there is no such transform, or an argument is missing, wrong or not known.
pub fn build_transform(
    name: &str,
    arguments: &mut Arguments,
    image: [usize; 3],
) -> Result<Box<dyn Transform>, ArgumentError> {
    let Some(entry) = ENTRIES.iter().find(|entry| entry.name == name) else {
        return Err(arguments.unknown("transform", name, &transform_names()));
    };
    let transform = (entry.build)(arguments, image)?;
    arguments.finish()?;
    Ok(transform)
}

/// An argument that is at least 0.
pub(super) fn not_negative(
    arguments: &mut Arguments,
    name: &'static str,
    default: f64,
) -> Result<f64, ArgumentError> {
    let value: f64 = arguments.optional(name, default)?;
    match value >= 0.0 && value.is_finite() {
        true => Ok(value),
        false => Err(arguments.problem(
            name,
            format!("`{name}` is {value}; expected a number that is not negative"),
        )),
    }
}

/// An argument that is a probability.
pub(super) fn probability(arguments: &mut Arguments, default: f64) -> Result<f64, ArgumentError> {
    let value: f64 = arguments.optional("probability", default)?;
    match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(arguments.problem(
            "probability",
            format!("`probability` is {value}; expected a number from 0 to 1"),
        )),
    }
}

impl Transform for Box<dyn Transform> {
    fn apply(&self, image: &mut Image, random: &mut crate::data::Random) {
        (**self).apply(image, random);
    }
}
