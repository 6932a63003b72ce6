//! What no recorded trajectory says of optimisers: Lion by hand, L-BFGS in Rosenbrock's valley, memory, resumed states.

use chainrule_core::{DType, Tensor, attempt, grad, memory};
use chainrule_nn::schedules::{LinearSchedule, Plateau, Polynomial, Schedule};
use chainrule_nn::{
    Arguments, Asgd, Group, Lbfgs, Lion, Muon, Optimiser, Update, Value, build_optimiser,
    optimiser_names,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Memory is counted over all threads: tests that measure it or use much of it take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn named(name: &str) -> Box<dyn Optimiser> {
    let mut arguments = Arguments::new(name).with("learning_rate", Value::Float(0.01));
    if ["sgd", "rmsprop"].contains(&name) {
        arguments = arguments.with("momentum", Value::Float(0.9));
    }
    if name == "asgd" {
        // The average is what no weight reads: without care it would be a chain that nobody evaluates.
        arguments = arguments.with("start_of_average", Value::Integer(0));
    }
    if name == "lbfgs" {
        // Its memory grows up to its history.
        arguments = arguments.with("history", Value::Integer(3));
    }
    build_optimiser(name, &mut arguments).unwrap()
}

/// Algorithm 2 of Chen et al. 2023, number by number.
#[test]
fn lion_follows_the_paper() {
    let _turn = turn();
    let (beta1, beta2, rate, decay) = (0.9, 0.99, 0.01, 0.1);
    let gradient = |w: f64, step: i32| (w * 3.0).sin() + f64::from(step % 3 - 1);
    let mut expected = [0.5, -1.0, 2.0];
    let mut momenta = [0.0; 3];
    let mut w = Tensor::from(expected);
    let mut lion = Lion::new(rate).weight_decay(decay);
    for step in 0..20 {
        let gradients: Vec<f64> = expected.iter().map(|&w| gradient(w, step)).collect();
        lion.update(&mut w, &Tensor::from(gradients.clone()))
            .unwrap();
        for ((w, m), g) in expected.iter_mut().zip(&mut momenta).zip(gradients) {
            let c: f64 = beta1 * *m + (1.0 - beta1) * g;
            *w -= rate * (c.signum() + decay * *w);
            *m = beta2 * *m + (1.0 - beta2) * g;
        }
        for (actual, expected) in w.to_vec::<f64>().iter().zip(expected) {
            assert!((actual - expected).abs() < 1e-12, "step {step}");
        }
    }
}

/// Σ 100 (x[i+1] - x[i]²)² + (1 - x[i])².
fn rosenbrock(x: &Tensor) -> Tensor {
    let last = x.elements() - 1;
    let (now, next) = (x.narrow(0, 0, last), x.narrow(0, 1, last));
    ((next - now.square()).square() * 100.0 + (1.0 - now).square()).sum(..)
}

#[test]
fn lbfgs_finds_the_end_of_rosenbrocks_valley() {
    let _turn = turn();
    let mut x = Tensor::from([-1.2, 1.0, 0.8]);
    let mut lbfgs = Lbfgs::new(1.0).strong_wolfe().change_tolerance(1e-14);
    let first = lbfgs.step(&mut x, rosenbrock);
    assert_eq!(
        first,
        rosenbrock(&Tensor::from([-1.2, 1.0, 0.8])).item::<f64>()
    );
    for _ in 0..9 {
        lbfgs.step(&mut x, rosenbrock);
    }
    for value in x.to_vec::<f64>() {
        assert!((value - 1.0).abs() < 1e-6, "{value}");
    }
}

/// PyTorch's points: its line search ends with the evaluations that the step has left.
#[test]
fn lbfgs_searches_within_its_evaluations() {
    let _turn = turn();
    let mut x = Tensor::from(vec![-1.2, 1.0]);
    let mut lbfgs = Lbfgs::new(1.0).strong_wolfe().max_evaluations(6);
    for expected in [
        [-1.0276177663827242, 1.0584120782656612],
        [-0.7745797354515831, 0.5476256792320806],
        [-0.2560895768966468, 0.03726198161622369],
        [0.21682779600948238, 0.06691881400560815],
    ] {
        lbfgs.step(&mut x, rosenbrock);
        for (actual, expected) in x.to_vec::<f64>().iter().zip(expected) {
            assert!((actual - expected).abs() < 1e-9, "{actual} {expected}");
        }
    }
}

/// PyTorch's update of a gradient for which an orthogonalisation that rounds `β x` by itself gives other numbers.
#[test]
fn muon_rounds_a_sum_once() {
    let _turn = turn();
    let mut w = Tensor::from_vec(vec![0.0; 6], [2, 3]);
    let gradient = Tensor::from_vec(vec![-0.5, -0.375, 0.125, 0.5, -0.0, -0.625], [2, 3]);
    let mut muon = Muon::new(1.0)
        .momentum(0.0)
        .nesterov(false)
        .weight_decay(0.0);
    muon.update(&mut w, &gradient).unwrap();
    let expected = [
        0.55078125, 0.75, 0.30078125, -0.2421875, 0.3359375, 0.7421875,
    ];
    assert_eq!(w.to_vec::<f64>(), expected);
}

#[test]
fn an_infinite_first_metric_is_no_improvement() {
    let mut plateau = Plateau::new(0.5, 0);
    plateau.observe(f64::INFINITY);
    assert_eq!(plateau.learning_rate(1, 1.0), 0.5);
    plateau.observe(f64::NAN);
    assert_eq!(plateau.learning_rate(2, 1.0), 0.25);
    plateau.observe(3.0);
    assert_eq!(plateau.learning_rate(3, 1.0), 0.25);
}

#[test]
fn lbfgs_resumes_with_the_same_bits() {
    let _turn = turn();
    let make = || Lbfgs::new(1.0).strong_wolfe().max_iterations(3).history(4);
    let start = Tensor::from([-1.2, 1.0, 0.5]);
    let (mut whole, mut first, mut second) = (make(), make(), make());
    let (mut x, mut y) = (start.clone(), start);
    for _ in 0..6 {
        whole.step(&mut x, rosenbrock);
    }
    for _ in 0..3 {
        first.step(&mut y, rosenbrock);
    }
    second.restore(&first.state()).unwrap();
    for _ in 0..3 {
        second.step(&mut y, rosenbrock);
    }
    assert_eq!(x.to_vec::<f64>(), y.to_vec::<f64>());
    let mut broken = first.state();
    broken.remove("pairs.0.step");
    let error = second.restore(&broken).unwrap_err();
    assert_eq!(error.missing, ["pairs.0.step"]);
}

#[test]
fn memory_stays_flat_over_200_steps() {
    let _turn = turn();
    const SIDE: usize = 64;
    let bytes = SIDE * SIDE * 8;
    let target = Tensor::from_fn([SIDE, SIDE], |i| (i[0] + 2 * i[1]) as f64 / 100.0);
    for name in optimiser_names() {
        let mut optimiser = named(name);
        let mut w = target.zeros_like() + 1.0;
        let mut step = |w: &mut Tensor| {
            let gradient = grad(|w: &Tensor| (w - &target).square().sum(..))(w);
            optimiser.update(w, &gradient).unwrap();
        };
        let mut run = |steps: usize| {
            memory::reset_peak();
            for _ in 0..steps {
                step(&mut w);
                w.to_vec::<f64>();
            }
            (memory::peak_bytes(), memory::live_nodes())
        };
        run(10);
        let (early, nodes) = run(10);
        let (late, later_nodes) = run(200);
        assert!(
            late <= early + bytes / 2,
            "{name}: {early} bytes, then {late}"
        );
        assert!(
            later_nodes <= nodes + 16,
            "{name}: {nodes} nodes, then {later_nodes}"
        );
    }
}

#[test]
fn every_optimiser_resumes_with_the_same_bits() {
    let _turn = turn();
    let gradient = |step: i32| {
        Tensor::from_fn([3, 2], |i| {
            f64::from(step + 1).sin() * (i[0] as f64 - i[1] as f64 + 0.3)
        })
    };
    let start = Tensor::from_fn([3, 2], |i| i[0] as f64 - 0.7 * i[1] as f64);
    for name in optimiser_names() {
        let (mut whole, mut first, mut second) = (named(name), named(name), named(name));
        let (mut w, mut v) = (start.clone(), start.clone());
        for step in 0..12 {
            whole.update(&mut w, &gradient(step)).unwrap();
        }
        for step in 0..7 {
            first.update(&mut v, &gradient(step)).unwrap();
        }
        second.restore(&v, &first.state()).unwrap();
        for step in 7..12 {
            second.update(&mut v, &gradient(step)).unwrap();
        }
        let bits = |w: &Tensor| {
            w.to_vec::<f64>()
                .into_iter()
                .map(f64::to_bits)
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&w), bits(&v), "{name}");
    }
}

