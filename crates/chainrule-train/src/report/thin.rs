//! Many points made few, so that the page stays small and the curve readable.

/// A stretch of a curve: the mean of its values and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) step: f64,
    pub(super) mean: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

/// The finite points in at most `most` stretches of equal length in steps; as they are when they are no more than that.
pub(super) fn thinned(points: &[(u64, f64)], most: usize) -> Vec<Stretch> {
    let finite: Vec<(u64, f64)> = points
        .iter()
        .copied()
        .filter(|(_, value)| value.is_finite())
        .collect();
    if finite.len() <= most {
        let alone = |&(step, value): &(u64, f64)| Stretch {
            step: step as f64,
            mean: value,
            least: value,
            most: value,
        };
        return finite.iter().map(alone).collect();
    }
    let (first, last) = (finite[0].0, finite[finite.len() - 1].0);
    let length = (last.saturating_sub(first)) as f64 / most as f64;
    let bucket = |step: u64| ((step.saturating_sub(first) as f64 / length) as usize).min(most - 1);
    finite
        .chunk_by(|left, right| bucket(left.0) == bucket(right.0))
        .map(|points| {
            let count = points.len() as f64;
            let values = || points.iter().map(|(_, value)| *value);
            Stretch {
                step: points.iter().map(|(step, _)| *step as f64 / count).sum(),
                mean: values().sum::<f64>() / count,
                least: values().fold(f64::INFINITY, f64::min),
                most: values().fold(f64::NEG_INFINITY, f64::max),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_points_become_few_and_keep_their_extremes() {
        let mut points: Vec<(u64, f64)> = (0..100_000).map(|step| (step, 1.0)).collect();
        points[54_321].1 = 9.0;
        points[777].1 = f64::NAN;
        let few = thinned(&points, 300);
        assert!(few.len() <= 300 && few.len() > 290);
        assert_eq!(few.iter().map(|s| s.most).fold(0.0, f64::max), 9.0);
        assert!(few.windows(2).all(|pair| pair[0].step < pair[1].step));
        assert_eq!(few[0].mean, 1.0);
    }

    #[test]
    fn few_points_stay_as_they_are() {
        assert_eq!(thinned(&[(3, 2.0), (4, f64::INFINITY)], 300).len(), 1);
        assert!(thinned(&[], 300).is_empty());
        assert_eq!(thinned(&[(5, 1.0); 1000], 10).len(), 1);
    }
}
