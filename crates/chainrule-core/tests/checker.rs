//! The checker is checked: declarations that are wrong in one way each must be rejected.

use chainrule_core::check::gradients;
use chainrule_core::declare::{
    Array, Batch, Derivative, Elementwise, Entry, Evaluation, Interval, Linear, Multilinear,
    OperationRef, PartialRule, Primitive, Reference, Routed, Sample, Shift, Specs, one, operation,
};
use chainrule_core::error::Mismatch;
use chainrule_core::{Error, Spec, Tensor, family};
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! {
    RightConstant, WrongConstant, WrongSign, MissingInput, VanishingDomain, WrongTranspose, WrongBatchAxis, WrongRoute, WrongShape
}

macro_rules! elementwise {
    ($name:ident, $text:literal, $leaf:ident, $arity:literal, $partials:expr, $domain:expr) => {
        struct $name;
        impl Elementwise<$arity> for $name {
            const NAME: &'static str = $text;
            const LEAF: &'static Leaf = &math::$leaf;
            const PARTIALS: PartialRule<$arity> = PartialRule::Each($partials);
            const DOMAIN: [Interval; $arity] = $domain;
        }
    };
}

const NEAR: Interval = Interval::new(-1.5, 1.5);

elementwise!(
    RightConstant,
    "right",
    ERF,
    1,
    [|[x], _| (-x.square()).exp() * std::f64::consts::FRAC_2_SQRT_PI],
    [NEAR]
);
elementwise!(
    WrongConstant,
    "wrong_constant",
    ERF,
    1,
    [|[x], _| (-x.square()).exp() * 1.129],
    [NEAR]
);
elementwise!(WrongSign, "wrong_sign", COS, 1, [|[x], _| x.sin()], [NEAR]);
elementwise!(
    MissingInput,
    "missing_input",
    MUL,
    2,
    [|[_, b], _| b.clone(), |[a, _], _| a.zeros_like()],
    [NEAR, NEAR]
);
// Where erf' vanishes any formula that vanishes would pass.
elementwise!(
    VanishingDomain,
    "vanishing_domain",
    ERF,
    1,
    [|[x], _| (-x.square()).exp() * 5.0],
    [Interval::new(7.0, 9.0)]
);

/// What the primitives below share: a matrix in, reversed rows, sums or maxima out.
macro_rules! primitive {
    ($name:ident, $text:literal, $shape:expr, $derivative:ident, $sample:expr) => {
        #[derive(Clone, PartialEq, Eq, Hash)]
        struct $name {
            axis: usize,
        }
        impl Primitive for $name {
            fn name(&self) -> &'static str {
                $text
            }
            fn formula(&self) -> &'static str {
                "a declaration with one mistake"
            }
            fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
                let shape: fn(&$name, &Spec) -> Spec = $shape;
                one(shape(self, inputs[0]))
            }
            fn evaluation(&self) -> Evaluation<'_> {
                Evaluation::Reference(self)
            }
            fn derivative(&self) -> Derivative<'_> {
                Derivative::$derivative(self)
            }
            fn batch(&self) -> Batch<'_> {
                Batch::ShiftAxes(self)
            }
            fn samples() -> Vec<Sample> {
                let sample: fn(OperationRef) -> Sample = $sample;
                vec![sample(operation($name { axis: 0 }))]
            }
        }
    };
}

fn without_axis(spec: &Spec, axis: usize) -> Spec {
    spec.with_shape(spec.shape().without_axis(axis))
}

/// Sums or maxima over axis 0 or 1 of a matrix, or over axis 1 or 2 of a batch of matrices, in `f32` or `f64`.
fn folded(input: &Array, axis: usize, fold: fn(f64, f64) -> f64, start: f64) -> Array {
    use chainrule_core::declare::Data;
    let numbers: Vec<f64> = match &input.data {
        Data::F32(numbers) => numbers.iter().map(|&x| x.into()).collect(),
        Data::F64(numbers) => numbers.clone(),
        _ => panic!("real numbers only"),
    };
    let inner: usize = input.shape[axis + 1..].iter().product();
    let outer: usize = input.shape[..axis].iter().product();
    let extent = input.shape[axis];
    let result = (0..outer * inner).map(|at| {
        let (block, lane) = (at / inner, at % inner);
        (0..extent)
            .map(|k| numbers[(block * extent + k) * inner + lane])
            .fold(start, fold)
    });
    let shape = input.shape.without_axis(axis);
    match &input.data {
        Data::F32(_) => Array::new(shape, Data::F32(result.map(|x| x as f32).collect())),
        _ => Array::new(shape, Data::F64(result.collect())),
    }
}

fn expanded(cotangent: &Tensor, like: &Tensor, axis: usize) -> Tensor {
    cotangent.unsqueeze(axis as isize).expand(like.shape())
}

primitive!(
    WrongTranspose,
    "wrong_transpose",
    |this, spec| without_axis(spec, this.axis),
    Multilinear,
    |op| Sample::new(op).input([3, 3])
);

