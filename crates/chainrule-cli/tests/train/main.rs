//! `chainrule train`, `evaluate` and `predict` from outside: what is printed, what is left in files, what mistakes look like.

mod data_kinds;
mod losses;
mod mistakes;
mod predictions;
mod runs;
mod settings;
mod support;
