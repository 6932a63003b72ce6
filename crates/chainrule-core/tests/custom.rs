//! A user's own gate under every transform.

use chainrule_core::{Gate, Tensor, attempt, evaluate, grad, jvp, tensor, vmap};

/// x² y, with the derivative by hand.
struct SquareTimes;

impl Gate for SquareTimes {
    fn name(&self) -> &'static str {
        "square_times"
    }
    fn forward(&self, inputs: &[Tensor]) -> Tensor {
        inputs[0].square() * &inputs[1]
    }
    fn backward(
        &self,
        inputs: &[Tensor],
        _output: &Tensor,
        cotangent: &Tensor,
    ) -> Vec<Option<Tensor>> {
        vec![
            Some(&inputs[0] * &inputs[1] * 2.0 * cotangent),
            Some(inputs[0].square() * cotangent),
        ]
    }
}

/// Passes the value on and the cotangent back thrice: shows that the hand-written derivative is the one used.
struct Triple;

impl Gate for Triple {
    fn name(&self) -> &'static str {
        "triple"
    }
    fn forward(&self, inputs: &[Tensor]) -> Tensor {
        inputs[0].clone()
    }
    fn backward(
        &self,
        _inputs: &[Tensor],
        _output: &Tensor,
        cotangent: &Tensor,
    ) -> Vec<Option<Tensor>> {
        vec![Some(cotangent * 3.0)]
    }
}

/// A gate of closures, for mistakes.
struct Wrong(fn(&[Tensor]) -> Tensor, fn(&Tensor) -> Vec<Option<Tensor>>);

impl Gate for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn forward(&self, inputs: &[Tensor]) -> Tensor {
        (self.0)(inputs)
    }
    fn backward(
        &self,
        _inputs: &[Tensor],
        _output: &Tensor,
        cotangent: &Tensor,
    ) -> Vec<Option<Tensor>> {
        (self.1)(cotangent)
    }
}

#[test]
fn all_orders_and_directions() {
    let (x, y) = (Tensor::from(3.0), Tensor::from(5.0));
    let f = |x: &Tensor| Tensor::custom(SquareTimes, &[x, &y]);
    assert_eq!(f(&x).item::<f64>(), 45.0);
    assert_eq!(grad(f)(&x).item::<f64>(), 30.0);
    assert_eq!(grad(grad(f))(&x).item::<f64>(), 10.0);
    let (value, tangent) = jvp(f, &x, &Tensor::from(2.0));
    assert_eq!((value.item::<f64>(), tangent.item::<f64>()), (45.0, 60.0));
    let forward_over_reverse = jvp(grad(f), &x, &Tensor::from(1.0)).1;
    assert_eq!(forward_over_reverse.item::<f64>(), 10.0);
    let reverse_over_forward = grad(|x: &Tensor| jvp(f, x, &Tensor::from(1.0)).1)(&x);
    assert_eq!(reverse_over_forward.item::<f64>(), 10.0);
}

#[test]
fn the_derivative_by_hand_is_used() {
    let x = tensor![1.0, 2.0];
    let f = |x: &Tensor| Tensor::custom(Triple, &[x]).sum(..);
    assert_eq!(grad(f)(&x).to_vec::<f32>(), [3.0, 3.0]);
    let (_, tangent) = jvp(
        |x: &Tensor| Tensor::custom(Triple, &[x]),
        &x,
        &tensor![1.0, 10.0],
    );
    assert_eq!(tangent.to_vec::<f32>(), [3.0, 30.0]);
    let tracked = x.tracked();
    let loss = Tensor::custom(Triple, &[&(&tracked * 2.0)]).sum(..);
    evaluate(&[&loss]);
    assert_eq!(loss.backward().of(&tracked).to_vec::<f32>(), [6.0, 6.0]);
}

#[test]
fn batches_run_example_by_example() {
    let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    let y = tensor![10.0, 100.0];
    let slopes =
        vmap(|x: &Tensor| grad(|x: &Tensor| Tensor::custom(SquareTimes, &[x, &y]).sum(..))(x))(&x);
    assert_eq!(slopes.to_vec::<f32>(), [20.0, 400.0, 60.0, 800.0]);
    let through =
        grad(|x: &Tensor| vmap(|x: &Tensor| Tensor::custom(SquareTimes, &[x, &y]))(x).sum(..))(&x);
    assert_eq!(through.to_vec::<f32>(), [20.0, 400.0, 60.0, 800.0]);
}

#[test]
fn forward_may_read_values() {
    let gate = Wrong(
        |inputs| {
            if inputs[0].item::<f64>() > 0.0 {
                inputs[0].exp()
            } else {
                inputs[0].clone()
            }
        },
        |cotangent| vec![Some(cotangent * 7.0)],
    );
    let slope = grad(|x: &Tensor| Tensor::custom(Wrong(gate.0, gate.1), &[x]))(&Tensor::from(1.0));
    assert_eq!(slope.item::<f64>(), 7.0);
}

#[test]
fn mistakes_and_panics_reach_the_user() {
    let x = tensor![1.0, 2.0];
    let message = |forward: fn(&[Tensor]) -> Tensor,
                   backward: fn(&Tensor) -> Vec<Option<Tensor>>| {
        attempt(|| grad(|x: &Tensor| Tensor::custom(Wrong(forward, backward), &[x]).sum(..))(&x))
            .unwrap_err()
            .to_string()
    };
    let same: fn(&[Tensor]) -> Tensor = |inputs| inputs[0].clone();
    assert!(
        message(same, |_| vec![]).contains("wrong: backward returned 0 cotangents for 1 inputs")
    );
    assert!(
        message(same, |c| vec![Some(c.sum(..))])
            .contains("cotangent of input 0 has shape [], not [2]")
    );
    assert!(message(same, |_| panic!("my own panic")).contains("my own panic"));
    assert!(message(|_| panic!("in forward"), |_| vec![]).contains("in forward"));
}
