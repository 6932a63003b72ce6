//! ADBench's bundle adjustment: the errors of reprojection and of the weights, and their sparse Jacobian.

use super::read::{BundleAdjustment, CAMERA, POINT};
use super::run::{Derivative, Objective, Sparse};
use chainrule::prelude::*;
use std::rc::Rc;

/// The numbers that one observation's errors depend on: its camera, its point and its weight.
const INPUTS: usize = CAMERA + POINT + 1;

/// A bundle adjustment as tensors.
pub struct Ba {
    /// `[n, 11]`, `[m, 3]` and `[p]`.
    parameters: (Tensor, Tensor, Tensor),
    /// The camera and the point of each observation.
    observations: (Tensor, Tensor),
    /// Across and down, `[p]` each.
    features: [Tensor; 2],
    shape: [usize; 2],
    places: Rc<[(usize, usize)]>,
}

impl Ba {
    /// The bundle adjustment's tensors.
    pub fn new(ba: &BundleAdjustment) -> Ba {
        let (n, m, p) = (ba.cameras.len(), ba.points.len(), ba.weights.len());
        let index = |position: fn(&(usize, usize)) -> usize| {
            let positions = ba.observations.iter().map(position);
            Tensor::from(positions.map(|i| i as i64).collect::<Vec<i64>>())
        };
        let feature =
            |axis: usize| Tensor::from(ba.features.iter().map(|x| x[axis]).collect::<Vec<f64>>());
        Ba {
            parameters: (
                matrix(&ba.cameras),
                matrix(&ba.points),
                Tensor::from(ba.weights.clone()),
            ),
            observations: (index(|pair| pair.0), index(|pair| pair.1)),
            features: [feature(0), feature(1)],
            shape: [3 * p, CAMERA * n + POINT * m + p],
            places: places(ba).into(),
        }
    }

    /// What each observation's errors depend on: [`INPUTS`] tensors of `[p]`.
    fn inputs(&self) -> Vec<Tensor> {
        let (cameras, points, weights) = &self.parameters;
        let (camera_of, point_of) = &self.observations;
        // Whole rows are gathered, and then seen as columns: faster than to gather from each column.
        let cameras = cameras.index_select(0, camera_of).t();
        let points = points.index_select(0, point_of).t();
        let mut inputs: Vec<Tensor> = cameras.rows().chain(points.rows()).collect();
        inputs.push(weights.clone());
        inputs
    }

    /// An observation's errors across and down: weight times (projected point less feature).
    fn reprojection_errors(&self, inputs: &[Tensor]) -> [Tensor; 2] {
        let [
            r1,
            r2,
            r3,
            c1,
            c2,
            c3,
            focal,
            u0,
            v0,
            k1,
            k2,
            x1,
            x2,
            x3,
            weight,
        ] = inputs
        else {
            unreachable!("an observation has {INPUTS} inputs");
        };
        let [x, y, z] = rotated([r1, r2, r3], [&(x1 - c1), &(x2 - c2), &(x3 - c3)]);
        let (x, y) = (&x / &z, &y / &z);
        let square = x.square() + y.square();
        let distortion = k1 * &square + k2 * square.square() + 1.0;
        let scale = focal * distortion;
        let [u, v] = &self.features;
        [
            weight * (x * &scale + u0 - u),
            weight * (y * &scale + v0 - v),
        ]
    }
}

/// Rodrigues' rotation of `v` about `r` by the angle |r|; at no angle its limit, which has a derivative there too.
fn rotated(r: [&Tensor; 3], v: [&Tensor; 3]) -> [Tensor; 3] {
    let square = r[0].square() + r[1].square() + r[2].square();
    let still = square.eq(0.0);
    // The square root has no derivative at zero: where there is no angle, another one is taken and not used.
    let angle = still.where_(1.0, &square).sqrt();
    let cosine = still.where_(1.0, angle.cos());
    let sine = still.where_(1.0, angle.sin() / &angle);
    let along = (r[0] * v[0] + r[1] * v[1] + r[2] * v[2])
        * still.where_(0.0, (1.0 - angle.cos()) / angle.square());
    [(0, 1, 2), (1, 2, 0), (2, 0, 1)].map(|(i, j, k)| {
        let cross = r[j] * v[k] - r[k] * v[j];
        v[i] * &cosine + cross * &sine + r[i] * &along
    })
}

