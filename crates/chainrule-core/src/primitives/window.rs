//! Windows that slide over spatial axes: the geometry that convolution and pooling share.

use crate::error::Mismatch;
use smallvec::SmallVec;

/// One number for all spatial axes, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PerAxis {
    /// The same for all.
    All(usize),
    /// One an axis.
    Each(Vec<usize>),
}

impl PerAxis {
    /// The numbers for `rank` spatial axes.
    pub(crate) fn resolve(&self, rank: usize, what: &str) -> Result<Vec<usize>, Mismatch> {
        match self {
            PerAxis::All(number) => Ok(vec![*number; rank]),
            PerAxis::Each(numbers) if numbers.len() == rank => Ok(numbers.clone()),
            PerAxis::Each(numbers) => Err(Mismatch::argument(format!(
                "{} numbers were given as {what} for {rank} spatial axes",
                numbers.len()
            ))),
        }
    }
}

impl From<usize> for PerAxis {
    fn from(number: usize) -> PerAxis {
        PerAxis::All(number)
    }
}

impl<const N: usize> From<[usize; N]> for PerAxis {
    fn from(numbers: [usize; N]) -> PerAxis {
        PerAxis::Each(numbers.to_vec())
    }
}

impl From<Vec<usize>> for PerAxis {
    fn from(numbers: Vec<usize>) -> PerAxis {
        PerAxis::Each(numbers)
    }
}

/// How a window moves: step, zeros on both sides, and distance between taps, one an axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sliding {
    pub(crate) stride: Vec<usize>,
    pub(crate) padding: Vec<usize>,
    pub(crate) dilation: Vec<usize>,
}

impl Sliding {
    /// How often a window of `kernel` taps fits along `axis` of extent `input`.
    pub(crate) fn output(
        &self,
        axis: usize,
        input: usize,
        kernel: usize,
    ) -> Result<usize, Mismatch> {
        let reach = self.reach(axis, kernel);
        let padded = input + 2 * self.padding[axis];
        if padded < reach {
            return Err(Mismatch::shape(format!(
                "the window reaches over {reach} elements of spatial axis {axis}, which has {input} and {padded} with padding"
            )));
        }
        Ok((padded - reach) / self.stride[axis] + 1)
    }

    /// The number of elements from the first to the last tap, both included.
    pub(crate) fn reach(&self, axis: usize, kernel: usize) -> usize {
        self.dilation[axis] * kernel.saturating_sub(1) + 1
    }

    /// What must hold of the numbers themselves.
    pub(crate) fn check(&self, kernel: &[usize]) -> Result<(), Mismatch> {
        if self.stride.contains(&0) || self.dilation.contains(&0) {
            return Err(Mismatch::argument("a stride or dilation of 0 never moves"));
        }
        if kernel.contains(&0) {
            return Err(Mismatch::shape("the kernel has an extent of 0"));
        }
        Ok(())
    }

    /// Calls `visit(output, tap, input)` with flat positions for every tap of every window that falls inside the input.
    pub(crate) fn each_tap(
        &self,
        input: &[usize],
        kernel: &[usize],
        output: &[usize],
        visit: &mut dyn FnMut(usize, usize, usize),
    ) {
        let (taps, windows) = (kernel.iter().product(), output.iter().product());
        for window in 0..windows {
            let at = unravel(window, output);
            for tap in 0..taps {
                let offset = unravel(tap, kernel);
                let mut position = 0usize;
                let inside = (0..input.len()).all(|axis| {
                    let shifted = at[axis] * self.stride[axis] + offset[axis] * self.dilation[axis];
                    let Some(place) = shifted
                        .checked_sub(self.padding[axis])
                        .filter(|&place| place < input[axis])
                    else {
                        return false;
                    };
                    position = position * input[axis] + place;
                    true
                });
                if inside {
                    visit(window, tap, position);
                }
            }
        }
    }
}

fn unravel(mut flat: usize, extents: &[usize]) -> SmallVec<[usize; 3]> {
    let mut index = SmallVec::from_elem(0, extents.len());
    for axis in (0..extents.len()).rev() {
        index[axis] = flat % extents[axis];
        flat /= extents[axis];
    }
    index
}