#[test]
fn muon_refuses_what_is_no_matrix_and_may_leave_it_out() {
    let _turn = turn();
    let mut model = (
        Tensor::from(vec![1.0, 2.0]),
        Tensor::from_fn([2, 2], |i| (i[0] + i[1]) as f64),
    );
    let gradients = (
        Tensor::from(vec![1.0, 1.0]),
        Tensor::from_fn([2, 2], |i| 1.0 + i[0] as f64),
    );
    let error = attempt(|| Muon::new(0.1).update(&mut model, &gradients)).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("muon: 0: the rule is for matrices"),
        "{error}"
    );
    let mut muon = Muon::new(0.1).group(Group::matching("0").frozen());
    muon.update(&mut model, &gradients).unwrap();
    assert_eq!(model.0.to_vec::<f64>(), [1.0, 2.0]);
    assert!(model.1.to_vec::<f64>()[0] < 0.0);
}

#[test]
fn the_average_of_asgd_is_that_of_the_weights() {
    let _turn = turn();
    let mut w = Tensor::from(1.0);
    let mut asgd = Asgd::new(0.1).lambda(0.0).start_of_average(2.0);
    let mut seen = Vec::new();
    for step in 0..8 {
        asgd.update(&mut w, &Tensor::from(f64::from(step))).unwrap();
        seen.push(w.item::<f64>());
    }
    // From step t₀ + 2 on: the average starts with the weights of the step before it counts two.
    let expected = seen[3..].iter().sum::<f64>() / 5.0;
    assert!((asgd.averaged(&w).item::<f64>() - expected).abs() < 1e-12);
}

