//! The hand at rest: `bones.txt` (name, parent, 4 × 4 transform relative to the parent, inverse of the absolute one),
//! `vertices.txt` (position, normal, texture, then the bones that move it and their weights), `triangles.txt`.

use super::{FINGERS, Words};
use std::path::Path;

/// A bone of the skeleton.
pub struct Bone {
    /// The bone it hangs on, an earlier one; none for a root.
    pub parent: Option<usize>,
    /// Its transform relative to its parent, row by row.
    pub relative: [f64; 16],
    /// The inverse of its absolute transform, row by row.
    pub inverse_absolute: [f64; 16],
}

/// A vertex of the skin.
pub struct Vertex {
    /// Where it is at rest.
    pub position: [f64; 3],
    /// The bones that move it, each with its weight.
    pub weights: Vec<(usize, f64)>,
}

/// The skeleton and the skin.
pub struct HandModel {
    /// Parents before their children.
    pub bones: Vec<Bone>,
    /// The skin's vertices.
    pub vertices: Vec<Vertex>,
    /// The vertices of each triangle.
    pub triangles: Vec<[usize; 3]>,
}

impl HandModel {
    /// Reads the model's three files in `folder`.
    pub fn read(folder: &Path) -> Result<HandModel, String> {
        let bones = read_bones(&folder.join("bones.txt"))?;
        let vertices = read_vertices(&folder.join("vertices.txt"), bones.len())?;
        let triangles = read_triangles(&folder.join("triangles.txt"), vertices.len())?;
        Ok(HandModel {
            bones,
            vertices,
            triangles,
        })
    }
}

fn open(path: &Path) -> Result<Words, String> {
    Words::split(path, |character| character == ':')
}

fn read_bones(path: &Path) -> Result<Vec<Bone>, String> {
    let mut words = open(path)?;
    let mut bones = Vec::new();
    while words.left() > 0 {
        words.word("the name of a bone")?;
        let parent = match words.integer("the parent of a bone")? {
            -1 => None,
            // A parent stands before its children, so that one pass in order poses them all.
            parent if (0..bones.len() as i64).contains(&parent) => Some(parent as usize),
            parent => {
                return Err(words.complaint(&format!(
                    "the parent of bone {} is {parent}; expected -1 or an earlier bone, counted from 0",
                    bones.len()
                )));
            }
        };
        bones.push(Bone {
            parent,
            relative: matrix(&mut words, "the transform of a bone")?,
            inverse_absolute: matrix(&mut words, "the inverse transform of a bone")?,
        });
    }
    let least = 1 + 4 * FINGERS;
    if bones.len() < least {
        return Err(words.complaint(&format!(
            "a hand has at least {least} bones, a wrist and four for each finger; found {}",
            bones.len()
        )));
    }
    Ok(bones)
}

fn matrix(words: &mut Words, what: &str) -> Result<[f64; 16], String> {
    let mut matrix = [0.0; 16];
    matrix.copy_from_slice(&words.numbers(what, 16)?);
    Ok(matrix)
}

fn read_vertices(path: &Path, bones: usize) -> Result<Vec<Vertex>, String> {
    let mut words = open(path)?;
    let mut vertices = Vec::new();
    while words.left() > 0 {
        let mut position = [0.0; 3];
        position.copy_from_slice(&words.numbers("the position of a vertex", 3)?);
        words.numbers("the normal and texture of a vertex", 5)?;
        let count = words.count("the number of bones of a vertex", 0)?;
        let mut weights = Vec::new();
        for _ in 0..count {
            let bone = words.position("the bone of a vertex", bones)?;
            weights.push((bone, words.number("the weight of a bone")?));
        }
        vertices.push(Vertex { position, weights });
    }
    if vertices.is_empty() {
        return Err(words.complaint("the file holds no vertex"));
    }
    Ok(vertices)
}

fn read_triangles(path: &Path, vertices: usize) -> Result<Vec<[usize; 3]>, String> {
    let mut words = open(path)?;
    let mut triangles = Vec::new();
    while words.left() > 0 {
        let mut corner = || words.position("the corner of a triangle", vertices);
        triangles.push([corner()?, corner()?, corner()?]);
    }
    if triangles.is_empty() {
        return Err(words.complaint("the file holds no triangle"));
    }
    Ok(triangles)
}
