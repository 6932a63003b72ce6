//! Tensors made by a rule: ranges, identity and triangles, coordinates.

use super::{Tensor, default_dtype};
use crate::backend::Scalar;
use crate::error::{Error, ErrorKind, Mismatch, raise};
use crate::shape::Shape;
use chainrule_kernels::DType;

impl Tensor {
    /// The integers (`i64`) from 0 to `end - 1`. [`range`](Tensor::range) has start and step.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::arange(4).to_vec::<i64>(), [0, 1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn arange(end: i64) -> Tensor {
        Tensor::from((0..end).collect::<Vec<i64>>())
    }

    /// The numbers `start`, `start + step`, ... before `end` (which itself is left out): of type `i64` from integers, of
    /// the default dtype from floating-point numbers.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::range(5, 0, -2).to_vec::<i64>(), [5, 3, 1]);
    /// assert_eq!(Tensor::range(0.0, 1.0, 0.25).to_vec::<f32>(), [0.0, 0.25, 0.5, 0.75]);
    /// ```
    ///
    /// # Panics
    /// When the step is zero or not finite, or leads away from the end.
    #[track_caller]
    pub fn range<T: Step>(start: T, end: T, step: T) -> Tensor {
        let (from, to, by) = (start.scalar(), end.scalar(), step.scalar());
        let distance = (to.to_f64() - from.to_f64()) / by.to_f64();
        if !distance.is_finite() || distance < 0.0 {
            let message = format!(
                "range: from {} to {} there is no way in steps of {}",
                from.to_f64(),
                to.to_f64(),
                by.to_f64()
            );
            raise(Error::new(ErrorKind::Argument, message));
        }
        let count = distance.ceil() as usize;
        let numbers: Vec<Scalar> = (0..count)
            .map(|index| match (from, by) {
                (Scalar::Integer(from), Scalar::Integer(by)) => {
                    Scalar::Integer(from + index as i64 * by)
                }
                _ => Scalar::Float(from.to_f64() + index as f64 * by.to_f64()),
            })
            .collect();
        Tensor::from_scalars(&numbers, Shape::from(count), T::dtype())
    }

    /// `count` numbers of the default dtype, evenly spaced from `start` to `end`, both included.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 5).to_vec::<f32>(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    #[track_caller]
    pub fn linspace(start: f64, end: f64, count: usize) -> Tensor {
        Tensor::from_scalars(
            &spaced(start, end, count)
                .map(Scalar::Float)
                .collect::<Vec<_>>(),
            Shape::from(count),
            default_dtype(),
        )
    }

    /// `count` powers of `base`, of the default dtype, with exponents evenly spaced from `start` to `end`.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::logspace(0.0, 2.0, 3, 10.0).to_vec::<f32>(), [1.0, 10.0, 100.0]);
    /// ```
    #[track_caller]
    pub fn logspace(start: f64, end: f64, count: usize, base: f64) -> Tensor {
        let powers = spaced(start, end, count).map(|exponent| Scalar::Float(base.powf(exponent)));
        Tensor::from_scalars(
            &powers.collect::<Vec<_>>(),
            Shape::from(count),
            default_dtype(),
        )
    }

    /// The identity matrix: `[count, count]` of the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::eye(2).to_vec::<f32>(), [1.0, 0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn eye(count: usize) -> Tensor {
        triangle(count, count, |row, column| row == column).cast(default_dtype())
    }

    /// Ones on and below diagonal `diagonal` (0 is the main one, 1 the one above), zeros elsewhere: `[rows, columns]` of the
    /// default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::tri(2, 3, 0).to_vec::<f32>(), [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn tri(rows: usize, columns: usize, diagonal: i64) -> Tensor {
        triangle(rows, columns, |row, column| column - row <= diagonal).cast(default_dtype())
    }

    /// The lower triangle of each matrix in the last two axes: zero above diagonal `diagonal` (0 is the main one, 1 the one
    /// above). Same shape and dtype; the derivative is zero where the result is.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1, 2], [3, 4]].tril(0).to_vec::<i64>(), [1, 0, 3, 4]);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than two axes.
    #[track_caller]
    pub fn tril(&self, diagonal: i64) -> Tensor {
        self.in_triangle("tril", |row, column| column - row <= diagonal)
    }

    /// The upper triangle of each matrix in the last two axes: zero below diagonal `diagonal` (0 is the main one, 1 the one
    /// above). Same shape and dtype; the derivative is zero where the result is.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1, 2], [3, 4]].triu(0).to_vec::<i64>(), [1, 2, 0, 4]);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, diagonal: i64) -> Tensor {
        self.in_triangle("triu", |row, column| column - row >= diagonal)
    }

    #[track_caller]
    fn in_triangle(&self, name: &str, inside: impl Fn(i64, i64) -> bool) -> Tensor {
        let [.., rows, columns] = self.shape()[..] else {
            let mismatch = Mismatch::shape("a matrix has at least two axes");
            raise(mismatch.into_error(name, &[self.as_operand()]));
        };
        let mask = triangle(rows, columns, inside);
        mask.to_device(self.device())
            .where_(self, self.zeros_like())
    }

    /// For labels `[..]`, rows `[.., classes]` of the default dtype: 1 at the label, 0 elsewhere. Labels are `u8`, `i32` or
    /// `i64`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![2, 0].one_hot(3).to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// When the labels are not integers, or one is not in `0..classes` (not looked at inside `vmap`).
    #[track_caller]
    pub fn one_hot(&self, classes: usize) -> Tensor {
        if self.dtype().is_floating() || self.dtype() == DType::Bool {
            let mismatch = Mismatch::dtype("labels are integers").help("`.cast(DType::I64)`");
            raise(mismatch.into_error("one_hot", &[self.as_operand()]));
        }
        if !self.node().is_abstract() {
            let labels = self.cast(DType::I64).to_vec::<i64>();
            let out = labels
                .iter()
                .position(|&label| label < 0 || label >= classes as i64);
            if let Some(position) = out {
                let message = format!(
                    "one_hot: label {} at position {position} is not in 0..{classes}",
                    labels[position]
                );
                raise(Error::new(ErrorKind::Index, message));
            }
        }
        let columns = Tensor::arange(classes as i64).to_device(self.device());
        self.cast(DType::I64)
            .unsqueeze(-1)
            .eq(columns)
            .cast(default_dtype())
    }

    /// The coordinates of a grid: for tensors of one axis, as many tensors whose shape lists all their extents, the k-th
    /// varying along axis k like the k-th input.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// let [rows, columns] = &Tensor::meshgrid(&[&tensor![1, 2], &tensor![7, 8, 9]])[..] else { unreachable!() };
    /// assert_eq!(rows.to_vec::<i64>(), [1, 1, 1, 2, 2, 2]);
    /// assert_eq!(columns.to_vec::<i64>(), [7, 8, 9, 7, 8, 9]);
    /// ```
    ///
    /// # Panics
    /// When an input has more than one axis.
    #[track_caller]
    pub fn meshgrid(axes: &[&Tensor]) -> Vec<Tensor> {
        for axis in axes {
            if axis.rank() > 1 {
                let mismatch = Mismatch::shape("the coordinates along one axis have one axis");
                raise(mismatch.into_error("meshgrid", &[axis.as_operand()]));
            }
        }
        let shape: Shape = axes.iter().map(|axis| axis.elements()).collect();
        let along = |position: usize| {
            let mut extents = vec![1; axes.len()];
            extents[position] = shape[position];
            axes[position].reshape(Shape::from(extents)).expand(&shape)
        };
        (0..axes.len()).map(along).collect()
    }

    /// A tensor of `shape` whose elements are computed from their positions, in the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let x = Tensor::from_fn([2, 2], |at| (10 * at[0] + at[1]) as f64);
    /// assert_eq!(x.to_vec::<f32>(), [0.0, 1.0, 10.0, 11.0]);
    /// ```
    #[track_caller]
    pub fn from_fn(shape: impl Into<Shape>, f: impl Fn(&[usize]) -> f64) -> Tensor {
        let shape = shape.into();
        let numbers: Vec<Scalar> = (0..shape.elements())
            .map(|flat| Scalar::Float(f(&shape.unravel(flat))))
            .collect();
        Tensor::from_scalars(&numbers, shape, default_dtype())
    }
}

