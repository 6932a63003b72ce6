//! Texts that a network writes, character by character.

use super::TrainProblem;
use super::objective::Objective;
use chainrule::data::Random;
use chainrule::data::readers::text::Vocabulary;
use chainrule::nn::Sequential;
use chainrule::prelude::*;

/// How characters are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// How many.
    pub length: usize,
    /// Probabilities are raised to the power 1 / temperature before one is drawn: below 1 the likely ones become likelier, at
    /// 0 the likeliest is taken.
    pub temperature: f64,
    pub seed: u64,
}

/// The text with so many characters behind it, each drawn by what the network says after those before it, of which it sees as
/// many as it was trained on.
pub fn continued(
    model: &Sequential,
    objective: &Objective,
    vocabulary: &Vocabulary,
    window: usize,
    begun: &str,
    sampling: Sampling,
) -> Result<String, TrainProblem> {
    let mut numbers = vocabulary.encode(begun)?;
    if numbers.is_empty() {
        let first = vocabulary.characters().iter().position(|&c| c == '\n');
        numbers.push(first.unwrap_or(0) as i64);
    }
    let mut random = Random::new(sampling.seed);
    for _ in 0..sampling.length {
        let seen = numbers[numbers.len().saturating_sub(window)..].to_vec();
        let length = seen.len();
        let shares: Vec<f64> = untracked(|| {
            let y = objective.outputs(model, &Tensor::from_vec(seen, [1, length]));
            let last = y.narrow(1, length - 1, 1).reshape([1, -1]);
            objective.scores(&last).0.to_vec()
        });
        numbers.push(drawn(&shares, sampling.temperature, random.unit()) as i64);
    }
    Ok(vocabulary.decode(&numbers)?)
}

/// The index at which `point`, 0 to 1, lies among the shares at a temperature.
fn drawn(shares: &[f64], temperature: f64, point: f64) -> usize {
    let largest = shares.iter().copied().fold(0.0, f64::max);
    let likeliest = shares.iter().position(|&share| share == largest);
    let likeliest = likeliest.unwrap_or(0);
    if temperature <= 0.0 {
        return likeliest;
    }
    let weights: Vec<f64> = shares
        .iter()
        .map(|share| (share.max(0.0) / largest).powf(1.0 / temperature))
        .collect();
    let mut left = point * weights.iter().sum::<f64>();
    let found = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    found.unwrap_or(likeliest)
}

#[cfg(test)]
mod tests {
    use super::drawn;

    #[test]
    fn low_temperatures_make_the_likely_likelier() {
        let shares = [0.2, 0.5, 0.3];
        assert_eq!(drawn(&shares, 0.0, 0.999), 1);
        assert_eq!([0.1, 0.5, 0.9].map(|at| drawn(&shares, 1.0, at)), [0, 1, 2]);
        // 0.04 : 0.25 : 0.09
        assert_eq!([0.1, 0.2, 0.7].map(|at| drawn(&shares, 0.5, at)), [0, 1, 1]);
    }
}