fn weight_errors(weights: &Tensor) -> Tensor {
    1.0 - weights.square()
}

impl Objective for Ba {
    fn value(&self) -> Vec<Tensor> {
        let errors = self.reprojection_errors(&self.inputs());
        vec![Tensor::stack(&errors, 1), weight_errors(&self.parameters.2)]
    }

    /// No observation's errors depend on another's inputs, so one reverse pass from all errors across, and one from all errors
    /// down, hold the whole Jacobian: rows that share no column are compressed into one. It is what a colouring finds
    /// (see the test), written out: the passes then leave out all that is zero, and nothing is put in order.
    fn derivative(&self) -> Derivative {
        let inputs = self.inputs();
        let mut values = Vec::new();
        for row in 0..2 {
            let errors = |inputs: &Vec<Tensor>| self.reprojection_errors(inputs)[row].clone();
            let (_, slopes) = vjp(errors, &inputs, Tensor::ones_like);
            values.extend(slopes);
        }
        let (_, slopes) = vjp(weight_errors, &self.parameters.2, Tensor::ones_like);
        values.push(slopes);
        Derivative::Sparse(Sparse {
            shape: self.shape,
            places: self.places.clone(),
            values,
        })
    }
}

fn matrix<const N: usize>(rows: &[[f64; N]]) -> Tensor {
    Tensor::from_vec(rows.concat(), [rows.len(), N])
}

/// Rows and columns of the Jacobian's entries in the order of the derivative: error by error, input by input, observation by
/// observation; then the weights.
fn places(ba: &BundleAdjustment) -> Vec<(usize, usize)> {
    let points = CAMERA * ba.cameras.len();
    let weights = points + POINT * ba.points.len();
    let mut places = Vec::new();
    for error in 0..2 {
        for input in 0..INPUTS {
            places.extend(
                ba.observations
                    .iter()
                    .enumerate()
                    .map(|(i, (camera, point))| {
                        let column = match input {
                            0..CAMERA => CAMERA * camera + input,
                            CAMERA..14 => points + POINT * point + input - CAMERA,
                            _ => weights + i,
                        };
                        (2 * i + error, column)
                    }),
            );
        }
    }
    let p = ba.weights.len();
    places.extend((0..p).map(|i| (2 * p + i, weights + i)));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jacobian_is_what_a_colouring_finds() {
        let (n, m, p) = (3, 4, 7);
        let number = |seed: usize| (0.7 * seed as f64).sin();
        let input = BundleAdjustment {
            cameras: (0..n)
                .map(|i| std::array::from_fn(|j| number(i * 11 + j)))
                .collect(),
            points: (0..m)
                .map(|i| std::array::from_fn(|j| number(i * 3 + j + 40)))
                .collect(),
            weights: (0..p).map(|i| number(i + 60)).collect(),
            features: (0..p).map(|i| [number(i + 70), number(i + 80)]).collect(),
            observations: (0..p).map(|i| (i % n, i % m)).collect(),
        };
        let ba = Ba::new(&input);
        let errors = |parameters: &(Tensor, Tensor, Tensor)| {
            Ba {
                parameters: parameters.clone(),
                ..Ba::new(&input)
            }
            .value()
        };
        let expected = chainrule::sparse_jacobian(errors, &ba.parameters).to_dense();
        let expected = expected.to_vec::<f64>();

        let Derivative::Sparse(sparse) = ba.derivative() else {
            panic!("a sparse Jacobian");
        };
        let values = sparse.values.iter().flat_map(Tensor::to_vec::<f64>);
        let mut dense = vec![0.0; expected.len()];
        for (&(row, column), value) in sparse.places.iter().zip(values) {
            dense[row * sparse.shape[1] + column] += value;
        }
        let scale = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        for (i, (ours, expected)) in dense.iter().zip(&expected).enumerate() {
            let place = [i / sparse.shape[1], i % sparse.shape[1]];
            assert!(
                (ours - expected).abs() < 1e-12 * scale,
                "{place:?}: {ours}, expected {expected}"
            );
        }
    }
}
