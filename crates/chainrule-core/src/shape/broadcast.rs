//! NumPy's broadcasting rule.

use super::Shape;

/// The shape to which all `shapes` broadcast: axes are aligned at the last one, an extent of 1 stretches.
///
/// # Errors
/// A sentence naming the first axis, counted from the end, whose extents differ.
pub fn broadcast(shapes: &[&Shape]) -> Result<Shape, String> {
    let rank = shapes.iter().map(|shape| shape.rank()).max().unwrap_or(0);
    let mut result = vec![1usize; rank];
    for shape in shapes {
        let missing = rank - shape.rank();
        for (axis, &extent) in shape.iter().enumerate() {
            let place = &mut result[missing + axis];
            if *place == 1 {
                *place = extent;
            } else if extent != 1 && extent != *place {
                let from_end = rank - (missing + axis);
                return Err(format!(
                    "the shapes do not broadcast: {place} and {extent} at axis -{from_end}"
                ));
            }
        }
    }
    Ok(Shape::from(result))
}