impl Reference for WrongTranspose {
    fn value(&self, inputs: &[Array], _specs: &[Spec]) -> Result<Vec<Array>, Error> {
        Ok(vec![folded(&inputs[0], self.axis, |a, b| a + b, 0.0)])
    }
}

impl Multilinear for WrongTranspose {
    /// Spreads over the other axis: the transpose of another map of the same shapes.
    fn transpose(&self, _argument: usize, inputs: &[Tensor], cotangent: &Tensor) -> Tensor {
        expanded(cotangent, &inputs[0], self.axis).t()
    }
}

impl Shift for WrongTranspose {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(WrongTranspose {
            axis: self.axis + 1,
        })
    }
}

primitive!(
    WrongBatchAxis,
    "wrong_batch_axis",
    |this, spec| without_axis(spec, this.axis),
    Linear,
    |op| Sample::new(op).input([3, 3])
);

impl Reference for WrongBatchAxis {
    fn value(&self, inputs: &[Array], _specs: &[Spec]) -> Result<Vec<Array>, Error> {
        Ok(vec![folded(&inputs[0], self.axis, |a, b| a + b, 0.0)])
    }
}

impl Linear for WrongBatchAxis {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }
    fn transpose(
        &self,
        _argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        expanded(cotangents[0].as_ref().unwrap(), &inputs[0], self.axis)
    }
}

impl Shift for WrongBatchAxis {
    /// Forgets that the batch comes first, and moves by two.
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(WrongBatchAxis {
            axis: self.axis + 2,
        })
    }
}

primitive!(
    WrongRoute,
    "wrong_route",
    |this, spec| without_axis(spec, this.axis),
    Routed,
    |op| Sample::new(op).distinct([3, 4])
);

impl Reference for WrongRoute {
    fn value(&self, inputs: &[Array], _specs: &[Spec]) -> Result<Vec<Array>, Error> {
        Ok(vec![folded(
            &inputs[0],
            self.axis,
            f64::max,
            f64::NEG_INFINITY,
        )])
    }
}

impl Routed for WrongRoute {
    /// Follows the least elements instead of the greatest.
    fn route(&self, inputs: &[Tensor], _outputs: &[Tensor]) -> Tensor {
        let x = inputs[0].stop_gradient();
        let least = expanded(&x.min(self.axis as isize), &x, self.axis);
        x.eq(least).where_(x.ones_like(), x.zeros_like())
    }
    fn apply(&self, route: &Tensor, tangents: &[Tensor]) -> Tensor {
        (route * &tangents[0]).sum(self.axis as isize)
    }
    fn transpose(
        &self,
        route: &Tensor,
        _argument: usize,
        inputs: &[Tensor],
        cotangent: &Tensor,
    ) -> Tensor {
        route * expanded(cotangent, &inputs[0], self.axis)
    }
}

impl Shift for WrongRoute {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(WrongRoute {
            axis: self.axis + 1,
        })
    }
}

primitive!(
    WrongShape,
    "wrong_shape",
    |_, spec| spec.with_shape([spec.shape()[1]]),
    Linear,
    |op| Sample::new(op).input([2, 4])
);

impl Reference for WrongShape {
    /// Sums over axis 1, so there is one number a row, and not one a column as the shape rule says.
    fn value(&self, inputs: &[Array], _specs: &[Spec]) -> Result<Vec<Array>, Error> {
        Ok(vec![folded(&inputs[0], 1, |a, b| a + b, 0.0)])
    }
}

impl Linear for WrongShape {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }
    fn transpose(
        &self,
        _argument: usize,
        inputs: &[Tensor],
        _cotangents: &[Option<Tensor>],
    ) -> Tensor {
        inputs[0].ones_like()
    }
}

impl Shift for WrongShape {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(self.clone())
    }
}

fn findings(name: &str) -> Vec<String> {
    let of_entry = |entry: &Entry| {
        (entry.samples)()
            .iter()
            .flat_map(gradients::sample)
            .collect::<Vec<_>>()
    };
    let entry = ALL
        .iter()
        .find(|entry| (entry.samples)()[0].operation.name() == name);
    of_entry(entry.expect("the declaration is in the family"))
}

#[test]
fn a_right_declaration_passes() {
    assert_eq!(findings("right"), Vec::<String>::new());
}

#[test]
fn every_mistake_is_found_by_the_check_for_it() {
    for (name, check) in [
        ("wrong_constant", "derivative against differences"),
        ("wrong_sign", "derivative against differences"),
        ("missing_input", "derivative against differences"),
        ("vanishing_domain", "vanishes"),
        ("wrong_transpose", "derivative against differences"),
        ("wrong_batch_axis", "vmap against a loop"),
        ("wrong_route", "derivative against differences"),
        ("wrong_shape", "wrong_shape"),
    ] {
        let found = findings(name);
        assert!(
            found.iter().any(|finding| finding.contains(check)),
            "{name}: {found:?}"
        );
    }
}
