//! Where a tensor's elements lie in its buffer.

use super::Shape;
use smallvec::SmallVec;

/// The distance, in elements, between neighbours along every axis.
pub type Strides = SmallVec<[isize; 4]>;

/// A strided view of a buffer: element `i` lies at `offset + sum(i[axis] * strides[axis])`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The extents.
    pub shape: Shape,
    /// The distances between neighbours; 0 repeats an element, a negative one walks backwards.
    pub strides: Strides,
    /// The position of the first element.
    pub offset: usize,
}

impl Layout {
    /// Row-major from position 0.
    pub fn contiguous(shape: Shape) -> Layout {
        Layout {
            strides: shape.contiguous_strides(),
            shape,
            offset: 0,
        }
    }

    /// Whether the elements lie one after the other, in row-major order.
    pub fn is_contiguous(&self) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let mut expected = 1isize;
        for axis in (0..self.shape.rank()).rev() {
            let extent = self.shape[axis];
            if extent != 1 {
                if self.strides[axis] != expected {
                    return false;
                }
                expected *= extent as isize;
            }
        }
        true
    }

    /// The same elements in row-major order under another shape, or `None` when that takes a copy.
    pub fn reshaped(&self, shape: &Shape) -> Option<Layout> {
        if self.is_contiguous() {
            return Some(Layout {
                offset: self.offset,
                ..Layout::contiguous(shape.clone())
            });
        }
        // Merge axes that lie evenly, then split the merged ones as the new shape asks.
        let mut merged: Vec<(usize, isize)> = Vec::new();
        for (&extent, &stride) in self.shape.iter().zip(&self.strides) {
            if extent == 1 {
                continue;
            }
            match merged.last_mut() {
                Some((size, step)) if *step == stride * extent as isize => {
                    *size *= extent;
                    *step = stride;
                }
                _ => merged.push((extent, stride)),
            }
        }
        let mut strides = Strides::from_elem(0, shape.rank());
        let mut remaining = merged.pop();
        for axis in (0..shape.rank()).rev() {
            let extent = shape[axis];
            if extent == 1 {
                continue;
            }
            let (size, step) = remaining?;
            if size % extent != 0 {
                return None;
            }
            strides[axis] = step;
            remaining = if size == extent {
                merged.pop()
            } else {
                Some((size / extent, step * extent as isize))
            };
        }
        Some(Layout {
            shape: shape.clone(),
            strides,
            offset: self.offset,
        })
    }

    /// The buffer positions of all elements, in row-major order.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        let count = self.shape.elements();
        let mut index: SmallVec<[usize; 4]> = SmallVec::from_elem(0, self.shape.rank());
        let mut position = self.offset as isize;
        (0..count).map(move |_| {
            let here = position as usize;
            for axis in (0..self.shape.rank()).rev() {
                index[axis] += 1;
                position += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                position -= self.strides[axis] * self.shape[axis] as isize;
                index[axis] = 0;
            }
            here
        })
    }
}
