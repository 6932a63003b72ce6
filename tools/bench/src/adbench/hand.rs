//! ADBench's hand tracking: measured points less the posed hand's, and the dense Jacobian by forward mode.

use super::read::{FINGERS, Hand as Input, THETA};
use super::run::{Derivative, Objective};
use chainrule::prelude::*;

/// Numbers that a bone's rotation is made of; see [`Hand::rotation_terms`].
const TERMS: usize = 9;

/// A hand and the points measured on it as tensors.
pub struct Hand {
    theta: Tensor,
    /// `[points, 2]`, in `complicated`.
    us: Option<Tensor>,
    /// `[points, 3]`.
    measured: Tensor,
    /// The skeleton, roots first.
    levels: Vec<Level>,
    /// For the angles about x and about z of each bone, level by level, their places in the pose and a zero behind it.
    angles: [Tensor; 2],
    /// `[bones, 9, 16]`: how the terms of a bone's rotation make its transform relative to its parent.
    relative: Tensor,
    /// `[vertices, bones * 4]`: how the bones' transforms make the vertices, those that a measured point lies on.
    skin: Tensor,
    /// Of each corner of a point's triangle, or of the point itself, the place among the vertices.
    corners: Vec<Tensor>,
}

/// The bones that are equally far from their root.
struct Level {
    /// How many they are.
    bones: usize,
    /// Their parents' places in the level before; none at the roots.
    parents: Option<Tensor>,
}

impl Hand {
    /// The hand's tensors.
    pub fn new(input: &Input) -> Hand {
        let bones = &input.model.bones;
        let by_level = bones_by_level(input);
        let order: Vec<usize> = by_level.concat();
        let angles = pose_places(bones.len());
        let place = |axis: usize| {
            Tensor::from(
                order
                    .iter()
                    .map(|&bone| angles[bone][axis] as i64)
                    .collect::<Vec<i64>>(),
            )
        };
        let relative = order
            .iter()
            .flat_map(|&bone| relative_by_terms(&bones[bone].relative));
        let (vertices, corners) = vertices_of_points(input);
        let skin = vertices
            .iter()
            .flat_map(|&vertex| skin_row(input, vertex, &order));
        Hand {
            theta: Tensor::from(input.theta.clone()),
            us: (!input.us.is_empty())
                .then(|| Tensor::from_vec(input.us.clone(), [input.us.len() / 2, 2])),
            measured: Tensor::from_vec(input.points.concat(), [input.points.len(), 3]),
            levels: levels(input, &by_level),
            angles: [place(0), place(1)],
            relative: Tensor::from_vec(relative.collect(), [bones.len(), TERMS, 16]),
            skin: Tensor::from_vec(skin.collect(), [vertices.len(), 4 * bones.len()]),
            corners: corners.into_iter().map(Tensor::from).collect(),
        }
    }

    /// `[points, 3]`: what was measured less where the posed hand has it.
    fn errors(&self, theta: &Tensor, us: Option<&Tensor>) -> Tensor {
        let bones = self.absolute_transforms(theta);
        let rest = self.skin.matmul(bones);
        let vertices = rest.matmul(rotation(&theta.narrow(0, 0, 3)).t()) + theta.narrow(0, 3, 3);
        let corner = |i: usize| vertices.index_select(0, &self.corners[i]);
        let Some(us) = us else {
            return &self.measured - corner(0);
        };
        let (u, v) = (us.narrow(1, 0, 1), us.narrow(1, 1, 1));
        let third = 1.0 - &u - &v;
        &self.measured - (u * corner(0) + v * corner(1) + third * corner(2))
    }

    /// `[bones * 4, 3]`: the bones' absolute transforms, each transposed and without its constant column.
    fn absolute_transforms(&self, theta: &Tensor) -> Tensor {
        let terms = self.rotation_terms(theta);
        let relative = terms.matmul(&self.relative).reshape([-1, 4, 4]);
        let mut levels: Vec<Tensor> = Vec::new();
        let mut first = 0;
        for level in &self.levels {
            let own = relative.narrow(0, first, level.bones);
            first += level.bones;
            levels.push(match (levels.last(), &level.parents) {
                (Some(before), Some(parents)) => own.matmul(before.index_select(0, parents)),
                _ => own,
            });
        }
        Tensor::concat(&levels, 0).narrow(2, 0, 3).flatten(0, 1)
    }

