//! A simulation that is differentiated, its number of steps decided by its values.

use super::Example;
use super::tell::Teller;
use crate::train::TrainProblem;
use crate::train::options::TrainOptions;
use chainrule::prelude::*;

/// A damped pendulum, `θ'' = -g/l sin θ - c θ'`, simulated with steps that a `while` loop chooses by their error (Heun against
/// Euler). Its length and damping are fitted to positions that were measured, with noise, on another pendulum: the gradient
/// goes through the whole loop.
pub struct Pendulum;

const GRAVITY: f64 = 9.81;
const LENGTH: f64 = 1.3;
const DAMPING: f64 = 0.25;
const MOMENTS: usize = 40;
const INTERVAL: f64 = 0.1;
const NOISE: f64 = 0.005;
const TOLERANCE: f64 = 1e-3;
const STEPS: usize = 200;

/// What is fitted, as logarithms: both are positive.
#[derive(Clone, Tree)]
struct Physics {
    length: Tensor,
    damping: Tensor,
}

impl Physics {
    fn new(length: f64, damping: f64) -> Physics {
        Physics {
            length: Tensor::from(length.ln()),
            damping: Tensor::from(damping.ln()),
        }
    }

    /// How fast position and speed change.
    fn rates(&self, position: &Tensor, speed: &Tensor) -> (Tensor, Tensor) {
        let pull = position.sin() * (-&self.length).exp() * -GRAVITY;
        (speed.clone(), pull - self.damping.exp() * speed)
    }

    /// The positions at equal intervals, and how many steps that took.
    fn trajectory(&self) -> (Tensor, usize) {
        let (mut position, mut speed) = (Tensor::from(2.0), Tensor::from(0.0));
        let (mut step, mut steps, mut seen) = (0.01, 0, Vec::new());
        for _ in 0..MOMENTS {
            let mut left = INTERVAL;
            while left > 1e-12 {
                let length = f64::min(step, left);
                let (slope, force) = self.rates(&position, &speed);
                let ahead = (&position + &slope * length, &speed + &force * length);
                let (next_slope, next_force) = self.rates(&ahead.0, &ahead.1);
                let new_position = &position + (&slope + &next_slope) * (length / 2.0);
                let new_speed = &speed + (&force + &next_force) * (length / 2.0);
                let error = (&new_position - &ahead.0).abs() + (&new_speed - &ahead.1).abs();
                let error = error.item::<f64>();
                // The error of a step grows with its square.
                step = length * (0.9 * (TOLERANCE / error.max(1e-12)).sqrt()).clamp(0.2, 5.0);
                if error <= TOLERANCE {
                    (position, speed, left) = (new_position, new_speed, left - length);
                    steps += 1;
                }
            }
            seen.push(position.clone());
        }
        (Tensor::stack(&seen, 0), steps)
    }
}

impl Example for Pendulum {
    const NAME: &'static str = "pendulum";
    const DESCRIPTION: &'static str =
        "the length and damping of a pendulum from its trajectory, through a simulation";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let teller = Teller::new(options.json);
        let generator = Generator::new(options.seed.unwrap_or(1));
        let (clean, steps) = untracked(|| Physics::new(LENGTH, DAMPING).trajectory());
        let noise = generator.normal([MOMENTS], 0.0, NOISE).cast(DType::F64);
        let measured = (clean + noise).stop_history();
        teller.say(
            "data",
            &[("steps", steps as f64)],
            &format!("{MOMENTS} positions of a pendulum of {LENGTH} m, damping {DAMPING} 1/s; its simulation took {steps} steps"),
        )?;
        if options.dry_run {
            return Ok(());
        }
        let mut physics = Physics::new(1.0, 0.1);
        let mut adam = Adam::new(0.03);
        for step in 1..=STEPS {
            let loss = |physics: &Physics| (physics.trajectory().0 - &measured).square().mean(..);
            let (loss, gradients) = value_and_grad(loss)(&physics);
            adam.update(&mut physics, &gradients)
                .expect("both are used");
            if step % 50 == 0 {
                let [length, damping] = fitted(&physics);
                let loss = loss.item::<f64>();
                teller.say(
                    "step",
                    &[("step", step as f64), ("loss", loss), ("length", length), ("damping", damping)],
                    &format!("step {step:3}  loss {loss:.3e}  length {length:.4} m  damping {damping:.4} 1/s"),
                )?;
            }
        }
        let [length, damping] = fitted(&physics);
        teller.end(&[
            ("length", length),
            ("damping", damping),
            ("length_error", (length / LENGTH - 1.0).abs()),
            ("damping_error", (damping / DAMPING - 1.0).abs()),
        ])
    }
}

fn fitted(physics: &Physics) -> [f64; 2] {
    [&physics.length, &physics.damping].map(|logarithm| logarithm.item::<f64>().exp())
}
