//! Every declared operation, checked from every side. There is no list of names here: the registry is the list.

use chainrule_core::check::gradients;
use chainrule_core::declare::registry;
use std::collections::HashSet;

#[test]
fn every_declaration_holds() {
    let mut findings = Vec::new();
    let mut samples = 0;
    for entry in registry() {
        for sample in (entry.samples)() {
            samples += 1;
            findings.extend(gradients::sample(&sample));
        }
    }
    assert!(samples > 0, "the registry is not empty");
    assert!(
        findings.is_empty(),
        "{} findings on {samples} samples:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn entries_are_distinct() {
    let mut names = HashSet::new();
    for entry in registry() {
        assert!(
            names.insert((entry.name)()),
            "{} is registered twice",
            (entry.name)()
        );
    }
}
