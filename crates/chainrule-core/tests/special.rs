//! Special functions and scattering with a reduction. Expected numbers are PyTorch 2's.

use chainrule_core::{ScatterReduction, Tensor, attempt, grad, tensor};

#[track_caller]
fn near(actual: &Tensor, expected: &[f64]) {
    let actual = actual.to_vec::<f64>();
    let equal = |(a, e): (&f64, &f64)| (a - e).abs() <= 2e-12 * e.abs().max(1.0);
    assert!(
        actual.len() == expected.len() && actual.iter().zip(expected).all(equal),
        "{actual:?}"
    );
}

#[test]
fn gamma_and_its_derivatives() {
    let x = Tensor::from(vec![-2.5, -0.3, 1e-3, 0.5, 1.5, 2.0, 7.3, 40.0]);
    near(
        &x.lgamma(),
        &[
            -0.05624371649767,
            1.464840050858,
            6.907178885384,
            0.5723649429247,
            -0.1207822376352,
            0.0,
            7.147892523022,
            106.6317602606,
        ],
    );
    near(
        &x.digamma(),
        &[
            1.103156640645,
            2.113309779635,
            -1000.575571932,
            -1.963510026021,
            0.03648997397858,
            0.4227843350985,
            1.917820335638,
            3.676327374035,
        ],
    );
    near(
        &x.polygamma(3),
        &[
            194.7478762192,
            766.6198904192,
            6000000000006.0,
            97.409091034,
            1.409091034002,
            0.4939394022668,
            0.006293158713198,
            3.244140015156e-05,
        ],
    );
    near(
        &x.polygamma(2),
        &[
            -0.1082040516417,
            67.63908119988,
            -2000000002.398,
            -16.82879664423,
            -0.8287966442343,
            -0.4041138063192,
            -0.02151081444162,
            -0.0006408202718353,
        ],
    );
    let poles = Tensor::from(vec![0.0, -3.0]);
    assert_eq!(poles.lgamma().to_vec::<f64>(), [f64::INFINITY; 2]);
    let ends = poles.digamma().to_vec::<f64>();
    assert!(ends[0] == f64::NEG_INFINITY && ends[1].is_nan());
    assert!(attempt(|| poles.mvlgamma(0)).is_err());
}

#[test]
fn inverses_of_distributions_and_bessel_functions() {
    let y = Tensor::from(vec![-0.999, -0.3, 0.0, 0.6, 0.999_999_9]);
    near(
        &y.erfinv(),
        &[
            -2.326753765514,
            -0.2724627147268,
            0.0,
            0.59511608145,
            3.766562581638,
        ],
    );
    let p = Tensor::from(vec![1e-300, 1e-5, 0.3, 0.5, 0.9]);
    near(
        &p.ndtri(),
        &[
            -37.04709629936,
            -4.264890793923,
            -0.524400512708,
            0.0,
            1.281551565545,
        ],
    );
    let ends = Tensor::from(vec![-1.0, 1.0, 1.5]).erfinv().to_vec::<f64>();
    assert!(ends[0] == f64::NEG_INFINITY && ends[1] == f64::INFINITY && ends[2].is_nan());
    let z = Tensor::from(vec![-2.0, 0.0, 5.0, 29.0, 35.0]);
    near(
        &z.i0(),
        &[
            2.279585302336,
            1.0,
            27.2398718236,
            292520631785.7,
            107338818494500.0,
        ],
    );
    near(
        &z.i1(),
        &[
            -1.590636854637,
            0.0,
            24.33564214245,
            287432108126.3,
            105794126051900.0,
        ],
    );
    let slope = grad(|x: &Tensor| x.i1())(&Tensor::from(0.0));
    assert_eq!(slope.item::<f64>(), 0.5);
}

#[test]
fn elements_at_one_position_are_reduced() {
    let base = Tensor::from(vec![1.0, 2.0, 3.0]);
    let source = Tensor::from(vec![5.0, -1.0, 4.0, 7.0]);
    let index = tensor![2, 0, 2, 0];
    let reduced =
        |reduction, include_self| base.scatter_reduce(0, &index, &source, reduction, include_self);
    near(&reduced(ScatterReduction::Sum, true), &[7.0, 2.0, 12.0]);
    near(&reduced(ScatterReduction::Sum, false), &[6.0, 2.0, 9.0]);
    near(
        &reduced(ScatterReduction::Mean, true),
        &[7.0 / 3.0, 2.0, 4.0],
    );
    near(&reduced(ScatterReduction::Mean, false), &[3.0, 2.0, 4.5]);
    near(&reduced(ScatterReduction::Max, true), &[7.0, 2.0, 5.0]);
    near(&reduced(ScatterReduction::Max, false), &[7.0, 2.0, 5.0]);
    near(&reduced(ScatterReduction::Min, true), &[-1.0, 2.0, 3.0]);
    near(&reduced(ScatterReduction::Min, false), &[-1.0, 2.0, 4.0]);
    let slope = grad(|source: &Tensor| {
        base.scatter_reduce(0, &index, source, ScatterReduction::Max, false)
            .sum(..)
    })(&source);
    assert_eq!(slope.to_vec::<f64>(), [1.0, 0.0, 0.0, 1.0]);
}
