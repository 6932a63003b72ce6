//! One gradient and nothing else: how long a process takes from its start to its first derivative.

use chainrule::prelude::*;

fn main() {
    let gradient = grad(|x: &Tensor| (x * x).sin().sum(..))(&tensor![1.0, 2.0, 3.0]);
    println!("{gradient}");
}
