//! Checks of declarations and of running programs.

pub mod anomaly;
pub mod gradients;
mod higher;