/// The truth of a relation between row and column: `[rows, columns]`.
#[track_caller]
fn triangle(rows: usize, columns: usize, inside: impl Fn(i64, i64) -> bool) -> Tensor {
    let truth: Vec<Scalar> = (0..rows as i64)
        .flat_map(|row| (0..columns as i64).map(move |column| (row, column)))
        .map(|(row, column)| Scalar::Truth(inside(row, column)))
        .collect();
    Tensor::from_scalars(&truth, Shape::from([rows, columns]), DType::Bool)
}

/// Evenly spaced numbers, counted from the nearer end so that both ends are exact.
fn spaced(start: f64, end: f64, count: usize) -> impl Iterator<Item = f64> {
    let step = (end - start) / count.saturating_sub(1).max(1) as f64;
    (0..count).map(move |index| {
        if 2 * index < count {
            start + step * index as f64
        } else {
            end - step * (count - 1 - index) as f64
        }
    })
}

/// Numbers that a range is made of.
pub trait Step {
    /// The number.
    fn scalar(&self) -> Scalar;
    /// The dtype of the range.
    fn dtype() -> DType;
}

impl Step for f64 {
    fn scalar(&self) -> Scalar {
        Scalar::Float(*self)
    }
    fn dtype() -> DType {
        default_dtype()
    }
}

impl Step for i32 {
    fn scalar(&self) -> Scalar {
        Scalar::Integer((*self).into())
    }
    fn dtype() -> DType {
        DType::I64
    }
}

impl Step for i64 {
    fn scalar(&self) -> Scalar {
        Scalar::Integer(*self)
    }
    fn dtype() -> DType {
        DType::I64
    }
}
