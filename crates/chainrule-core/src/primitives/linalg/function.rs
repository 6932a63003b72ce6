//! What the functions of matrices share: how they run over leading axes, and their declarations as primitives.

use super::dense::Matrix;
use crate::declare::{Array, Data, Sample, Specs};
use crate::error::{Error, ErrorKind, Mismatch};
use crate::graph::Spec;
use crate::tensor::Tensor;

/// A function of matrices (the last two axes of each operand; all leading axes are equal).
pub(crate) trait MatrixFunction {
    fn name(&self) -> &'static str;
    fn formula(&self) -> &'static str;
    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch>;
    /// The outputs for one matrix of each operand, or what is wrong with the first ("is singular").
    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String>;
    fn jvp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>>;
    fn vjp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>>;
    fn samples() -> Vec<Sample>;
}

/// Declares functions of matrices as primitives.
macro_rules! matrix_functions {
    ($($type:ident),*) => {$(
        impl $crate::declare::Primitive for $type {
            fn name(&self) -> &'static str {
                MatrixFunction::name(self)
            }

            fn formula(&self) -> &'static str {
                MatrixFunction::formula(self)
            }

            fn shape(&self, inputs: &[&Spec]) -> Result<$crate::declare::Specs, $crate::error::Mismatch> {
                for input in inputs {
                    $crate::primitives::linalg::function::check_matrix(input)?;
                }
                MatrixFunction::shape(self, inputs)
            }

            fn evaluation(&self) -> $crate::declare::Evaluation<'_> {
                $crate::declare::Evaluation::Reference(self)
            }

            fn derivative(&self) -> $crate::declare::Derivative<'_> {
                $crate::declare::Derivative::Rule(self)
            }

            fn batch(&self) -> $crate::declare::Batch<'_> {
                $crate::declare::Batch::LeadingAxes
            }

            fn samples() -> Vec<$crate::declare::Sample> {
                <$type as MatrixFunction>::samples()
            }
        }

        impl $crate::declare::Reference for $type {
            fn value(
                &self,
                inputs: &[$crate::declare::Array],
                specs: &[Spec],
            ) -> Result<Vec<$crate::declare::Array>, $crate::error::Error> {
                $crate::primitives::linalg::function::over_leading_axes(self, inputs, specs)
            }
        }

        impl $crate::declare::Rule for $type {
            fn jvp(&self, inputs: &[Tensor], outputs: &[Tensor], tangents: &[Option<Tensor>]) -> Vec<Option<Tensor>> {
                MatrixFunction::jvp(self, inputs, outputs, tangents)
            }

            fn vjp(&self, inputs: &[Tensor], outputs: &[Tensor], cotangents: &[Option<Tensor>]) -> Vec<Option<Tensor>> {
                MatrixFunction::vjp(self, inputs, outputs, cotangents)
            }
        }
    )*};
}
pub(crate) use matrix_functions;

pub(crate) fn check_matrix(input: &Spec) -> Result<(), Mismatch> {
    if !input.dtype().is_floating() {
        let reason = format!("not defined for {}", input.dtype());
        return Err(Mismatch::dtype(reason).help("convert first: `.cast(DType::F32)`"));
    }
    if input.rank() < 2 {
        return Err(Mismatch::shape("there are no two axes of a matrix"));
    }
    Ok(())
}

/// The extent of a square matrix.
pub(crate) fn check_square(input: &Spec) -> Result<usize, Mismatch> {
    let [.., rows, columns] = input.shape()[..] else {
        return Err(Mismatch::shape("there are no two axes of a matrix"));
    };
    if rows != columns {
        return Err(Mismatch::shape(format!(
            "the matrix must be square, not {rows}×{columns}"
        )));
    }
    Ok(rows)
}

/// `input` with other last axes.
pub(crate) fn with_last(input: &Spec, last: &[usize]) -> Spec {
    let leading = &input.shape()[..input.rank() - 2];
    input.with_shape(
        leading
            .iter()
            .chain(last)
            .copied()
            .collect::<crate::shape::Shape>(),
    )
}

/// Both operands' leading axes are equal.
pub(crate) fn check_leading(first: &Spec, second: &Spec) -> Result<(), Mismatch> {
    let leading = |spec: &Spec| spec.shape()[..spec.rank() - 2].to_vec();
    if leading(first) != leading(second) {
        return Err(Mismatch::shape("the leading axes differ"));
    }
    Ok(())
}

fn numbers(data: &Data) -> Vec<f64> {
    match data {
        Data::F32(elements) => elements.iter().map(|&x| x.into()).collect(),
        Data::F64(elements) => elements.clone(),
        _ => unreachable!("shape rules see to a floating dtype"),
    }
}

/// Runs the function on every matrix, in `f64`.
pub(crate) fn over_leading_axes<F: MatrixFunction>(
    function: &F,
    inputs: &[Array],
    specs: &[Spec],
) -> Result<Vec<Array>, Error> {
    let elements: Vec<Vec<f64>> = inputs.iter().map(|input| numbers(&input.data)).collect();
    let count: usize = inputs[0].shape[..inputs[0].shape.rank() - 2]
        .iter()
        .product();
    let mut outputs: Vec<Vec<f64>> = vec![Vec::new(); specs.len()];
    for number in 0..count {
        let operand = |(input, elements): (&Array, &Vec<f64>)| {
            let rank = input.shape.rank();
            let (rows, columns) = (input.shape[rank - 2], input.shape[rank - 1]);
            let size = rows * columns;
            Matrix {
                rows,
                columns,
                data: elements[number * size..(number + 1) * size].to_vec(),
            }
        };
        let operands: Vec<Matrix> = inputs.iter().zip(&elements).map(operand).collect();
        let results = function.value(&operands).map_err(|reason| {
            let which = if count == 1 {
                "the matrix".to_owned()
            } else {
                format!("matrix {number}")
            };
            Error::new(
                ErrorKind::Argument,
                format!("{}: {which} {reason}", function.name()),
            )
        })?;
        for (output, result) in outputs.iter_mut().zip(results) {
            output.extend(result.data);
        }
    }
    let array = |(elements, spec): (Vec<f64>, &Spec)| {
        let data = match inputs[0].data {
            Data::F32(_) => Data::F32(elements.into_iter().map(|x| x as f32).collect()),
            _ => Data::F64(elements),
        };
        Array::new(spec.shape(), data)
    };
    Ok(outputs.into_iter().zip(specs).map(array).collect())
}
