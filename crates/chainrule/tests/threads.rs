//! A model shared between threads: each evaluates and differentiates it, all agree with one thread alone.

use chainrule::prelude::*;
use std::thread;

#[derive(Module)]
struct Mlp {
    hidden: Linear,
    output: Linear,
}

impl Mlp {
    fn new() -> Mlp {
        let generator = Generator::new(5);
        Mlp {
            hidden: Linear::from_generator(8, 32, &generator),
            output: Linear::from_generator(32, 4, &generator),
        }
    }

    fn loss(&self, x: &Tensor) -> Tensor {
        let hidden = self.hidden.forward(x).tanh();
        self.output.forward(hidden).logsumexp(-1).mean(..)
    }
}

const THREADS: usize = 8;
const ROUNDS: usize = 40;

/// Input number `round`, the same on every thread.
fn input(round: usize) -> Tensor {
    Generator::new(round as u64).normal([16, 8], 0.0, 1.0)
}

fn gradient_bits(gradient: &Tensor) -> Vec<u32> {
    gradient
        .to_vec::<f32>()
        .into_iter()
        .map(f32::to_bits)
        .collect()
}

#[test]
fn a_shared_model_is_differentiated_in_both_styles() {
    let model = Mlp::new();
    let expected: Vec<Vec<u32>> = (0..ROUNDS)
        .map(|round| {
            let gradients = model.loss(&input(round)).backward();
            gradient_bits(&gradients.of(&model.hidden.weight))
        })
        .collect();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (model, expected) = (&model, &expected);
            scope.spawn(move || {
                for round in (0..ROUNDS).map(|round| (round + number) % ROUNDS) {
                    let x = input(round);
                    let gradient = match number % 2 {
                        0 => model.loss(&x).backward().of(&model.hidden.weight),
                        _ => {
                            let gradient = grad(|model: &Mlp| model.loss(&x))(model);
                            (*gradient.hidden.weight).clone()
                        }
                    };
                    assert_eq!(gradient_bits(&gradient), expected[round], "round {round}");
                }
            });
        }
    });
}

#[test]
fn one_lazy_graph_is_evaluated_and_differentiated_by_all() {
    let x = Tensor::linspace(-1.0, 1.0, 5000).tracked();
    let alone = || {
        let y = (0..20).fold(x.clone(), |y, _| (y * 1.1).sin());
        y.square().sum(..)
    };
    let expected_value = alone().item::<f32>().to_bits();
    let expected = gradient_bits(&alone().backward().of(&x));
    for _ in 0..ROUNDS {
        let shared = alone();
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (shared, x, expected) = (&shared, &x, &expected);
                scope.spawn(move || {
                    if number % 2 == 0 {
                        assert_eq!(shared.item::<f32>().to_bits(), expected_value);
                    }
                    assert_eq!(&gradient_bits(&shared.backward().of(x)), expected);
                });
            }
        });
    }
}

#[test]
fn a_function_under_a_transform_may_use_threads() {
    let f = |x: &Tensor| {
        let halves = [x.narrow(0, 0, 2), x.narrow(0, 2, 2)];
        let parts: Vec<Tensor> = thread::scope(|scope| {
            let started = halves
                .each_ref()
                .map(|half| scope.spawn(|| half.square().sum(..)));
            started
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        &parts[0] * &parts[1]
    };
    let gradient = grad(f)(&tensor![1.0, 2.0, 3.0, 4.0]);
    assert_eq!(gradient.to_vec::<f32>(), [50.0, 100.0, 30.0, 40.0]);
}
