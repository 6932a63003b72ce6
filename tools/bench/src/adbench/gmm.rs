//! ADBench's Gaussian mixture with a Wishart prior: the logarithm of its likelihood, and the gradient.

use super::read::Mixture;
use super::run::{Derivative, Objective};
use chainrule::prelude::*;
use std::f64::consts::PI;

/// Weights `[k]`, means `[k, d]` and inverse covariance factors `[k, d (d + 1) / 2]`.
type Parameters = (Tensor, Tensor, Tensor);

/// A mixture as tensors.
pub struct Gmm {
    parameters: Parameters,
    /// `[d, n]`: a column a point.
    points: Tensor,
    /// For each entry of a d × d factor its place among the k-th component's numbers and a zero behind them.
    places: Tensor,
    dimension: usize,
    gamma: f64,
    m: f64,
    /// What does not depend on the parameters.
    constant: f64,
}

impl Gmm {
    /// The mixture's tensors.
    pub fn new(mixture: &Mixture) -> Gmm {
        let (d, k, n) = (mixture.dimension, mixture.components, mixture.points);
        let (gamma, m) = (mixture.gamma, mixture.m as f64);
        let freedom = d as f64 + m + 1.0;
        let normaliser = freedom * d as f64 * (gamma.ln() - 0.5 * 2f64.ln())
            - log_multivariate_gamma(0.5 * freedom, d);
        let rows = |numbers: &[f64], shape: [usize; 2]| Tensor::from_vec(numbers.to_vec(), shape);
        Gmm {
            parameters: (
                Tensor::from(mixture.alphas.clone()),
                rows(&mixture.means, [k, d]),
                rows(&mixture.icf, [k, d * (d + 1) / 2]),
            ),
            points: evaluated(rows(&mixture.x, [n, d]).t()),
            places: Tensor::from(places_of_factor(d)),
            dimension: d,
            gamma,
            m,
            constant: -0.5 * (n * d) as f64 * (2.0 * PI).ln() - k as f64 * normaliser,
        }
    }

    /// Σ over points of log Σ over components of weight times density, plus the logarithm of the prior.
    fn log_likelihood(&self, (alphas, means, icf): &Parameters) -> Tensor {
        let (d, k) = (self.dimension, alphas.elements());
        let n = self.points.shape()[1];
        let log_diagonals = icf.narrow(1, 0, d);
        let diagonals = log_diagonals.exp();
        let below = icf.narrow(1, d, d * (d - 1) / 2);
        let sums = log_diagonals.sum(1);

        let zero = sums.zeros_like().unsqueeze(1);
        let factors = Tensor::concat(&[&diagonals, &below, &zero], 1)
            .index_select(1, &self.places)
            .reshape(Shape::from([k, d, d]));
        // L (x - μ) as L x - L μ: one product of matrices for all components and points.
        let moved = factors.flatten(0, 1).matmul(&self.points);
        let centres = factors.matmul(means.unsqueeze(2));
        let distances = (moved.reshape(Shape::from([k, d, n])) - centres)
            .square()
            .sum(1);
        let terms = (alphas + &sums).unsqueeze(1) - distances * 0.5;
        let likelihood = terms.logsumexp(0).sum(..) - alphas.logsumexp(..) * n as f64;

        let frobenius = diagonals.square().sum(..) + below.square().sum(..);
        let prior = frobenius * (0.5 * self.gamma * self.gamma) - sums.sum(..) * self.m;
        likelihood + prior + self.constant
    }
}

impl Objective for Gmm {
    fn value(&self) -> Vec<Tensor> {
        vec![self.log_likelihood(&self.parameters)]
    }

    fn derivative(&self) -> Derivative {
        let (_, (alphas, means, icf)) =
            value_and_grad(|parameters: &Parameters| self.log_likelihood(parameters))(
                &self.parameters,
            );
        Derivative::Gradient(vec![alphas, means, icf])
    }
}

fn evaluated(tensor: Tensor) -> Tensor {
    evaluate(&[&tensor]);
    tensor
}

/// Row by row, the place of each entry of a d × d lower triangular matrix among the numbers that a component is written as:
/// d of the diagonal, the others column by column, and one zero.
fn places_of_factor(d: usize) -> Vec<i64> {
    let zero = d * (d + 1) / 2;
    let mut places = vec![zero as i64; d * d];
    let mut next = d as i64;
    for column in 0..d {
        places[column * d + column] = column as i64;
        for row in column + 1..d {
            places[row * d + column] = next;
            next += 1;
        }
    }
    places
}

/// log of the multivariate gamma function of dimension `d`.
fn log_multivariate_gamma(a: f64, d: usize) -> f64 {
    let product: f64 = (0..d).map(|j| log_gamma(a - 0.5 * j as f64)).sum();
    0.25 * (d * (d - 1)) as f64 * PI.ln() + product
}

/// log Γ(x) for positive x: Stirling's series above 20, and below it the recurrence Γ(x + 1) = x Γ(x).
fn log_gamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < 20.0 {
        below += x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square)
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_gamma_of_factorials_and_halves() {
        assert!((log_gamma(1.0)).abs() < 1e-14);
        assert!((log_gamma(0.5) - 0.5 * PI.ln()).abs() < 1e-14);
        assert!((log_gamma(11.0) - 3_628_800f64.ln()).abs() < 1e-13);
        assert!((log_gamma(31.0) - (1..=30).map(|i| f64::from(i).ln()).sum::<f64>()).abs() < 1e-12);
    }

    #[test]
    fn factors_are_written_column_by_column() {
        assert_eq!(places_of_factor(3), [0, 6, 6, 3, 1, 6, 4, 5, 2]);
    }
}
