//! Reductions: kept axes, positions over several axes, order statistics with NaN. Expected numbers are PyTorch 2's.

use chainrule_core::{QuantileMethod, Tensor, attempt, grad, keep, tensor};

const NAN: f64 = f64::NAN;

fn with_nan() -> Tensor {
    Tensor::from_vec(vec![1.0, 3.0, 3.0, 2.0, 2.0, NAN, 1.0, 4.0], [2, 4])
}

#[track_caller]
fn same(actual: &Tensor, expected: &[f64]) {
    let actual = actual.to_vec::<f64>();
    let equal = |(a, e): (&f64, &f64)| (a - e).abs() < 1e-12 || (a.is_nan() && e.is_nan());
    assert!(
        actual.len() == expected.len() && actual.iter().zip(expected).all(equal),
        "{actual:?}"
    );
}

#[test]
fn every_reduction_keeps_its_axes() {
    let x = Tensor::from_vec((1..=12).map(f64::from).collect::<Vec<_>>(), [2, 3, 2]);
    type Reduction = fn(&Tensor, chainrule_core::ReductionAxes) -> Tensor;
    let reductions: [Reduction; 22] = [
        |x, axes| x.sum(axes),
        |x, axes| x.nansum(axes),
        |x, axes| x.mean(axes),
        |x, axes| x.nanmean(axes),
        |x, axes| x.var(axes, 1.0),
        |x, axes| x.std(axes, 0.0),
        |x, axes| x.prod(axes),
        |x, axes| x.max(axes),
        |x, axes| x.min(axes),
        |x, axes| x.argmax(axes),
        |x, axes| x.argmin(axes),
        |x, axes| x.max_with_indices(axes).0,
        |x, axes| x.min_with_indices(axes).1,
        |x, axes| x.logsumexp(axes),
        |x, axes| x.norm(3.0, axes),
        |x, axes| x.any(axes),
        |x, axes| x.all(axes),
        |x, axes| x.count_nonzero(axes),
        |x, axes| x.median(axes).0,
        |x, axes| x.mode(axes).1,
        |x, axes| x.kthvalue(2, axes).0,
        |x, axes| x.quantile(0.5, axes, QuantileMethod::Linear),
    ];
    for (number, reduce) in reductions.iter().enumerate() {
        let (dropped, kept) = (reduce(&x, [2, 0].into()), reduce(&x, keep([2, 0])));
        assert_eq!(dropped.shape()[..], [3], "reduction {number}");
        assert_eq!(kept.shape()[..], [1, 3, 1], "reduction {number}");
        assert_eq!(
            reduce(&x, keep(..)).shape()[..],
            [1, 1, 1],
            "reduction {number}"
        );
        let equal = kept.reshape(dropped.shape()).eq(&dropped).all(..);
        assert!(equal.item::<bool>(), "reduction {number}");
    }
    let quantiles = x.quantile(tensor![0.0, 1.0], keep(1), QuantileMethod::Linear);
    assert_eq!(quantiles.shape()[..], [2, 2, 1, 2]);
}

#[test]
fn positions_over_several_axes_are_flat() {
    let x = tensor![[1.0, 5.0], [3.0, 0.0]];
    assert_eq!(
        (x.argmax(..).item::<i64>(), x.argmin(..).item::<i64>()),
        (1, 3)
    );
    let (value, position) = x.min_with_indices([0, 1]);
    assert_eq!((value.item::<f64>(), position.item::<i64>()), (0.0, 3));
}

#[test]
fn medians_and_quantiles_follow_nan() {
    let x = with_nan();
    let (values, positions) = x.median(1);
    same(&values, &[2.0, NAN]);
    assert_eq!(positions.to_vec::<i64>(), [3, 1]);
    let (values, positions) = x.nanmedian(1);
    same(&values, &[2.0, 2.0]);
    assert_eq!(positions.to_vec::<i64>(), [3, 0]);
    same(&x.quantile(0.3, 1, QuantileMethod::Linear), &[1.9, NAN]);
    same(&x.nanquantile(0.3, 1, QuantileMethod::Linear), &[1.9, 1.6]);
    let nothing = Tensor::from(vec![NAN, NAN]);
    same(&nothing.nanmedian(0).0, &[NAN]);
    same(&nothing.nanquantile(0.5, 0, QuantileMethod::Linear), &[NAN]);
    let q = tensor![0.1, 0.5];
    let x = Tensor::from(vec![1.0, 2.0, 4.0, 8.0]);
    same(&x.quantile(&q, 0, QuantileMethod::Nearest), &[1.0, 4.0]);
    same(&x.quantile(&q, 0, QuantileMethod::Midpoint), &[1.5, 3.0]);
    let slope = grad(|q: &Tensor| x.quantile(q, 0, QuantileMethod::Linear))(&Tensor::from(0.9));
    same(&slope, &[12.0]);
    let error = attempt(|| x.quantile(1.5, 0, QuantileMethod::Linear)).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("quantile: q must lie in [0, 1]"),
        "{error}"
    );
}

#[test]
fn running_extrema_take_the_last_of_equals_and_keep_nan() {
    let x = tensor![1.0, 5.0, 5.0, 0.0, 0.0];
    assert_eq!(x.cummax(0).1.to_vec::<i64>(), [0, 1, 2, 2, 2]);
    assert_eq!(x.cummin(0).1.to_vec::<i64>(), [0, 0, 0, 3, 4]);
    let (values, positions) = with_nan().cummax(1);
    same(&values, &[1.0, 3.0, 3.0, 3.0, 2.0, NAN, NAN, NAN]);
    assert_eq!(positions.to_vec::<i64>(), [0, 1, 2, 2, 0, 1, 1, 1]);
    let (values, positions) = with_nan().cummin(1);
    same(&values, &[1.0, 1.0, 1.0, 1.0, 2.0, NAN, NAN, NAN]);
    assert_eq!(positions.to_vec::<i64>(), [0, 0, 0, 0, 0, 1, 1, 1]);
}

#[test]
fn the_mode_is_the_least_of_the_most_frequent() {
    let (value, position) = tensor![3.0, 1.0, 1.0, 3.0, 2.0].mode(0);
    assert_eq!((value.item::<f64>(), position.item::<i64>()), (1.0, 2));
    let slope = grad(|x: &Tensor| x.mode(0).0)(&Tensor::from(vec![2.0, 1.0, 2.0]));
    assert_eq!(slope.to_vec::<f64>(), [0.0, 0.0, 1.0]);
}

#[test]
fn corrections_divide_by_fewer() {
    let x = Tensor::from(vec![0.1, -2.0, 3.0]);
    same(&x.var(.., 2.0), &[12.606_666_666_666_666]);
    same(&x.std(.., 0.0), &[2.049_932_248_202_906]);
}

#[test]
fn a_sum_of_a_sum_is_no_member_of_the_first_sums_group() {
    let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    let total = (&x * &x).sum(1).sum(0);
    assert_eq!(total.item::<f32>(), 30.0);
    let rows = (&x * &x).unsqueeze(0).sum(2).sum(1);
    assert_eq!(rows.to_vec::<f32>(), [30.0]);
}
