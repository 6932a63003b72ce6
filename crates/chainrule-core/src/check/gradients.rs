//! Every view of a declaration held against every other: the checks that the registry's test runs.

use super::higher;
use crate::declare::{Sample, SampleInput};
use crate::error::attempt;
use crate::graph::Device;
use crate::tensor::Tensor;
use crate::transforms::{grad, jvp, map_each, value_and_grad, vjp, vmap};
use chainrule_kernels::DType;

/// The step of central differences in `f64`: near the cube root of the rounding error.
const STEP: f64 = 6e-6;
/// What a central difference may be off by, relative to the size of what it measures.
const DIFFERENCE_TOLERANCE: f64 = 2e-7;

/// All findings on one sample: empty when the declaration holds.
///
/// Held against each other: the shape rule and the value; planned and plain execution; derivative and central
/// differences; forward and reverse mode; second derivative and differences of the first; `vmap` and a loop; narrow
/// dtypes and `f64`; a strided input and a contiguous one; Taylor mode and nested directions; the sparsity pattern and
/// the Jacobian.
pub fn sample(sample: &Sample) -> Vec<String> {
    let checks: [(&str, Check); 10] = [
        ("shape rule", shape_rule),
        ("planned against plain", planned_against_plain),
        ("strided input", strided_input),
        ("narrow dtypes", narrow_dtypes),
        ("derivative against differences", against_differences),
        ("forward against reverse", forward_against_reverse),
        ("second derivative against differences", second_order),
        ("vmap against a loop", vmap_against_loop),
        ("taylor against nesting", higher::taylor_against_nesting),
        ("pattern against Jacobian", higher::pattern_against_jacobian),
    ];
    let case = Case::of(sample);
    checks
        .iter()
        .filter_map(|(name, check)| {
            let outcome =
                attempt(|| check(&case)).unwrap_or_else(|error| Err(format!("{error:?}")));
            let finding = outcome.err()?;
            let shapes: Vec<String> = case
                .inputs
                .iter()
                .map(|input| input.shape().to_string())
                .collect();
            Some(format!(
                "{} on {}: {name}: {finding}",
                sample.operation.name(),
                shapes.join(" ")
            ))
        })
        .collect()
}

type Check = fn(&Case) -> Result<(), String>;

/// A sample with inputs in `f64`.
pub(super) struct Case<'a> {
    sample: &'a Sample,
    inputs: Vec<Tensor>,
    /// Which inputs are real.
    real: Vec<bool>,
}