#[test]
fn lines_and_powers_follow_their_formulas() {
    let line = LinearSchedule::new(1.0 / 3.0, 1.0, 5);
    for (step, expected) in [(0, 1.0 / 3.0), (2, 0.6), (5, 1.0), (9, 1.0)] {
        assert!((line.learning_rate(step, 2.0) - 2.0 * expected).abs() < 1e-12);
    }
    let power = Polynomial::new(4, 0.5);
    for (step, expected) in [(0, 1.0), (3, 0.5), (4, 0.0), (7, 0.0)] {
        assert!((power.learning_rate(step, 1.0) - expected).abs() < 1e-12);
    }
}

#[test]
fn weights_in_16_bits_keep_their_dtype() {
    let _turn = turn();
    for name in optimiser_names() {
        let mut w = Tensor::from_fn([2, 2], |i| 1.0 + i[0] as f64).cast(DType::BF16);
        let mut optimiser = named(name);
        for _ in 0..3 {
            let gradient = w.ones_like();
            optimiser.update(&mut w, &gradient).unwrap();
        }
        assert_eq!(w.dtype(), DType::BF16, "{name}");
        let largest = w.cast(DType::F64).abs().max(..).item::<f64>();
        assert!(largest.is_finite() && largest > 0.0, "{name}: {largest}");
    }
}
