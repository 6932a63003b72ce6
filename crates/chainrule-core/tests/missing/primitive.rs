//! Primitives, each without one of its methods.

use chainrule_core::declare::{Batch, Derivative, Evaluation, Primitive, Sample, Specs};
use chainrule_core::error::Mismatch;
use chainrule_core::Spec;

macro_rules! name { () => { fn name(&self) -> &'static str { "nothing" } }; }
macro_rules! formula { () => { fn formula(&self) -> &'static str { "y = x" } }; }
macro_rules! shape { () => { fn shape(&self, _inputs: &[&Spec]) -> Result<Specs, Mismatch> { unreachable!("never compiled") } }; }
macro_rules! evaluation { () => { fn evaluation(&self) -> Evaluation<'_> { unreachable!("never compiled") } }; }
macro_rules! derivative { () => { fn derivative(&self) -> Derivative<'_> { Derivative::Source } }; }
macro_rules! batch { () => { fn batch(&self) -> Batch<'_> { Batch::Source } }; }
macro_rules! samples { () => { fn samples() -> Vec<Sample> { Vec::new() } }; }

chainrule_core::family! { Nameless, Formulaless, Shapeless, Valueless, Derivativeless, Batchless, Sampleless }

#[derive(Clone, PartialEq, Eq, Hash)]
struct Nameless;
impl Primitive for Nameless { formula! {} shape! {} evaluation! {} derivative! {} batch! {} samples! {} }

#[derive(Clone, PartialEq, Eq, Hash)]
struct Formulaless;
impl Primitive for Formulaless { name! {} shape! {} evaluation! {} derivative! {} batch! {} samples! {} }

#[derive(Clone, PartialEq, Eq, Hash)]
struct Shapeless;
impl Primitive for Shapeless { name! {} formula! {} evaluation! {} derivative! {} batch! {} samples! {} }

#[derive(Clone, PartialEq, Eq, Hash)]
struct Valueless;
impl Primitive for Valueless { name! {} formula! {} shape! {} derivative! {} batch! {} samples! {} }

#[derive(Clone, PartialEq, Eq, Hash)]
struct Derivativeless;
impl Primitive for Derivativeless { name! {} formula! {} shape! {} evaluation! {} batch! {} samples! {} }

#[derive(Clone, PartialEq, Eq, Hash)]
struct Batchless;
impl Primitive for Batchless { name! {} formula! {} shape! {} evaluation! {} derivative! {} samples! {} }

#[derive(Clone, PartialEq, Eq, Hash)]
struct Sampleless;
impl Primitive for Sampleless { name! {} formula! {} shape! {} evaluation! {} derivative! {} batch! {} }

fn main() {}
