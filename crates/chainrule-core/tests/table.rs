//! The table of operations in the documentation is what the declarations say.

use chainrule_core::declare::{markdown, rows};

#[test]
fn partials_read_as_expressions() {
    let text = |name: &str| {
        let row = rows()
            .into_iter()
            .find(|row| row.name == name)
            .expect("the operation is declared");
        (row.derivative, row.keeps)
    };
    let expect = |name: &str, derivative: &str, keeps: &str| {
        assert_eq!(
            text(name),
            (derivative.to_owned(), keeps.to_owned()),
            "{name}"
        );
    };
    expect("sin", "cos(x)", "x");
    expect("exp", "y", "y");
    expect("add", "1, 1", "nothing");
    expect("mul", "z, x", "x, z");
    expect("tan", "y^2 + 1", "y");
    expect("reciprocal", "-y^2", "y");
}

/// `CHAINRULE_BLESS=1 cargo test -p chainrule-core --test table` writes the file anew.
#[test]
fn the_documented_table_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let current = format!(
        "# Operations\n\nMade from the declarations; `x`, `z`, `w` are the operands, `y` is the result.\n\n{}",
        markdown()
    );
    if std::env::var_os("CHAINRULE_BLESS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"))
            .expect("the folder can be made");
        std::fs::write(path, &current).expect("the table can be written");
    }
    let documented = std::fs::read_to_string(path).expect("docs/operations.md exists");
    assert!(
        documented == current,
        "docs/operations.md is out of date; CHAINRULE_BLESS=1 writes it anew"
    );
}