    /// `[bones, 1, 9]`: the entries of Rz(b) Rx(a) up to their signs, and a one, for each bone's angles a and b.
    fn rotation_terms(&self, theta: &Tensor) -> Tensor {
        let zero = theta.narrow(0, 0, 1).zeros_like();
        let pose = Tensor::concat(&[theta, &zero], 0);
        let [x, z] = [0, 1].map(|axis| pose.index_select(0, &self.angles[axis]));
        let (cx, sx, cz, sz) = (x.cos(), x.sin(), z.cos(), z.sin());
        let terms = [
            &sz * &cx,
            &sz * &sx,
            &cz * &cx,
            &cz * &sx,
            x.ones_like(),
            cx,
            sx,
            cz,
            sz,
        ];
        Tensor::stack(&terms, 1).unsqueeze(1)
    }
}

/// The rotation matrix `[3, 3]` of an axis times an angle; below an angle of 1e-4 it is the identity.
fn rotation(axis: &Tensor) -> Tensor {
    let square = axis.square().sum(..);
    let still = square.sqrt().lt(1e-4);
    let angle = still.where_(1.0, &square).sqrt();
    let (sine, cosine) = (angle.sin(), angle.cos());
    let axis = axis / &angle;
    let identity = Tensor::eye(3).cast(DType::F64);
    let outer = axis.unsqueeze(1) * &axis;
    // Each column of the cross product's matrix is the axis times a unit vector.
    let places = Tensor::from(vec![3i64, 2, 1, 2, 3, 0, 1, 0, 3]);
    let signs = Tensor::from(vec![0.0, -1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 1.0, 0.0]);
    let padded = Tensor::concat(&[&axis, &angle.zeros_like().unsqueeze(0)], 0);
    let cross = (padded.index_select(0, &places) * signs).reshape([3, 3]);
    let turned = &outer + (&identity - &outer) * cosine + cross * sine;
    still.where_(&identity, turned)
}

impl Objective for Hand {
    fn value(&self) -> Vec<Tensor> {
        vec![self.errors(&self.theta, self.us.as_ref())]
    }

    /// One column a number of the pose, all in one batch of forward passes. A point's own barycentric coordinates move only that
    /// point: two more directions, along all first and along all second coordinates, hold these columns of all points.
    fn derivative(&self) -> Derivative {
        let tangents = match &self.us {
            None => vmap(|direction: &Tensor| {
                jvp(
                    |theta: &Tensor| self.errors(theta, None),
                    &self.theta,
                    direction,
                )
                .1
            })(&Tensor::eye(THETA).cast(DType::F64)),
            Some(us) => {
                let seeds = Tensor::eye(2 + THETA).cast(DType::F64);
                vmap(|seed: &Tensor| {
                    let direction = (
                        seed.narrow(0, 2, THETA),
                        seed.narrow(0, 0, 2).expand(us.shape().clone()),
                    );
                    let errors = |(theta, us): &(Tensor, Tensor)| self.errors(theta, Some(us));
                    jvp(errors, &(self.theta.clone(), us.clone()), &direction).1
                })(&seeds)
            }
        };
        Derivative::Columns(tangents.flatten(1, 2))
    }
}

/// The bones, grouped by how many bones lie between them and their root.
fn bones_by_level(input: &Input) -> Vec<Vec<usize>> {
    let mut depths: Vec<usize> = Vec::new();
    let mut by_level: Vec<Vec<usize>> = Vec::new();
    for (bone, of) in input.model.bones.iter().enumerate() {
        let depth = of.parent.map_or(0, |parent| depths[parent] + 1);
        depths.push(depth);
        if by_level.len() == depth {
            by_level.push(Vec::new());
        }
        by_level[depth].push(bone);
    }
    by_level
}

