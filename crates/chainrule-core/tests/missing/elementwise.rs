//! Elementwise declarations, each without one of its constants.

use chainrule_core::declare::{Elementwise, Interval, PartialRule};
use chainrule_kernels::leaf::Leaf;

static CUBE: Leaf = Leaf::scalar1("cube", |x| x * x * x, |x| x * x * x);
const CUBES: PartialRule<1> = PartialRule::Each([|[x], _| x.square() * 3.0]);
const NEAR_ZERO: [Interval; 1] = [Interval::new(-2.0, 2.0)];

chainrule_core::family! { Nameless, Leafless, Partialless, Domainless }

struct Nameless;
impl Elementwise<1> for Nameless {
    const LEAF: &'static Leaf = &CUBE;
    const PARTIALS: PartialRule<1> = CUBES;
    const DOMAIN: [Interval; 1] = NEAR_ZERO;
}

struct Leafless;
impl Elementwise<1> for Leafless {
    const NAME: &'static str = "cube";
    const PARTIALS: PartialRule<1> = CUBES;
    const DOMAIN: [Interval; 1] = NEAR_ZERO;
}

struct Partialless;
impl Elementwise<1> for Partialless {
    const NAME: &'static str = "cube";
    const LEAF: &'static Leaf = &CUBE;
    const DOMAIN: [Interval; 1] = NEAR_ZERO;
}

struct Domainless;
impl Elementwise<1> for Domainless {
    const NAME: &'static str = "cube";
    const LEAF: &'static Leaf = &CUBE;
    const PARTIALS: PartialRule<1> = CUBES;
}

fn main() {}
