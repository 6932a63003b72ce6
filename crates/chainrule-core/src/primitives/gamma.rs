//! The logarithm of the gamma function and its derivatives.

use crate::declare::{
    Array, Batch, Data, Derivative, Diagonal, Elementwise, Evaluation, Interval, PartialRule,
    Primitive, Reference, Sample, Specs, one, operation,
};
use crate::error::{Error, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;
use chainrule_kernels::leaf::Leaf;
use std::f64::consts::PI;

family! { Lgamma, Polygamma }

/// log |Γ(x)|.
pub struct Lgamma;

/// The derivative of order `order` + 1 of log Γ.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Polygamma {
    pub(crate) order: u32,
}

static LGAMMA: Leaf = Leaf::scalar1("lgamma", |x| lgamma(x.into()) as f32, lgamma);

/// By Lanczos' approximation (g = 7, nine terms), below 1/2 by reflection.
fn lgamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x.is_infinite() {
        return f64::INFINITY;
    }
    if x <= 0.0 && x == x.floor() {
        return f64::INFINITY;
    }
    if x < 0.5 {
        return (PI / (PI * x).sin().abs()).ln() - lgamma(1.0 - x);
    }
    if x == 1.0 || x == 2.0 {
        return 0.0;
    }
    let x = x - 1.0;
    let terms = TERMS.iter().enumerate();
    let sum = terms.fold(0.999_999_999_999_809_9, |sum, (i, term)| {
        sum + term / (x + (i + 1) as f64)
    });
    let t = x + 7.5;
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// ψ(x): by recurrence up to 10 and the asymptotic series, below 0 by reflection.
fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        return -f64::INFINITY.copysign(x);
    }
    if x < 0.0 {
        return if x == x.floor() {
            f64::NAN
        } else {
            digamma(1.0 - x) - PI / (PI * (x - x.floor())).tan()
        };
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    // Bernoulli's numbers over their order.
    const SERIES: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32_760.0,
        1.0 / 12.0,
    ];
    let series = SERIES
        .iter()
        .rev()
        .fold(0.0, |series, term| (series + term) * square);
    sum + x.ln() - 0.5 / x - series
}

/// Hurwitz' ζ(s, q) = Σ (q + k)^-s for integers s ≥ 2, by Euler's and Maclaurin's formula.
fn zeta(s: i32, q: f64) -> f64 {
    if q <= 0.0 && q == q.floor() {
        return f64::INFINITY;
    }
    let (mut sum, mut a) = (0.0, q);
    let mut k = 0;
    while k < 10 || a <= 10.0 {
        sum += a.powi(-s);
        a += 1.0;
        k += 1;
    }
    let order = f64::from(s);
    sum += a.powi(1 - s) / (order - 1.0) + 0.5 * a.powi(-s);
    // Bernoulli's numbers B(2j) over (2j)!.
    const SERIES: [f64; 12] = [
        1.0 / 12.0,
        -1.0 / 720.0,
        1.0 / 30_240.0,
        -1.0 / 1_209_600.0,
        1.0 / 47_900_160.0,
        -691.0 / 1_307_674_368_000.0,
        1.0 / 74_724_249_600.0,
        -3_617.0 / 10_670_622_842_880_000.0,
        43_867.0 / 5_109_094_217_170_944_000.0,
        -174_611.0 / 802_857_662_698_291_200_000.0,
        77_683.0 / 14_101_100_039_391_805_440_000.0,
        -236_364_091.0 / 1_693_824_136_731_743_669_452_800_000.0,
    ];
    let mut factor = order;
    let mut power = a.powi(-s - 1);
    for (j, bernoulli) in SERIES.iter().enumerate() {
        sum += bernoulli * factor * power;
        let next = order + 2.0 * j as f64;
        factor *= (next + 1.0) * (next + 2.0);
        power /= a * a;
    }
    sum
}

fn polygamma(order: u32, x: f64) -> f64 {
    if order == 0 {
        return digamma(x);
    }
    let factorial: f64 = (1..=order).map(f64::from).product();
    let sign = if order % 2 == 1 { 1.0 } else { -1.0 };
    sign * factorial * zeta(order as i32 + 1, x)
}

