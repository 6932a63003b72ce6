//! Gaussian mixtures: `d k n`; k logarithms of weights; k means of d numbers; k inverse covariance factors of d(d+1)/2
//! numbers; n points of d numbers, or one point that stands for all n; γ and m of the Wishart prior.

use super::Words;
use std::path::Path;

/// A Gaussian mixture, its prior and the points that it is fitted to.
pub struct Mixture {
    /// The dimension d of a point.
    pub dimension: usize,
    /// The number k of components.
    pub components: usize,
    /// The number n of points.
    pub points: usize,
    /// k logarithms of weights, not normalised.
    pub alphas: Vec<f64>,
    /// k rows of d.
    pub means: Vec<f64>,
    /// k rows of d logarithms of diagonal entries, then the entries below the diagonal, column by column.
    pub icf: Vec<f64>,
    /// n rows of d.
    pub x: Vec<f64>,
    /// The scale γ of the Wishart prior.
    pub gamma: f64,
    /// The excess m of the Wishart prior's degrees of freedom.
    pub m: i64,
}

/// Reads a mixture. `replicate` says that the file holds one point, which stands for all of them; a file that has room for
/// just one is read so in any case.
pub fn read_gmm(path: &Path, replicate: bool) -> Result<Mixture, String> {
    let mut words = Words::open(path)?;
    let dimension = words.count("the dimension d", 1)?;
    let components = words.count("the number k of components", 1)?;
    let points = words.count("the number n of points", 1)?;
    let alphas = words.numbers("the weights", components)?;
    let means = words.numbers("the means", components * dimension)?;
    let factor = dimension * (dimension + 1) / 2;
    let icf = words.numbers("the inverse covariance factors", components * factor)?;
    let x = if replicate || words.left() == dimension + 2 {
        words.numbers("the point", dimension)?.repeat(points)
    } else {
        words.numbers("the points", points * dimension)?
    };
    let gamma = words.number("gamma of the prior")?;
    if gamma <= 0.0 {
        return Err(words.complaint(&format!("gamma is {gamma}; expected a positive number")));
    }
    let m = words.integer("m of the prior")?;
    // The prior's normaliser takes the logarithm of Γ at (m + 2) / 2 and above.
    if m < -1 {
        return Err(words.complaint(&format!("m is {m}; expected -1 or more")));
    }
    words.end()?;
    Ok(Mixture {
        dimension,
        components,
        points,
        alphas,
        means,
        icf,
        x,
        gamma,
        m,
    })
}