/// Well spread fractions in `[0, 1)`, the same ones each time.
fn fraction(seed: usize, index: usize) -> f64 {
    let mut word = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (index as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03);
    for shift in [32, 29, 32] {
        word = (word ^ word >> shift).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    (word >> 11) as f64 / (1u64 << 53) as f64
}

fn materialised(input: &SampleInput, seed: usize) -> Tensor {
    match input {
        SampleInput::Real(shape, interval) => {
            let numbers: Vec<f64> = (0..shape.elements())
                .map(|index| interval.at(fraction(seed, index)))
                .collect();
            Tensor::from_vec(numbers, shape)
        }
        SampleInput::Distinct(shape) => {
            let count = shape.elements();
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by(|&a, &b| fraction(seed, a).total_cmp(&fraction(seed, b)));
            let numbers: Vec<f64> = order
                .into_iter()
                .map(|rank| (rank as f64 - count as f64 / 2.0) * 0.0625 + 0.03)
                .collect();
            Tensor::from_vec(numbers, shape)
        }
        SampleInput::Dominant(shape) => {
            let last = shape[shape.rank() - 1];
            let rows = shape[shape.rank() - 2];
            let added = |index: usize| {
                let (row, column) = (index / last % rows, index % last);
                let greatest = (last.max(rows) + 2 * row) as f64 * 0.5 + 0.5;
                if row == column { greatest } else { 0.0 }
            };
            let numbers: Vec<f64> = (0..shape.elements())
                .map(|index| fraction(seed, index) - 0.5 + added(index))
                .collect();
            Tensor::from_vec(numbers, shape)
        }
        SampleInput::Integers(shape, values) => Tensor::from_vec(values.clone(), shape),
        SampleInput::Truth(shape, values) => Tensor::from(values.clone()).shaped(shape),
    }
}

/// Random numbers of a tensor's shape, away from zero, to weigh with.
pub(super) fn weights(like: &Tensor, seed: usize) -> Tensor {
    let numbers: Vec<f64> = (0..like.elements())
        .map(|index| 0.5 + fraction(seed + 77, index))
        .collect();
    Tensor::from_vec(numbers, like.shape()).cast(like.dtype())
}

impl Case<'_> {
    fn of(sample: &Sample) -> Case<'_> {
        let inputs: Vec<Tensor> = sample
            .inputs
            .iter()
            .enumerate()
            .map(|(position, input)| materialised(input, position))
            .collect();
        Case {
            sample,
            real: inputs
                .iter()
                .map(|input| input.dtype().is_floating())
                .collect(),
            inputs,
        }
    }

    pub(super) fn run(&self, inputs: &[Tensor]) -> Vec<Tensor> {
        self.sample
            .operation
            .all_of(&inputs.iter().collect::<Vec<_>>())
            .into_vec()
    }

    pub(super) fn outputs(&self) -> Vec<Tensor> {
        self.run(&self.inputs)
    }

    pub(super) fn real_inputs(&self) -> Vec<Tensor> {
        self.inputs
            .iter()
            .zip(&self.real)
            .filter(|(_, real)| **real)
            .map(|(input, _)| input.clone())
            .collect()
    }

    /// All inputs, with `real` in the places of the real ones.
    pub(super) fn with_real(&self, real: &[Tensor]) -> Vec<Tensor> {
        let mut next = real.iter();
        let choose = |(input, is_real): (&Tensor, &bool)| match is_real {
            true => next
                .next()
                .expect("as many as there are real inputs")
                .clone(),
            false => input.clone(),
        };
        self.inputs.iter().zip(&self.real).map(choose).collect()
    }

    /// The real outputs weighed and summed: one number that every derivative check can use.
    fn weighed(&self, real: &[Tensor]) -> Tensor {
        let outputs = self.run(&self.with_real(real));
        let real_outputs = outputs
            .iter()
            .enumerate()
            .filter(|(_, output)| output.dtype().is_floating());
        let terms =
            real_outputs.map(|(position, output)| (output * weights(output, position)).sum(..));
        terms
            .reduce(|sum, term| sum + term)
            .expect("the operation has a real output")
    }

    pub(super) fn is_differentiable(&self) -> bool {
        use crate::declare::Derivative;
        let derivative = self.sample.operation.derivative();
        let differentiable = !matches!(
            derivative,
            Derivative::NotDifferentiable(_) | Derivative::Source
        );
        let fixed = |position: usize| match &derivative {
            Derivative::Linear(linear) => linear.is_fixed(position),
            _ => false,
        };
        let free = (0..self.inputs.len()).any(|position| self.real[position] && !fixed(position));
        differentiable
            && free
            && self
                .outputs()
                .iter()
                .any(|output| output.dtype().is_floating())
    }
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    if tensor.dtype().is_floating() {
        tensor.to_vec()
    } else {
        tensor.cast(DType::F64).to_vec()
    }
}

/// The largest difference between two tensors relative to the larger of 1 and their size.
pub(super) fn compare(
    what: &str,
    actual: &Tensor,
    expected: &Tensor,
    tolerance: f64,
) -> Result<(), String> {
    if actual.shape() != expected.shape() {
        return Err(format!(
            "{what}: shape {} instead of {}",
            actual.shape(),
            expected.shape()
        ));
    }
    let (actual, expected) = (numbers(actual), numbers(expected));
    let scale = expected
        .iter()
        .filter(|x| x.is_finite())
        .fold(1.0f64, |scale, x| scale.max(x.abs()));
    for (index, (a, e)) in actual.iter().zip(&expected).enumerate() {
        let same = a == e || (a.is_nan() && e.is_nan()) || (a - e).abs() <= tolerance * scale;
        if !same {
            return Err(format!("{what}: element {index} is {a:e}, expected {e:e}"));
        }
    }
    Ok(())
}

fn shape_rule(case: &Case) -> Result<(), String> {
    for (position, output) in case.outputs().iter().enumerate() {
        let count = output.scalars().len();
        if count != output.elements() {
            return Err(format!(
                "output {position} has {count} elements, the shape rule says {}",
                output.shape()
            ));
        }
    }
    Ok(())
}

/// How far planned and plain execution may differ: not at all where no kernel sums in another order.
fn order_tolerance(case: &Case, dtype: DType) -> f64 {
    use crate::declare::{Derivative, Evaluation};
    let operation = &case.sample.operation;
    let exact = match operation.evaluation() {
        Evaluation::Pointwise(_) | Evaluation::Cast | Evaluation::View(_) => true,
        Evaluation::Reference(_) => {
            matches!(
                operation.derivative(),
                Derivative::NotDifferentiable(_) | Derivative::Source
            )
        }
        Evaluation::Body(_) => false,
    };
    let precision = match dtype {
        DType::F64 => 1e-13,
        DType::F32 => 1e-5,
        DType::BF16 => 2e-2,
        _ => 3e-3,
    };
    if exact { 0.0 } else { precision }
}

