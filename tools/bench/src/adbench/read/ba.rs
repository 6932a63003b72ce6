//! Bundle adjustment: `n m p`, then one camera, one point, one weight and one feature, which stand for all n cameras, m
//! points, p weights and p features. Observation i sees point i mod m with camera i mod n.

use super::Words;
use std::path::Path;

/// Numbers of a camera: 3 rotation, 3 centre, 1 focal length, 2 principal point, 2 radial distortion.
pub const CAMERA: usize = 11;
/// Numbers of a point.
pub const POINT: usize = 3;

/// Cameras, points and what was seen.
pub struct BundleAdjustment {
    /// n rows of [`CAMERA`].
    pub cameras: Vec<[f64; CAMERA]>,
    /// m rows of [`POINT`].
    pub points: Vec<[f64; POINT]>,
    /// A weight for each of the p observations.
    pub weights: Vec<f64>,
    /// Where each observation saw its point.
    pub features: Vec<[f64; 2]>,
    /// The camera and the point of each observation.
    pub observations: Vec<(usize, usize)>,
}

/// Reads a bundle adjustment.
pub fn read_ba(path: &Path) -> Result<BundleAdjustment, String> {
    let mut words = Words::open(path)?;
    let n = words.count("the number n of cameras", 1)?;
    let m = words.count("the number m of points", 1)?;
    let p = words.count("the number p of observations", 1)?;
    let mut camera = [0.0; CAMERA];
    camera.copy_from_slice(&words.numbers("the camera", CAMERA)?);
    let mut point = [0.0; POINT];
    point.copy_from_slice(&words.numbers("the point", POINT)?);
    let weight = words.number("the weight")?;
    let feature = [words.number("the feature")?, words.number("the feature")?];
    words.end()?;
    Ok(BundleAdjustment {
        cameras: vec![camera; n],
        points: vec![point; m],
        weights: vec![weight; p],
        features: vec![feature; p],
        observations: (0..p).map(|i| (i % n, i % m)).collect(),
    })
}
