//! chainrule-derive