fn planned_against_plain(case: &Case) -> Result<(), String> {
    for dtype in [DType::F64, DType::F32, DType::BF16, DType::F16] {
        let narrowed: Vec<Tensor> = case
            .real_inputs()
            .iter()
            .map(|input| input.cast(dtype))
            .collect();
        let inputs = case.with_real(&narrowed);
        let plain: Vec<Tensor> = inputs
            .iter()
            .map(|input| input.to_device(Device::PLAIN))
            .collect();
        for (planned, plain) in case.run(&inputs).iter().zip(case.run(&plain)) {
            let tolerance = order_tolerance(case, dtype);
            compare(
                &format!("{dtype}"),
                planned,
                &plain.to_device(Device::CPU),
                tolerance,
            )?;
        }
    }
    Ok(())
}

fn strided_input(case: &Case) -> Result<(), String> {
    let strided: Vec<Tensor> = case
        .inputs
        .iter()
        .map(|input| {
            if input.rank() < 2 {
                return input.clone();
            }
            let turned = input.transpose(0, -1);
            // A copy in turned order, seen straight again.
            let copy = Tensor::concat(&[&turned, &turned], 0).narrow(0, 0, turned.shape()[0]);
            copy.transpose(0, -1)
        })
        .collect();
    for (actual, expected) in case.run(&strided).iter().zip(case.outputs()) {
        compare("value", actual, &expected, 1e-13)?;
    }
    Ok(())
}

fn narrow_dtypes(case: &Case) -> Result<(), String> {
    for (dtype, tolerance) in [(DType::F32, 1e-4), (DType::BF16, 0.05), (DType::F16, 0.01)] {
        // Rounded inputs in both, so that only the operation's own precision counts.
        let narrow: Vec<Tensor> = case
            .real_inputs()
            .iter()
            .map(|input| input.cast(dtype))
            .collect();
        let wide: Vec<Tensor> = narrow.iter().map(|input| input.cast(DType::F64)).collect();
        let actual = case.run(&case.with_real(&narrow));
        let expected = case.run(&case.with_real(&wide));
        for (actual, expected) in actual.iter().zip(&expected) {
            compare(&format!("{dtype}"), actual, expected, tolerance)?;
        }
    }
    Ok(())
}

fn against_differences(case: &Case) -> Result<(), String> {
    if !case.is_differentiable() {
        return Ok(());
    }
    let real = case.real_inputs();
    let gradients = grad(|real: &Vec<Tensor>| case.weighed(real))(&real);
    for (position, gradient) in gradients.iter().enumerate() {
        let expected = differences(&real, position, |real| case.weighed(real).item());
        let expected = Tensor::from_vec(expected, real[position].shape());
        compare(
            &format!("gradient by input {position}"),
            gradient,
            &expected,
            DIFFERENCE_TOLERANCE,
        )?;
    }
    let moves = gradients
        .iter()
        .flat_map(|gradient| gradient.to_vec::<f64>())
        .any(|x| x != 0.0);
    let outputs = case.outputs();
    // A function that is flat on one side may meet a few elements there; on a whole sample it must move.
    let few = real
        .iter()
        .chain(&outputs)
        .any(|tensor| tensor.elements() < 4);
    let flat = matches!(
        case.sample.operation.derivative(),
        crate::declare::Derivative::Elementwise(_)
    ) && {
        // Rounding and the like are flat on purpose: their partial is the constant zero.
        gradients.iter().all(|gradient| gradient.is_absent())
    };
    if !moves && !few && !flat {
        return Err(
            "the derivative vanishes on the whole sample, so a wrong one would not show".to_owned(),
        );
    }
    if gradients.iter().any(|gradient| {
        gradient
            .to_vec::<f64>()
            .iter()
            .any(|x| x.abs() < 1e-9 && *x != 0.0)
    }) {
        return Err(
            "the derivative nearly vanishes somewhere on the sample: choose a better domain"
                .to_owned(),
        );
    }
    Ok(())
}

/// Central differences of `f` by every element of `inputs[position]`.
fn differences(inputs: &[Tensor], position: usize, f: impl Fn(&[Tensor]) -> f64) -> Vec<f64> {
    let numbers = inputs[position].to_vec::<f64>();
    let shape = inputs[position].shape();
    let moved = |element: usize, step: f64| {
        let mut numbers = numbers.clone();
        numbers[element] += step;
        let mut inputs = inputs.to_vec();
        inputs[position] = Tensor::from_vec(numbers, shape);
        f(&inputs)
    };
    (0..numbers.len())
        .map(|element| {
            // Two step sizes, combined so that the error of third order cancels.
            let near = (moved(element, STEP) - moved(element, -STEP)) / (2.0 * STEP);
            let wide = (moved(element, 2.0 * STEP) - moved(element, -2.0 * STEP)) / (4.0 * STEP);
            (4.0 * near - wide) / 3.0
        })
        .collect()
}

