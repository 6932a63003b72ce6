//! The inputs on which the checks try a declaration.

use super::OperationRef;
use crate::shape::Shape;

/// Where a real operand is sampled: an interval, possibly without the neighbourhood of some points.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    low: f64,
    high: f64,
    gap: Option<f64>,
}

impl Interval {
    /// From `low` to `high`.
    pub const fn new(low: f64, high: f64) -> Interval {
        Interval {
            low,
            high,
            gap: None,
        }
    }

    /// The same interval, keeping at least 0.05 away from `point`, where the function has a kink or pole.
    pub const fn except(self, point: f64) -> Interval {
        Interval {
            gap: Some(point),
            ..self
        }
    }

    /// The number of the interval that belongs to `fraction` in `[0, 1)`.
    pub fn at(&self, fraction: f64) -> f64 {
        let value = self.low + fraction * (self.high - self.low);
        match self.gap {
            Some(point) if (value - point).abs() < 0.05 => {
                let away = if value >= point { 0.05 } else { -0.05 };
                point + away * (1.0 + fraction)
            }
            _ => value,
        }
    }
}

/// One operand of a sample.
#[derive(Clone, Debug)]
pub enum SampleInput {
    /// Floating point, drawn from the interval.
    Real(Shape, Interval),
    /// Floating point, all elements different by at least 0.05, in random order: for operations that choose by value.
    Distinct(Shape),
    /// Floating point matrices (the last two axes) that are far from singular: elements between -0.5 and 0.5, with
    /// ascending numbers that exceed the rest of each row added to the diagonal. The symmetric part is positive definite.
    Dominant(Shape),
    /// Integers as given.
    Integers(Shape, Vec<i64>),
    /// Truth values as given.
    Truth(Shape, Vec<bool>),
}

/// An instance of an operation with inputs for it.
#[derive(Clone)]
pub struct Sample {
    /// The operation, with attributes.
    pub operation: OperationRef,
    /// Its inputs.
    pub inputs: Vec<SampleInput>,
}

impl Sample {
    /// A sample without inputs yet.
    pub fn new(operation: OperationRef) -> Sample {
        Sample {
            operation,
            inputs: Vec::new(),
        }
    }

    fn with(mut self, input: SampleInput) -> Sample {
        self.inputs.push(input);
        self
    }

    /// Adds a real input from -2 to 2.
    pub fn input(self, shape: impl Into<Shape>) -> Sample {
        self.input_in(shape, Interval::new(-2.0, 2.0))
    }

    /// Adds a real input from `interval`.
    pub fn input_in(self, shape: impl Into<Shape>, interval: Interval) -> Sample {
        self.with(SampleInput::Real(shape.into(), interval))
    }

    /// Adds a real input without ties.
    pub fn distinct(self, shape: impl Into<Shape>) -> Sample {
        self.with(SampleInput::Distinct(shape.into()))
    }

    /// Adds matrices that are far from singular.
    pub fn dominant(self, shape: impl Into<Shape>) -> Sample {
        self.with(SampleInput::Dominant(shape.into()))
    }

    /// Adds an integer input.
    pub fn integers(self, shape: impl Into<Shape>, values: impl Into<Vec<i64>>) -> Sample {
        self.with(SampleInput::Integers(shape.into(), values.into()))
    }

    /// Adds a truth-valued input.
    pub fn truth(self, shape: impl Into<Shape>, values: impl Into<Vec<bool>>) -> Sample {
        self.with(SampleInput::Truth(shape.into(), values.into()))
    }
}
