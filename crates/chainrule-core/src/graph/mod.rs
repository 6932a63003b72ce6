//! The computation graph: nodes, where they were made, how long they remember, how they are walked.

mod collect;
pub(crate) mod counters;
mod due;
mod evaluate;
mod few;
mod history;
mod identifiers;
mod node;
mod place;
mod spec;
mod specs;
mod tape;
pub(crate) mod text;
pub(crate) mod walk;
pub(crate) mod watch;

pub use evaluate::evaluate;
pub use history::untracked;
pub use place::{module_scope, place_of};
pub use spec::{Device, Spec};

pub(crate) use due::with_due;
pub(crate) use evaluate::{keep_bounded, without_evaluation};
pub(crate) use few::Few;
pub(crate) use history::Scope;
pub(crate) use identifiers::IdMap;
pub(crate) use node::{Edge, Kind, Node};
pub(crate) use place::{Place, placed_at, recorded_at, with_place};
pub(crate) use specs::SharedSpecs;
pub(crate) use tape::{Slot, Tape, operand};
