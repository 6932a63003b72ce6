//! Transforms in any order and to any depth: random words of transforms over random functions, each word computed in two
//! orders by different transforms, and against differences.

use chainrule_core::{
    Gate, Graph, Tensor, checkpoint, grad, hessian, jacfwd, jacrev, jvp, linearize, map_each,
    pullback, taylor, vjp, vmap,
};
use std::rc::Rc;

/// A function of three numbers with three results.
type Function = Rc<dyn Fn(&Tensor) -> Tensor>;

const SIZE: usize = 3;

/// Numbers that look random and are the same each time (Steele, Lea and Flood's SplitMix).
struct Dice(u64);

impl Dice {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.word() % end as u64) as usize
    }

    fn numbers(&mut self, count: usize) -> Tensor {
        let number = |word: u64| (word >> 11) as f64 / (1u64 << 53) as f64 * 1.6 - 0.8;
        Tensor::from(
            (0..count)
                .map(|_| number(self.word()))
                .collect::<Vec<f64>>(),
        )
    }
}

/// The cube, as a user's gate.
struct Cube;

impl Gate for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }

    fn forward(&self, inputs: &[Tensor]) -> Tensor {
        &inputs[0] * &inputs[0] * &inputs[0]
    }

    fn backward(&self, inputs: &[Tensor], _: &Tensor, cotangent: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(inputs[0].square() * 3.0 * cotangent)]
    }
}

fn layer(dice: &mut Dice) -> Function {
    let weight = dice
        .numbers(SIZE * SIZE)
        .reshape([SIZE as isize, SIZE as isize]);
    let shift = dice.numbers(SIZE);
    match dice.below(9) {
        0 => Rc::new(move |x| weight.matmul(x).sin()),
        1 => Rc::new(move |x| (x * 0.5 + &shift).exp()),
        2 => Rc::new(|x| x * x.sum(..)),
        3 => Rc::new(|x| Tensor::custom(Cube, &[x])),
        4 => Rc::new(move |x| checkpoint(|x: &Tensor| (x * &shift).tanh())(x)),
        5 => Rc::new(|x| x.softmax(0)),
        6 => Rc::new(|x| x.cumsum(0).sigmoid()),
        7 => Rc::new(move |x| (x.unsqueeze(0) * &weight).square().sum(1)),
        _ => Rc::new(|x| x.roll(1, 0) * x.square() - x),
    }
}

fn random_function(dice: &mut Dice) -> Function {
    let layers: Vec<Function> = (0..1 + dice.below(3)).map(|_| layer(dice)).collect();
    Rc::new(move |x| layers.iter().fold(x.clone(), |x, layer| layer(&x)))
}

/// A transform by what it means. All of these commute, except gradients with each other.
#[derive(Clone)]
enum Letter {
    /// The derivative along a direction.
    Along(Tensor),
    /// The gradient of the inner product with a vector.
    Gradient(Tensor),
    /// The sum of the function at `x` and at `x` moved.
    Both(Tensor),
    /// Nothing: by another way of computing it.
    Same,
}

fn random_letter(dice: &mut Dice) -> Letter {
    match dice.below(4) {
        0 => Letter::Along(dice.numbers(SIZE)),
        1 => Letter::Gradient(dice.numbers(SIZE)),
        2 => Letter::Both(dice.numbers(SIZE)),
        _ => Letter::Same,
    }
}

/// The letter applied to a function, by one of the transforms that can compute it.
fn applied(letter: &Letter, f: Function, dice: &mut Dice) -> Function {
    match letter.clone() {
        Letter::Along(v) => match dice.below(6) {
            0 => Rc::new(move |x| jvp(&*f, x, &v).1),
            1 => Rc::new(move |x| jacfwd(&*f)(x).matmul(&v)),
            2 => Rc::new(move |x| jacrev(&*f)(x).matmul(&v)),
            3 => Rc::new(move |x| linearize(&*f, x).1(&v)),
            4 => Rc::new(move |x| taylor(&*f, x, &v, 1).1.swap_remove(0)),
            // Reverse mode twice: the pullback is linear in the cotangent.
            _ => Rc::new(move |x| {
                let (y, pull) = pullback(&*f, x);
                grad(|u: &Tensor| (pull(u) * &v).sum(..))(&y.zeros_like())
            }),
        },
        Letter::Gradient(w) => match dice.below(4) {
            0 => Rc::new(move |x| grad(|x: &Tensor| (f(x) * &w).sum(..))(x)),
            1 => Rc::new(move |x| vjp(&*f, x, |_| w.clone()).1),
            2 => Rc::new(move |x| w.matmul(jacfwd(&*f)(x))),
            _ => Rc::new(move |x| w.matmul(jacrev(&*f)(x))),
        },
        Letter::Both(a) => {
            let pair = move |x: &Tensor| Tensor::stack(&[x, &(x + &a)], 0);
            match dice.below(2) {
                0 => Rc::new(move |x| vmap(&*f)(&pair(x)).sum(0)),
                _ => Rc::new(move |x| map_each(&*f)(&pair(x)).sum(0)),
            }
        }
        Letter::Same => match dice.below(2) {
            0 => Rc::new(move |x| checkpoint(&*f)(x)),
            _ => f,
        },
    }
}

