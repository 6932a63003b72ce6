//! The inverse of the error function, normal quantiles, and Bessel's modified functions of orders 0 and 1.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::Tensor;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;
use std::f64::consts::{FRAC_2_SQRT_PI, PI, SQRT_2};

family! { BesselI0, BesselI1, Erfinv, Ndtri }

/// The inverse of the error function.
pub struct Erfinv;
/// The inverse of the standard normal's distribution function.
pub struct Ndtri;
/// Bessel's modified function of order 0.
pub struct BesselI0;
/// Bessel's modified function of order 1.
pub struct BesselI1;

static ERFINV: Leaf = Leaf::scalar1("erfinv", |y| erfinv(y.into()) as f32, erfinv);
static NDTRI: Leaf = Leaf::scalar1("ndtri", |p| ndtri(p.into()) as f32, ndtri);
static I0: Leaf = Leaf::scalar1("i0", |x| bessel(0, x.into()) as f32, |x| bessel(0, x));
static I1: Leaf = Leaf::scalar1("i1", |x| bessel(1, x.into()) as f32, |x| bessel(1, x));

fn erfc(x: f64) -> f64 {
    math::ERFC.call_f64(&[x])
}

/// The x with erfc x = q, for q in (0, 1): Newton's method on the logarithm, which is nearly a parabola.
fn erfc_inverse(q: f64) -> f64 {
    if q == 0.0 {
        return f64::INFINITY;
    }
    let wanted = q.ln();
    let mut x = (-wanted - 0.5 * (1.0 - wanted).ln()).max(0.0).sqrt();
    for _ in 0..12 {
        let value = erfc(x);
        let step = (value.ln() - wanted) * value * (x * x).exp() / FRAC_2_SQRT_PI;
        x += step;
        if step.abs() <= 1e-16 * x.abs() {
            break;
        }
    }
    x
}

fn erfinv(y: f64) -> f64 {
    match y.abs() {
        size if size > 1.0 || size.is_nan() => f64::NAN,
        size if size > 0.5 => erfc_inverse(1.0 - size).copysign(y),
        _ => {
            // Newton's method from the first terms of the series.
            let mut x = y / FRAC_2_SQRT_PI * (1.0 + PI / 12.0 * y * y);
            for _ in 0..5 {
                x -= (math::ERF.call_f64(&[x]) - y) * (x * x).exp() / FRAC_2_SQRT_PI;
            }
            x
        }
    }
}

fn ndtri(p: f64) -> f64 {
    match p {
        p if !(0.0..=1.0).contains(&p) => f64::NAN,
        p if p < 0.25 => -SQRT_2 * erfc_inverse(2.0 * p),
        p if p > 0.75 => SQRT_2 * erfc_inverse(2.0 * (1.0 - p)),
        p => SQRT_2 * erfinv(2.0 * p - 1.0),
    }
}

/// I(order, x): the power series, far out the asymptotic one.
fn bessel(order: u32, x: f64) -> f64 {
    let size = x.abs();
    let value = if size <= 30.0 {
        let quarter = size * size / 4.0;
        let mut term = if order == 0 { 1.0 } else { size / 2.0 };
        let mut sum = term;
        let mut k = 1.0;
        while term > 1e-17 * sum {
            term *= quarter / (k * (k + f64::from(order)));
            sum += term;
            k += 1.0;
        }
        sum
    } else {
        let square = f64::from(4 * order * order);
        let (mut term, mut sum) = (1.0, 1.0);
        for k in 1..30 {
            let odd = f64::from(2 * k - 1);
            term *= (odd * odd - square) / (8.0 * size * f64::from(k));
            sum += term;
        }
        // In two steps, since the exponential alone overflows too early.
        (size / 2.0).exp() * sum / (2.0 * PI * size).sqrt() * (size / 2.0).exp()
    };
    if order == 1 { value.copysign(x) } else { value }
}

impl Elementwise<1> for Erfinv {
    const NAME: &'static str = "erfinv";
    const LEAF: &'static Leaf = &ERFINV;
    const PARTIALS: PartialRule<1> =
        PartialRule::Each([|[_], y| y.square().exp() * (1.0 / FRAC_2_SQRT_PI)]);
    const DOMAIN: [Interval; 1] = [Interval::new(-0.9, 0.9)];
}

impl Elementwise<1> for Ndtri {
    const NAME: &'static str = "ndtri";
    const LEAF: &'static Leaf = &NDTRI;
    const PARTIALS: PartialRule<1> =
        PartialRule::Each([|[_], y| (y.square() * 0.5).exp() * (2.0 * PI).sqrt()]);
    const DOMAIN: [Interval; 1] = [Interval::new(0.05, 0.95)];
}

impl Elementwise<1> for BesselI0 {
    const NAME: &'static str = "i0";
    const LEAF: &'static Leaf = &I0;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.i1()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-3.0, 3.0)];
}

impl Elementwise<1> for BesselI1 {
    const NAME: &'static str = "i1";
    const LEAF: &'static Leaf = &I1;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], y| {
        // I0 - I1 / x, which is 1/2 at 0.
        let origin = x.eq(0.0);
        let divisor = origin.where_(x.ones_like(), x);
        let ratio = origin.where_(y * 0.0 + 0.5, y / divisor);
        x.i0() - ratio
    }]);
    const DOMAIN: [Interval; 1] = [Interval::new(-3.0, 3.0).except(0.0)];
}

impl Tensor {
    /// The inverse of the error function of each element: infinite at ±1, NaN beyond. Same shape; integers become the
    /// default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!((Tensor::from(0.5).erfinv().erf().item::<f64>() - 0.5).abs() < 1e-14);
    /// ```
    #[track_caller]
    pub fn erfinv(&self) -> Tensor {
        self.apply::<Erfinv>()
    }

    /// The quantile of the standard normal distribution at each element: infinite at 0 and 1, NaN outside, accurate also
    /// near 0. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!((Tensor::from(0.975).ndtri().item::<f64>() - 1.959963984540054).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn ndtri(&self) -> Tensor {
        self.apply::<Ndtri>()
    }

    /// Bessel's modified function of the first kind and order 0 of each element. Same shape; integers become the default
    /// dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!((Tensor::from(1.0).i0().item::<f64>() - 1.2660658777520084).abs() < 1e-14);
    /// ```
    #[track_caller]
    pub fn i0(&self) -> Tensor {
        self.apply::<BesselI0>()
    }

    /// Bessel's modified function of the first kind and order 1 of each element. Same shape; integers become the default
    /// dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!((Tensor::from(1.0).i1().item::<f64>() - 0.5651591039924851).abs() < 1e-14);
    /// ```
    #[track_caller]
    pub fn i1(&self) -> Tensor {
        self.apply::<BesselI1>()
    }
}
