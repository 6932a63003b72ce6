//! What a declaration leaves out does not compile, and the compiler names it.

#[test]
fn every_item_of_a_declaration_is_required() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/missing/*.rs");
}
