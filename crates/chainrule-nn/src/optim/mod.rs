//! Optimisers, one a file: a [`Rule`] is the formula for one parameter, as tensor code, so that the planner makes each update
//! one pass; [`Descent`] is what they share.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod asgd;
mod configured;
mod descent;
mod gradients;
mod group;
mod lbfgs;
mod line_search;
mod lion;
mod muon;
mod nadam;
mod optimiser;
mod radam;
mod rmsprop;
mod rprop;
mod rule;
mod sgd;
mod state;

pub use adadelta::{Adadelta, AdadeltaRule, AdadeltaState};
pub use adafactor::{Adafactor, AdafactorRule, AdafactorState};
pub use adagrad::{Adagrad, AdagradRule, AdagradState};
pub use adam::{Adam, AdamRule, AdamState, AdamW};
pub use adamax::{Adamax, AdamaxRule, AdamaxState};
pub use asgd::{Asgd, AsgdRule, AsgdState};
pub use configured::{ConfiguredOptimiser, build_optimiser, optimiser_names};
pub use descent::Descent;
pub use gradients::MissingGradients;
pub use group::Group;
pub use lbfgs::Lbfgs;
pub use lion::{Lion, LionRule, LionState};
pub use muon::{Muon, MuonRule, MuonState};
pub use nadam::{NAdam, NAdamRule, NAdamState};
pub use optimiser::{Optimiser, Update};
pub use radam::{RAdam, RAdamRule, RAdamState};
pub use rmsprop::{RmsProp, RmsPropRule, RmsPropState};
pub use rprop::{Rprop, RpropRule, RpropState};
pub use rule::{Rule, Step};
pub use sgd::{Sgd, SgdRule, SgdState};
pub use state::StateError;
