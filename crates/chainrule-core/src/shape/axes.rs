//! Axis numbers as users write them: one, several, all, counted from either end.

/// Which axes an operation works over; negative numbers count from the last axis.
///
/// Methods take `impl Into<Axes>`, so `1`, `-1`, `[0, 2]`, `&[0, 2][..]`, a `Vec` and `..` (every axis) all work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Axes {
    /// Every axis.
    All,
    /// The axes of the list, in this order.
    These(Vec<isize>),
}

impl Axes {
    /// The axes as positions in a tensor of `rank` axes, in the order given.
    ///
    /// # Errors
    /// A sentence saying which axis is out of range or given twice.
    pub fn resolve(&self, rank: usize) -> Result<Vec<usize>, String> {
        let Axes::These(list) = self else {
            return Ok((0..rank).collect());
        };
        let mut resolved = Vec::with_capacity(list.len());
        for &axis in list {
            let position = normalize_axis(axis, rank)?;
            if resolved.contains(&position) {
                return Err(format!("axis {axis} is given twice"));
            }
            resolved.push(position);
        }
        Ok(resolved)
    }
}

/// The position of `axis` among `rank` axes; a negative `axis` counts from the end.
///
/// # Errors
/// A sentence saying that the axis is out of range and which axes there are.
pub fn normalize_axis(axis: isize, rank: usize) -> Result<usize, String> {
    let position = if axis < 0 { axis + rank as isize } else { axis };
    if (0..rank as isize).contains(&position) {
        return Ok(position as usize);
    }
    Err(match rank {
        0 => format!("axis {axis} does not exist: the tensor has no axes"),
        1 => format!("axis {axis} does not exist: the tensor has one axis, 0 (or -1)"),
        _ => format!(
            "axis {axis} does not exist: the tensor has {rank} axes, 0 to {} (or -{rank} to -1)",
            rank - 1
        ),
    })
}

impl From<std::ops::RangeFull> for Axes {
    fn from(_: std::ops::RangeFull) -> Axes {
        Axes::All
    }
}

impl From<isize> for Axes {
    fn from(axis: isize) -> Axes {
        Axes::These(vec![axis])
    }
}

impl<const N: usize> From<[isize; N]> for Axes {
    fn from(axes: [isize; N]) -> Axes {
        Axes::These(axes.to_vec())
    }
}

impl From<&[isize]> for Axes {
    fn from(axes: &[isize]) -> Axes {
        Axes::These(axes.to_vec())
    }
}

impl From<Vec<isize>> for Axes {
    fn from(axes: Vec<isize>) -> Axes {
        Axes::These(axes)
    }
}

impl From<Vec<usize>> for Axes {
    fn from(axes: Vec<usize>) -> Axes {
        Axes::These(axes.into_iter().map(|axis| axis as isize).collect())
    }
}
