//! Functions of several things: tuples, lists, maps and structs of tensors are trees.
//!
//! A transform takes and gives the same structure, and names its leaves by the path to them.

use chainrule::prelude::*;
use chainrule::tree::named_leaves;

#[derive(Tree)]
struct Orbit {
    position: Tensor,
    velocity: Tensor,
    // Cloned, not differentiated by: it need not contain tensors at all.
    #[tree(fixed)]
    body: Body,
}

#[derive(Clone)]
struct Body {
    name: &'static str,
    mass: f64,
}

impl Orbit {
    /// Kinetic energy and the energy in the field of a mass at the origin.
    fn energy(&self) -> Tensor {
        let distance = self.position.norm(2.0, ..);
        self.body.mass * (self.velocity.square().sum(..) * 0.5 - 1.0 / distance)
    }
}

fn main() {
    // A tuple: the gradient is a tuple.
    let (weight, bias) = (tensor![1.0, -2.0], Tensor::scalar(0.5));
    let line = |(weight, bias): &(Tensor, Tensor)| weight.dot(tensor![3.0, 4.0]) + bias;
    let (by_weight, by_bias) = grad(line)(&(weight, bias));
    println!("by the weight {by_weight:#}, by the bias {by_bias:#}");

    // A struct: the gradient is such a struct.
    let orbit = Orbit {
        position: tensor![3.0, 4.0],
        velocity: tensor![0.0, 0.5],
        body: Body {
            name: "probe",
            mass: 2.0,
        },
    };
    let (energy, slope) = value_and_grad(Orbit::energy)(&orbit);
    println!("the {} has the energy {energy:#}", orbit.body.name);
    for (name, gradient) in named_leaves(&slope) {
        println!("by {name:8} {gradient:#}");
    }

    // One step of the motion that these derivatives describe: Hamilton's equations.
    let (dt, mass) = (0.1, orbit.body.mass);
    let velocity = &orbit.velocity - &slope.position * (dt / mass);
    let position = &orbit.position + &velocity * dt;
    let later = Orbit {
        position,
        velocity,
        ..orbit
    };
    println!(
        "at {:#} after a step, the energy is {:#}",
        later.position,
        later.energy()
    );
}
