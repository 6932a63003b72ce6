//! chainrule-cli
fn main() {}
