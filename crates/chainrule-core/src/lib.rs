//! chainrule-core