fn word(letters: &[Letter], f: &Function, dice: &mut Dice) -> Function {
    letters
        .iter()
        .fold(f.clone(), |f, letter| applied(letter, f, dice))
}

#[track_caller]
fn assert_close(actual: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(actual.shape(), expected.shape(), "{what}");
    let (actual, expected) = (actual.to_vec::<f64>(), expected.to_vec::<f64>());
    let scale = expected.iter().fold(1.0f64, |scale, x| scale.max(x.abs()));
    for (a, b) in actual.iter().zip(&expected) {
        assert!(
            (a - b).abs() <= tolerance * scale,
            "{what}: {actual:?} is not {expected:?}"
        );
    }
}

#[test]
fn words_of_transforms_agree_in_any_order() {
    for case in 0..150 {
        let dice = &mut Dice(case);
        let f = random_function(dice);
        let x = dice.numbers(SIZE);
        let letters: Vec<Letter> = (0..1 + dice.below(3))
            .map(|_| random_letter(dice))
            .collect();
        // Two gradients do not commute: they are computed by other transforms only.
        let gradients = letters
            .iter()
            .filter(|letter| matches!(letter, Letter::Gradient(_)));
        let reversed: Vec<Letter> = match gradients.count() {
            0 | 1 => letters.iter().rev().cloned().collect(),
            _ => letters.clone(),
        };
        let one = word(&letters, &f, dice)(&x);
        let other = word(&reversed, &f, dice)(&x);
        assert_close(&one, &other, 1e-9, &format!("case {case}"));
        if let Some((Letter::Along(v), inner)) = letters.split_last() {
            let inner = word(inner, &f, dice);
            let step = 1e-5;
            let difference = (inner(&(&x + v * step)) - inner(&(&x - v * step))) / (2.0 * step);
            assert_close(
                &one,
                &difference,
                1e-6,
                &format!("case {case}, differences"),
            );
        }
    }
}

#[test]
fn polynomials_have_their_exact_derivatives() {
    // f = (x y² , y z³, z x): all derivatives are known.
    let f = |x: &Tensor| {
        let [a, b, c] = [0, 1, 2].map(|at| x.narrow(0, at, 1));
        Tensor::concat(&[&(&a * b.square()), &(&b * &c * &c * &c), &(&c * &a)], 0)
    };
    let x = Tensor::from(vec![2.0, 3.0, 5.0]);
    let jacobian = [9.0, 12.0, 0.0, 0.0, 125.0, 225.0, 5.0, 0.0, 2.0];
    assert_eq!(jacfwd(f)(&x).to_vec::<f64>(), jacobian);
    assert_eq!(jacrev(f)(&x).to_vec::<f64>(), jacobian);
    let sum = move |x: &Tensor| f(x).sum(..);
    let second = [0.0, 6.0, 1.0, 6.0, 4.0, 75.0, 1.0, 75.0, 90.0];
    assert_eq!(hessian(sum)(&x).to_vec::<f64>(), second);
    let third = jacfwd(hessian(sum))(&x).to_vec::<f64>();
    let mut expected = vec![0.0; 27];
    for (place, value) in [([0, 1, 1], 2.0), ([1, 0, 1], 2.0), ([1, 1, 0], 2.0)] {
        expected[place[0] * 9 + place[1] * 3 + place[2]] = value;
    }
    for place in [[1, 2, 2], [2, 1, 2], [2, 2, 1]] {
        expected[place[0] * 9 + place[1] * 3 + place[2]] = 6.0 * 5.0;
    }
    expected[2 * 9 + 2 * 3 + 2] = 6.0 * 3.0;
    assert_eq!(third, expected);
    assert_eq!(jacrev(jacfwd(jacrev(sum)))(&x).to_vec::<f64>(), expected);
}

#[test]
fn a_traced_transform_is_the_transform() {
    for case in 0..20 {
        let dice = &mut Dice(1000 + case);
        let f = random_function(dice);
        let letters: Vec<Letter> = (0..2).map(|_| random_letter(dice)).collect();
        let transformed = word(&letters, &f, dice);
        let mut graph = Graph::trace(|x: &Tensor| transformed(x), &dice.numbers(SIZE));
        let x = dice.numbers(SIZE);
        assert_close(
            &graph.forward(&x),
            &transformed(&x),
            1e-12,
            &format!("case {case}"),
        );
        let weights = dice.numbers(SIZE);
        let (_, expected) = vjp(|x: &Tensor| transformed(x), &x, |_| weights.clone());
        assert_close(
            &graph.backward(&weights),
            &expected,
            1e-10,
            &format!("case {case}, backward"),
        );
    }
}