fn levels(input: &Input, by_level: &[Vec<usize>]) -> Vec<Level> {
    let place = |level: usize, bone: usize| {
        let parent = input.model.bones[bone].parent?;
        by_level[level - 1]
            .iter()
            .position(|&before| before == parent)
            .map(|at| at as i64)
    };
    let level = |(i, bones): (usize, &Vec<usize>)| Level {
        bones: bones.len(),
        parents: bones
            .iter()
            .map(|&bone| place(i, bone))
            .collect::<Option<Vec<i64>>>()
            .map(Tensor::from),
    };
    by_level.iter().enumerate().map(level).collect()
}

/// For each bone the places in the pose of its angles about x and z. A finger bends at three bones, and at the first of them it
/// also spreads; the other bones are stiff: their angles are the zero behind the pose.
fn pose_places(bones: usize) -> Vec<[usize; 2]> {
    let mut places = vec![[THETA; 2]; bones];
    for finger in 0..FINGERS {
        let (bone, angle) = (2 + 4 * finger, 6 + 4 * finger);
        places[bone] = [angle, angle + 1];
        places[bone + 1] = [angle + 2, THETA];
        places[bone + 2] = [angle + 3, THETA];
    }
    places
}

/// `[9, 16]`: a bone's transform times each of the matrices whose combination by the terms is Rz(b) Rx(a), transposed.
fn relative_by_terms(relative: &[f64; 16]) -> Vec<f64> {
    // Term, row, column, sign of each entry of the rotation; term 4 is the one.
    let entries = [
        (7, 0, 0, 1.0),
        (0, 0, 1, -1.0),
        (1, 0, 2, 1.0),
        (8, 1, 0, 1.0),
        (2, 1, 1, 1.0),
        (3, 1, 2, -1.0),
        (6, 2, 1, 1.0),
        (5, 2, 2, 1.0),
        (4, 3, 3, 1.0),
    ];
    let mut terms = vec![0.0; TERMS * 16];
    for (term, row, column, sign) in entries {
        for i in 0..4 {
            terms[16 * term + 4 * column + i] += sign * relative[4 * i + row];
        }
    }
    terms
}

/// The vertices that points lie on, each once, and for each corner of a point's triangle its place among them.
fn vertices_of_points(input: &Input) -> (Vec<usize>, Vec<Vec<i64>>) {
    let corners: Vec<Vec<usize>> = if input.us.is_empty() {
        vec![input.correspondences.clone()]
    } else {
        let triangles = &input.model.triangles;
        let corner = |i: usize| {
            input
                .correspondences
                .iter()
                .map(move |&triangle| triangles[triangle][i])
                .collect()
        };
        (0..3).map(corner).collect()
    };
    let mut vertices: Vec<usize> = corners.concat();
    vertices.sort_unstable();
    vertices.dedup();
    let place = |vertex: &usize| {
        vertices
            .binary_search(vertex)
            .expect("every corner is listed") as i64
    };
    let places = corners
        .iter()
        .map(|corner| corner.iter().map(place).collect())
        .collect();
    (vertices, places)
}

/// For each bone in `order` the vertex at rest, as that bone sees it, times the bone's weight: a row of `[bones, 4]`.
fn skin_row(input: &Input, vertex: usize, order: &[usize]) -> Vec<f64> {
    let vertex = &input.model.vertices[vertex];
    let [x, y, z] = vertex.position;
    let mut row = vec![0.0; 4 * order.len()];
    for &(bone, weight) in &vertex.weights {
        let at = order
            .iter()
            .position(|&listed| listed == bone)
            .expect("every bone is listed");
        let inverse = &input.model.bones[bone].inverse_absolute;
        for i in 0..4 {
            let seen = inverse[4 * i] * x
                + inverse[4 * i + 1] * y
                + inverse[4 * i + 2] * z
                + inverse[4 * i + 3];
            row[4 * at + i] = weight * seen;
        }
    }
    row
}