fn forward_against_reverse(case: &Case) -> Result<(), String> {
    if !case.is_differentiable() {
        return Ok(());
    }
    let real = case.real_inputs();
    let directions: Vec<Tensor> = real
        .iter()
        .enumerate()
        .map(|(seed, input)| weights(input, seed + 5))
        .collect();
    let f = |real: &Vec<Tensor>| -> Vec<Tensor> {
        let outputs = case.run(&case.with_real(real));
        outputs
            .into_iter()
            .filter(|output| output.dtype().is_floating())
            .collect()
    };
    let (outputs, tangents) = jvp(f, &real, &directions);
    let cotangents: Vec<Tensor> = outputs
        .iter()
        .enumerate()
        .map(|(seed, output)| weights(output, seed))
        .collect();
    let (_, pulled) = vjp(f, &real, |_| cotangents.clone());
    let inner = |a: &[Tensor], b: &[Tensor]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a * b).sum(..).item::<f64>())
            .sum()
    };
    let (forward, reverse) = (inner(&tangents, &cotangents), inner(&pulled, &directions));
    let scale = forward.abs().max(1.0);
    if (forward - reverse).abs() > 1e-11 * scale {
        return Err(format!(
            "<J v, u> is {forward:e} forward and {reverse:e} reverse"
        ));
    }
    Ok(())
}

fn second_order(case: &Case) -> Result<(), String> {
    if !case.is_differentiable() {
        return Ok(());
    }
    let real = case.real_inputs();
    let directions: Vec<Tensor> = real
        .iter()
        .enumerate()
        .map(|(seed, input)| weights(input, seed + 9))
        .collect();
    let slope = |real: &Vec<Tensor>| {
        let (_, gradients) = value_and_grad(|real: &Vec<Tensor>| case.weighed(real))(real);
        let terms = gradients
            .iter()
            .zip(&directions)
            .map(|(gradient, direction)| (gradient * direction).sum(..));
        terms
            .reduce(|sum, term| sum + term)
            .expect("there is a real input")
    };
    // A slope that is constant, as that of a linear operation, has a structural zero as its derivative.
    let (_, second) = value_and_grad(slope)(&real);
    let (_, forward) = jvp(
        grad(|real: &Vec<Tensor>| case.weighed(real)),
        &real,
        &directions,
    );
    for position in 0..real.len() {
        let expected = differences(&real, position, |real| slope(&real.to_vec()).item());
        let expected = Tensor::from_vec(expected, real[position].shape());
        let tolerance = 10.0 * DIFFERENCE_TOLERANCE;
        compare(
            &format!("reverse over reverse, input {position}"),
            &second[position],
            &expected,
            tolerance,
        )?;
        compare(
            &format!("forward over reverse, input {position}"),
            &forward[position],
            &second[position],
            1e-9,
        )?;
    }
    Ok(())
}

/// A batch of three variations of an input.
fn batch_of(input: &SampleInput, seed: usize) -> Tensor {
    let rows: Vec<Tensor> = (0..3)
        .map(|row| match input {
            SampleInput::Real(..) | SampleInput::Distinct(_) | SampleInput::Dominant(_) => {
                materialised(input, seed + 100 * row)
            }
            _ => materialised(input, seed),
        })
        .collect();
    Tensor::stack(&rows, 0)
}

fn vmap_against_loop(case: &Case) -> Result<(), String> {
    let count = case.inputs.len();
    let everything = vec![true; count];
    let single = (0..count).map(|chosen| (0..count).map(|position| position == chosen).collect());
    for batched in std::iter::once(everything).chain(single.filter(|_| count > 1)) {
        let batched: Vec<bool> = batched;
        if count == 0 {
            return Ok(());
        }
        let batches: Vec<Tensor> = case
            .sample
            .inputs
            .iter()
            .enumerate()
            .filter(|(position, _)| batched[*position])
            .map(|(position, input)| batch_of(input, position))
            .collect();
        let f = |batches: &Vec<Tensor>| -> Vec<Tensor> {
            let mut next = batches.iter();
            let inputs: Vec<Tensor> = (0..count)
                .map(|position| match batched[position] {
                    true => next.next().expect("one for each batched input").clone(),
                    false => case.inputs[position].clone(),
                })
                .collect();
            case.run(&inputs)
        };
        for (actual, expected) in vmap(f)(&batches).iter().zip(map_each(f)(&batches)) {
            compare(
                &format!("batched inputs {batched:?}"),
                actual,
                &expected,
                1e-12,
            )?;
        }
    }
    Ok(())
}
