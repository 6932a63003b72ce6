//! Hand tracking: `points parameters`; for each measured point its correspondence (a vertex, or in `complicated` a triangle)
//! and three coordinates; in `complicated` two barycentric coordinates for each point; the pose.

use super::{HandModel, Words};
use std::path::Path;

/// Numbers of a pose: 3 global rotation, 3 global translation, 4 for each of the fingers.
pub const THETA: usize = 26;
/// Fingers of a hand.
pub const FINGERS: usize = 5;

/// A hand's pose and the points measured on it.
pub struct Hand {
    /// The hand at rest.
    pub model: HandModel,
    /// The vertex or, in `complicated`, the triangle that each point lies on.
    pub correspondences: Vec<usize>,
    /// The measured points.
    pub points: Vec<[f64; 3]>,
    /// Two barycentric coordinates for each point; empty unless `complicated`.
    pub us: Vec<f64>,
    /// The pose.
    pub theta: Vec<f64>,
}

/// Reads a hand and its model, from the folder `hand_model` beside the file.
pub fn read_hand(path: &Path, complicated: bool) -> Result<Hand, String> {
    let model = HandModel::read(&path.with_file_name("hand_model"))?;
    let mut words = Words::open(path)?;
    let count = words.count("the number of points", 1)?;
    let parameters = words.count("the number of parameters", 1)?;
    if parameters != THETA {
        return Err(words.complaint(&format!(
            "a pose has {THETA} numbers (3 rotation, 3 translation, 4 for each finger); found {parameters}"
        )));
    }
    let (what, end) = if complicated {
        ("the triangle of a point", model.triangles.len())
    } else {
        ("the vertex of a point", model.vertices.len())
    };
    let mut correspondences = Vec::new();
    let mut points = Vec::new();
    for _ in 0..count {
        correspondences.push(words.position(what, end)?);
        points.push([
            words.number("a measured point")?,
            words.number("a measured point")?,
            words.number("a measured point")?,
        ]);
    }
    if !complicated && words.left() == 2 * count + THETA {
        let line = words.line();
        return Err(format!(
            "{}:{line}: barycentric coordinates follow the points; pass --complicated",
            path.display()
        ));
    }
    if complicated && words.left() == THETA && count > 0 {
        let line = words.line();
        return Err(format!(
            "{}:{line}: no barycentric coordinates follow the points; leave --complicated out",
            path.display()
        ));
    }
    let us = match complicated {
        true => words.numbers("the barycentric coordinates", 2 * count)?,
        false => Vec::new(),
    };
    let theta = words.numbers("the pose", THETA)?;
    words.end()?;
    Ok(Hand {
        model,
        correspondences,
        points,
        us,
        theta,
    })
}
