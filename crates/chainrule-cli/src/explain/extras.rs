//! What is shown when it is asked for: paths, Jacobians, second derivatives, central differences.

use chainrule::view::Array;

/// Something for each variable, by its name.
pub type ByName<T> = Vec<(String, T)>;

/// What was asked for.
#[derive(Debug, Default)]
pub struct Extras {
    pub paths: Option<ByName<Paths>>,
    pub jacobian: Option<ByName<Array>>,
    pub hessian: Option<ByName<ByName<Array>>>,
    pub check: Option<ByName<Check>>,
}

/// The ways from an input to the result.
#[derive(Debug)]
pub struct Paths {
    /// The largest contributions first.
    pub shown: Vec<Path>,
    /// How many there are, in words.
    pub count: String,
    /// Whether `shown` is all of them.
    pub complete: bool,
}

/// One way from an input to the result, and its part of the derivative.
#[derive(Debug)]
pub struct Path {
    /// The nodes from the input to the result.
    pub nodes: Vec<usize>,
    pub contribution: Array,
}

/// A derivative beside central differences.
#[derive(Debug)]
pub struct Check {
    pub derivative: Array,
    pub differences: Array,
}

impl Check {
    /// The greatest difference, relative to the derivative's size where that exceeds 1.
    pub fn error(&self) -> f64 {
        let pairs = self
            .derivative
            .elements
            .iter()
            .zip(&self.differences.elements);
        pairs.fold(0.0, |worst: f64, (exact, near)| {
            let error = if exact == near {
                0.0
            } else {
                (exact - near).abs() / exact.abs().max(1.0)
            };
            // NaN counts as worst.
            if error > worst || error.is_nan() {
                error
            } else {
                worst
            }
        })
    }

    /// Whether both agree as far as differences can tell.
    pub fn agrees(&self) -> bool {
        self.error() < 1e-5
    }
}
