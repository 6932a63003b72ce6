//! The extents of a tensor's axes.

use smallvec::SmallVec;
use std::fmt;
use std::ops::Deref;

/// The extent of every axis, outermost first. A 0-dimensional tensor has the empty shape and one element.
///
/// Built from anything that lists extents: `[2, 3]`, `&[2, 3][..]`, `vec![2, 3]`, `5` for one axis and `()` for none.
///
/// ```
/// use chainrule_core::Shape;
/// let shape = Shape::from([2, 3]);
/// assert_eq!(shape.elements(), 6);
/// assert_eq!(Shape::from(()).elements(), 1);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(SmallVec<[usize; 4]>);

impl Shape {
    /// The number of elements: the product of the extents.
    ///
    /// # Panics
    /// When the product overflows; shapes that reach a tensor have been checked with [`Shape::checked_elements`].
    pub fn elements(&self) -> usize {
        self.checked_elements()
            .expect("the number of elements fits in memory")
    }

    /// The number of elements, or `None` when it overflows `usize`.
    pub fn checked_elements(&self) -> Option<usize> {
        if self.0.contains(&0) {
            return Some(0);
        }
        self.0
            .iter()
            .try_fold(1usize, |product, &extent| product.checked_mul(extent))
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// This shape with an axis of `extent` inserted before position `axis`.
    pub fn with_axis(&self, axis: usize, extent: usize) -> Shape {
        let mut extents = self.0.clone();
        extents.insert(axis, extent);
        Shape(extents)
    }

    /// This shape without the axis at position `axis`.
    pub fn without_axis(&self, axis: usize) -> Shape {
        let mut extents = self.0.clone();
        extents.remove(axis);
        Shape(extents)
    }

    /// This shape with `extent` at position `axis`.
    pub fn with_extent(&self, axis: usize, extent: usize) -> Shape {
        let mut extents = self.0.clone();
        extents[axis] = extent;
        Shape(extents)
    }

    /// The strides, in elements, of a contiguous row-major tensor of this shape.
    pub fn contiguous_strides(&self) -> super::Strides {
        let mut strides = super::Strides::from_elem(0, self.rank());
        let mut step = 1isize;
        for axis in (0..self.rank()).rev() {
            strides[axis] = step;
            step = step.saturating_mul(self.0[axis].max(1) as isize);
        }
        strides
    }

    /// The multi-index of the element at position `flat` in row-major order.
    pub fn unravel(&self, mut flat: usize) -> SmallVec<[usize; 4]> {
        let mut index = SmallVec::from_elem(0, self.rank());
        for axis in (0..self.rank()).rev() {
            index[axis] = flat % self.0[axis];
            flat /= self.0[axis];
        }
        index
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extents: Vec<String> = self.0.iter().map(usize::to_string).collect();
        out.pad(&format!("[{}]", extents.join(", ")))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl From<&[usize]> for Shape {
    fn from(extents: &[usize]) -> Shape {
        Shape(SmallVec::from_slice(extents))
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(extents: [usize; N]) -> Shape {
        Shape(SmallVec::from_slice(&extents))
    }
}

impl<const N: usize> From<&[usize; N]> for Shape {
    fn from(extents: &[usize; N]) -> Shape {
        Shape(SmallVec::from_slice(extents))
    }
}

impl From<Vec<usize>> for Shape {
    fn from(extents: Vec<usize>) -> Shape {
        Shape(SmallVec::from_vec(extents))
    }
}

impl From<&Vec<usize>> for Shape {
    fn from(extents: &Vec<usize>) -> Shape {
        Shape(SmallVec::from_slice(extents))
    }
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Shape {
        shape.clone()
    }
}

impl From<usize> for Shape {
    fn from(extent: usize) -> Shape {
        Shape::from([extent])
    }
}

impl From<()> for Shape {
    fn from((): ()) -> Shape {
        Shape::default()
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(extents: I) -> Shape {
        Shape(extents.into_iter().collect())
    }
}
