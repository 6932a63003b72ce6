//! The backend that only runs reference values, one step after the other: the meaning of every faster one.

use super::convert::{from_array, to_array};
use super::{Backend, Computed, Source, Task, TaskStep, Value, pointwise};
use crate::declare::{Array, Data, Evaluation, OperationRef};
use crate::error::Error;
use crate::graph::Spec;
use crate::shape::Layout;
use crate::tensor::Tensor;
use chainrule_kernels::DType;
use smallvec::SmallVec;

/// Reference execution.
pub struct Plain;

impl Backend for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn evaluate(&self, task: &Task) -> Result<Computed, Error> {
        let mut computed: Vec<Vec<Array>> = Vec::with_capacity(task.steps().len());
        let mut kept = Vec::new();
        for (position, step) in task.steps().iter().enumerate() {
            let inputs: Result<Vec<Array>, Error> = step
                .inputs()
                .iter()
                .map(|&source| input(task, &computed, source))
                .collect();
            let outputs = outputs_of(step, &inputs?, task)?;
            if step.is_kept() {
                let values: Result<SmallVec<[Value; 1]>, Error> = outputs
                    .iter()
                    .zip(step.specs())
                    .map(|(array, spec)| from_array(array.clone(), spec))
                    .collect();
                kept.push((position as u32, values?));
            }
            computed.push(outputs);
        }
        Ok(kept)
    }
}

fn input(task: &Task, computed: &[Vec<Array>], source: Source) -> Result<Array, Error> {
    match source {
        Source::Leaf(leaf) => to_array(&task.leaves()[leaf as usize], task.spec(source)),
        Source::Step(step, output) => Ok(computed[step as usize][output as usize].clone()),
    }
}

fn outputs_of(step: &TaskStep, inputs: &[Array], task: &Task) -> Result<Vec<Array>, Error> {
    let input_specs: Vec<&Spec> = step
        .inputs()
        .iter()
        .map(|&source| task.spec(source))
        .collect();
    let outputs = reference_value(step.operation(), inputs, &input_specs, step.specs())
        .map_err(|error| error.at(step.place()))?;
    Ok(outputs
        .into_iter()
        .zip(step.specs())
        .map(|(array, spec)| round(array, spec.dtype()))
        .collect())
}

/// Rounds `f32` elements to the half type they stand for.
pub(crate) fn round(array: Array, dtype: DType) -> Array {
    match (&array.data, dtype) {
        (Data::F32(elements), DType::BF16) => {
            let rounded = elements
                .iter()
                .map(|&x| half::bf16::from_f32(x).to_f32())
                .collect();
            Array::new(array.shape, Data::F32(rounded))
        }
        (Data::F32(elements), DType::F16) => {
            let rounded = elements
                .iter()
                .map(|&x| half::f16::from_f32(x).to_f32())
                .collect();
            Array::new(array.shape, Data::F32(rounded))
        }
        _ => array,
    }
}

/// The outputs of one operation by its declaration alone.
pub(crate) fn reference_value(
    operation: &OperationRef,
    inputs: &[Array],
    input_specs: &[&Spec],
    specs: &[Spec],
) -> Result<Vec<Array>, Error> {
    Ok(match operation.evaluation() {
        Evaluation::Pointwise(leaf) => {
            vec![pointwise::single(leaf, inputs, input_specs, &specs[0])?]
        }
        Evaluation::Cast => vec![cast(&inputs[0], specs[0].dtype())],
        Evaluation::View(viewing) => {
            let contiguous = Layout::contiguous(inputs[0].shape.clone());
            let layout = viewing
                .view(&contiguous, &specs[0])
                .expect("a contiguous input can be viewed by every viewing primitive");
            vec![inputs[0].viewed(&layout)]
        }
        Evaluation::Reference(reference) => reference.value(inputs, specs)?,
        Evaluation::Body(body) => run_body(body, inputs, input_specs)?,
    })
}

/// Runs a composite's body on this backend.
fn run_body(
    body: &dyn crate::declare::Body,
    inputs: &[Array],
    input_specs: &[&Spec],
) -> Result<Vec<Array>, Error> {
    let leaves: Result<Vec<Tensor>, Error> = inputs
        .iter()
        .zip(input_specs)
        .map(|(array, spec)| {
            Ok(Tensor::constant_of(
                from_array(array.clone(), spec)?,
                (*spec).clone(),
            ))
        })
        .collect();
    let outputs = body.body(&leaves?);
    crate::graph::evaluate(&outputs.iter().collect::<Vec<_>>());
    outputs
        .iter()
        .map(|output| to_array(&output.known_value(), output.spec()))
        .collect()
}

fn cast(array: &Array, dtype: DType) -> Array {
    use super::Scalar;
    fn converted<S: Copy>(elements: &[S], scalar: impl Fn(S) -> Scalar, dtype: DType) -> Data {
        let cast = elements.iter().map(|&element| scalar(element).cast(dtype));
        match dtype {
            DType::F32 | DType::BF16 | DType::F16 => {
                Data::F32(cast.map(|s| s.to_f64() as f32).collect())
            }
            DType::F64 => Data::F64(cast.map(Scalar::to_f64).collect()),
            DType::I64 => Data::I64(cast.map(Scalar::to_i64).collect()),
            DType::I32 => Data::I32(cast.map(|s| s.to_i64() as i32).collect()),
            DType::U8 => Data::U8(cast.map(|s| s.to_i64() as u8).collect()),
            _ => Data::Bool(cast.map(|s| s.to_i64() != 0).collect()),
        }
    }
    let data = match &array.data {
        Data::F32(elements) => converted(elements, |x| Scalar::Float(x.into()), dtype),
        Data::F64(elements) => converted(elements, Scalar::Float, dtype),
        Data::I64(elements) => converted(elements, Scalar::Integer, dtype),
        Data::I32(elements) => converted(elements, |x| Scalar::Integer(x.into()), dtype),
        Data::U8(elements) => converted(elements, |x| Scalar::Integer(x.into()), dtype),
        Data::Bool(elements) => converted(elements, Scalar::Truth, dtype),
        Data::Sets(_) => array.data.clone(),
    };
    Array::new(&array.shape, data)
}