impl Elementwise<1> for Lgamma {
    const NAME: &'static str = "lgamma";
    const LEAF: &'static Leaf = &LGAMMA;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.digamma()]);
    const DOMAIN: [Interval; 1] = [Interval::new(0.3, 6.0)];
}

impl Primitive for Polygamma {
    fn name(&self) -> &'static str {
        "polygamma"
    }

    fn formula(&self) -> &'static str {
        "y = dⁿ⁺¹/dxⁿ⁺¹ log Γ(x)"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        if !inputs[0].dtype().is_floating() {
            let reason = format!("not defined for {}", inputs[0].dtype());
            return Err(Mismatch::dtype(reason).help("convert first: `.cast(DType::F32)`"));
        }
        one(inputs[0].clone())
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Elementwise(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::LeadingAxes
    }

    fn samples() -> Vec<Sample> {
        let of = |order| Sample::new(operation(Polygamma { order }));
        let domain = Interval::new(0.4, 5.0);
        vec![
            of(0).input_in([3, 2], domain.clone()),
            of(1).input_in([4], domain.clone()),
            of(2).input_in((), domain),
        ]
    }
}

impl Reference for Polygamma {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let data = match &inputs[0].data {
            Data::F32(elements) => {
                let each = elements.iter();
                Data::F32(
                    each.map(|&x| polygamma(self.order, x.into()) as f32)
                        .collect(),
                )
            }
            Data::F64(elements) => {
                Data::F64(elements.iter().map(|&x| polygamma(self.order, x)).collect())
            }
            other => other.clone(), // sets, of which each stays as it is; shape rules see to a floating dtype
        };
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

impl Diagonal for Polygamma {
    fn partial(&self, _argument: usize, inputs: &[Tensor], _output: &Tensor) -> Tensor {
        let next = Polygamma {
            order: self.order + 1,
        };
        operation(next).of(&[&inputs[0]])
    }

    fn known_partial(&self, _argument: usize) -> Option<f64> {
        None
    }
}

impl Tensor {
    /// The logarithm of the absolute value of the gamma function of each element: infinite at 0 and negative integers. Same
    /// shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!((Tensor::from(5.0).lgamma().item::<f64>() - 24f64.ln()).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn lgamma(&self) -> Tensor {
        self.apply::<Lgamma>()
    }

    /// ψ(x), the derivative of log Γ, of each element: NaN at negative integers, infinite at 0. Same shape; integers become
    /// the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!((Tensor::from(1.0).digamma().item::<f64>() + 0.5772156649015329).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn digamma(&self) -> Tensor {
        self.polygamma(0)
    }

    /// The derivative of order `order` of [`digamma`](Tensor::digamma) of each element: (-1)ⁿ⁺¹ n! ζ(n + 1, x). Same shape;
    /// integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let y = Tensor::from(1.0).polygamma(1).item::<f64>();
    /// assert!((y - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn polygamma(&self, order: u32) -> Tensor {
        operation(Polygamma { order }).of(&[&self.floating()])
    }

    /// The logarithm of the gamma function of `dimension` dimensions of each element:
    /// log(π) p (p - 1) / 4 + Σ log Γ(x - j / 2) over j < p.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let (one, two) = (Tensor::from(3.0).lgamma(), Tensor::from(3.0).mvlgamma(1));
    /// assert_eq!(one.item::<f64>(), two.item::<f64>());
    /// ```
    ///
    /// # Panics
    /// When the dimension is 0.
    #[track_caller]
    pub fn mvlgamma(&self, dimension: u32) -> Tensor {
        if dimension == 0 {
            let mismatch = Mismatch::argument("the dimension must be at least 1");
            raise(mismatch.into_error("mvlgamma", &[self.as_operand()]));
        }
        let x = self.floating();
        let p = f64::from(dimension);
        let constant = PI.ln() * p * (p - 1.0) / 4.0;
        (1..dimension).fold(x.lgamma() + constant, |sum, j| {
            sum + (&x - 0.5 * f64::from(j)).lgamma()
        })
    }
}
