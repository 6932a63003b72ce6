//! The buckets of TensorBoard's histograms.

use super::message::HistogramProto;
use std::sync::LazyLock;

/// Upper ends of the buckets: ±10⁻¹² · 1.1ᵏ up to 10²⁰, zero between, the largest double at both ends. These are the
/// limits of TensorFlow's own histograms (`histogram.cc`), so they lie over those of other programs.
static LIMITS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let powers = std::iter::successors(Some(1e-12), |limit| Some(limit * 1.1));
    let positive: Vec<f64> = powers
        .take_while(|limit| *limit < 1e20)
        .chain([f64::MAX])
        .collect();
    let negative = positive.iter().rev().map(|limit| -limit);
    negative
        .chain([0.0])
        .chain(positive.iter().copied())
        .collect()
});

/// The numbers counted in TensorBoard's buckets. NaN and infinities cannot be drawn and are left out.
///
/// ```
/// let histogram = chainrule_train::events::histogram([1.0, 1.0, -2.0, f64::NAN]);
/// assert_eq!((histogram.min, histogram.max, histogram.num), (-2.0, 1.0, 3.0));
/// assert_eq!(histogram.bucket.iter().sum::<f64>(), 3.0);
/// ```
pub fn histogram(numbers: impl IntoIterator<Item = f64>) -> HistogramProto {
    let limits = &*LIMITS;
    let mut counts = vec![0.0; limits.len()];
    let mut histogram = HistogramProto {
        min: f64::MAX,
        max: -f64::MAX,
        ..HistogramProto::default()
    };
    for number in numbers.into_iter().filter(|number| number.is_finite()) {
        // The first limit above the number, as TensorFlow's `upper_bound`; the largest double itself goes into the last.
        let bucket = limits.partition_point(|limit| *limit <= number);
        counts[bucket.min(limits.len() - 1)] += 1.0;
        histogram.min = histogram.min.min(number);
        histogram.max = histogram.max.max(number);
        histogram.num += 1.0;
        histogram.sum += number;
        histogram.sum_squares += number * number;
    }
    if histogram.num == 0.0 {
        (histogram.min, histogram.max) = (0.0, 0.0);
    }
    (histogram.bucket_limit, histogram.bucket) = without_empty_runs(limits, &counts);
    histogram
}

/// Runs of empty buckets become one, as TensorFlow writes them; readers need at least one bucket.
fn without_empty_runs(limits: &[f64], counts: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let ends_run = |&bucket: &usize| {
        counts[bucket] > 0.0 || counts.get(bucket + 1).is_none_or(|next| *next > 0.0)
    };
    (0..counts.len())
        .filter(ends_run)
        .map(|bucket| (limits[bucket], counts[bucket]))
        .unzip()
}
