//! Activation functions made of other operations, with PyTorch's definitions and defaults. (`relu`, `sigmoid`, `tanh` and
//! `softplus` are primitives.)
//!
//! A comparison with what is not a number is false: the pieces are chosen so that NaN falls into the one that keeps it.

use crate::tensor::Tensor;

/// Documents and defines activations of one tensor.
macro_rules! activations {
    ($(
        $(#[$doc:meta])*
        $name:ident($($parameter:ident),*) = |$x:ident| $body:expr, $example:literal;
    )*) => {
        impl Tensor {
            $(
                $(#[$doc])*
                ///
                /// Same shape; integers become the default dtype.
                ///
                /// ```
                /// use chainrule_core::tensor;
                #[doc = $example]
                /// ```
                #[track_caller]
                pub fn $name(&self, $($parameter: f64),*) -> Tensor {
                    let $x = &self.floating();
                    $body
                }
            )*
        }
    };
}

activations! {
    /// x where it is positive, `slope` times x elsewhere.
    leaky_relu(slope) = |x| x.gt(0.0).where_(x, x * slope),
        "assert_eq!(tensor![-2.0, 3.0].leaky_relu(0.5).to_vec::<f32>(), [-1.0, 3.0]);";

    /// x where it is positive, `alpha` (exp(x) - 1) elsewhere (Clevert, Unterthiner, Hochreiter 2015).
    elu(alpha) = |x| x.le(0.0).where_(not_positive(x).expm1() * alpha, x),
        "assert_eq!(tensor![0.0, 3.0].elu(1.0).to_vec::<f32>(), [0.0, 3.0]);";

    /// x where it is positive, `alpha` (exp(x / `alpha`) - 1) elsewhere (Barron 2017).
    celu(alpha) = |x| x.le(0.0).where_((not_positive(x) / alpha).expm1() * alpha, x),
        "assert_eq!(tensor![0.0, 3.0].celu(2.0).to_vec::<f32>(), [0.0, 3.0]);";

    /// The exponential linear unit that keeps mean 0 and variance 1 (Klambauer and others 2017).
    selu() = |x| x.elu(1.673_263_242_354_377_2) * 1.050_700_987_355_480_5,
        "assert_eq!(tensor![0.0].selu().to_vec::<f32>(), [0.0]);";

    /// x Φ(x), with Φ the distribution function of the standard normal (Hendrycks, Gimpel 2016).
    gelu() = |x| x * ((x * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5,
        "assert_eq!(tensor![0.0].gelu().to_vec::<f32>(), [0.0]);";

    /// The approximation of [`gelu`](Tensor::gelu) by tanh: x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).
    gelu_tanh() = |x| {
        let inner = (x + x.square() * x * 0.044_715) * (2.0 * std::f64::consts::FRAC_1_PI).sqrt();
        x * (inner.tanh() + 1.0) * 0.5
    }, "assert_eq!(tensor![0.0].gelu_tanh().to_vec::<f32>(), [0.0]);";

    /// x sigmoid(x), also called swish (Ramachandran, Zoph, Le 2017).
    silu() = |x| x * x.sigmoid(), "assert_eq!(tensor![0.0].silu().to_vec::<f32>(), [0.0]);";

    /// x tanh(softplus(x)) (Misra 2019).
    mish() = |x| x * x.softplus().tanh(), "assert_eq!(tensor![0.0].mish().to_vec::<f32>(), [0.0]);";

    /// log(sigmoid(x)), without underflow.
    log_sigmoid() = |x| -(-x).softplus(),
        "assert_eq!(tensor![-200.0].log_sigmoid().to_vec::<f32>(), [-200.0]);";

    /// x / (1 + |x|).
    softsign() = |x| x / (x.abs() + 1.0), "assert_eq!(tensor![1.0].softsign().to_vec::<f32>(), [0.5]);";

    /// x - tanh(x).
    tanhshrink() = |x| x - x.tanh(), "assert_eq!(tensor![0.0].tanhshrink().to_vec::<f32>(), [0.0]);";

    /// x moved towards 0 by `threshold`, and 0 within it.
    softshrink(threshold) = |x| {
        let within = x.abs().le(threshold);
        within.where_(x * 0.0, x - x.stop_gradient().sign() * threshold)
    }, "assert_eq!(tensor![2.0, -0.1].softshrink(0.5).to_vec::<f32>(), [1.5, 0.0]);";

    /// x outside of ±`threshold`, 0 within.
    hardshrink(threshold) = |x| x.abs().le(threshold).where_(0.0, x),
        "assert_eq!(tensor![2.0, -0.1].hardshrink(0.5).to_vec::<f32>(), [2.0, 0.0]);";

    /// x limited to `low` .. `high`; the derivative at the limits is 0.
    hardtanh(low, high) = |x| x.gt(high).where_(high, x.lt(low).where_(low, inside(x, low, high))),
        "assert_eq!(tensor![-2.0, 0.5].hardtanh(-1.0, 1.0).to_vec::<f32>(), [-1.0, 0.5]);";

    /// relu limited to 6.
    relu6() = |x| x.hardtanh(0.0, 6.0), "assert_eq!(tensor![7.0, -1.0].relu6().to_vec::<f32>(), [6.0, 0.0]);";

    /// relu6(x + 3) / 6: sigmoid in three straight pieces.
    hardsigmoid() = |x| (x + 3.0).relu6() / 6.0, "assert_eq!(tensor![0.0].hardsigmoid().to_vec::<f32>(), [0.5]);";

    /// x hardsigmoid(x) (Howard and others 2019).
    hardswish() = |x| x * x.hardsigmoid(), "assert_eq!(tensor![3.0].hardswish().to_vec::<f32>(), [3.0]);";

    /// The randomised leaky unit as it is in evaluation: [`leaky_relu`](Tensor::leaky_relu) with the mean slope
    /// (Xu and others 2015).
    rrelu(lower, upper) = |x| x.leaky_relu((lower + upper) / 2.0),
        "assert_eq!(tensor![-4.0].rrelu(0.25, 0.75).to_vec::<f32>(), [-2.0]);";

    /// x where it exceeds `threshold`, `value` elsewhere.
    threshold(threshold, value) = |x| x.le(threshold).where_(value, x),
        "assert_eq!(tensor![1.0, 3.0].threshold(2.0, 0.5).to_vec::<f32>(), [0.5, 3.0]);";
}

/// x where it is not positive, 0 elsewhere: what an exponential may see without overflow, with derivative 1 at 0.
fn not_positive(x: &Tensor) -> Tensor {
    x.le(0.0).where_(x, x.zeros_like())
}

/// x with derivative 1 strictly inside the limits (also where x is not a number) and 0 at them.
fn inside(x: &Tensor, low: f64, high: f64) -> Tensor {
    let at_limit = x.le(low) | x.ge(high);
    at_limit.where_(x.stop_gradient(), x)
}

impl Tensor {
    /// x where it is positive, `slope` times x elsewhere, with a tensor of slopes that broadcasts (He and others 2015).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![-2.0, 3.0].prelu(tensor![0.5]).to_vec::<f32>(), [-1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn prelu(&self, slope: impl AsRef<Tensor>) -> Tensor {
        self.gt(0.0).where_(self, self * slope.as_ref())
    }

    /// The first half along `axis` times the sigmoid of the second half (Dauphin and others 2016).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![4.0, 0.0].glu(0).to_vec::<f32>(), [2.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or its extent is odd.
    #[track_caller]
    pub fn glu(&self, axis: isize) -> Tensor {
        let position = self.axis("glu", axis);
        let extent = self.shape()[position];
        if !extent.is_multiple_of(2) {
            let reason = format!("axis {position} has extent {extent}, which does not halve");
            let mismatch = crate::error::Mismatch::shape(reason);
            crate::error::raise(mismatch.into_error("glu", &[self.as_operand()]));
        }
        let half = extent / 2;
        self.narrow(axis, 0, half) * self.narrow(axis, half, half).sigmoid()
    }
}
