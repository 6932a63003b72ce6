//! Einstein sums against the definition: every index runs, every product is added.

use chainrule_core::{Tensor, attempt};
use std::collections::BTreeMap;

/// Letters of each operand and of the result.
fn naive(operands: &[(&str, &Tensor)], result: &str) -> Vec<f64> {
    let mut extents = BTreeMap::new();
    for (letters, tensor) in operands {
        for (letter, &extent) in letters.chars().zip(tensor.shape().iter()) {
            let known = extents.entry(letter).or_insert(extent);
            *known = (*known).max(extent);
        }
    }
    let letters: Vec<char> = extents.keys().copied().collect();
    let total: usize = extents.values().product();
    let values: Vec<Vec<f64>> = operands.iter().map(|(_, tensor)| tensor.to_vec()).collect();
    let size: usize = result.chars().map(|letter| extents[&letter]).product();
    let mut sums = vec![0.0; size];
    for flat in 0..total {
        let mut rest = flat;
        let mut index = BTreeMap::new();
        for letter in &letters {
            index.insert(*letter, rest % extents[letter]);
            rest /= extents[letter];
        }
        let mut product = 1.0;
        for ((names, tensor), values) in operands.iter().zip(&values) {
            let position =
                names
                    .chars()
                    .zip(tensor.shape().iter())
                    .fold(0, |position, (letter, &extent)| {
                        position * extent + if extent == 1 { 0 } else { index[&letter] }
                    });
            product *= values[position];
        }
        let place = result
            .chars()
            .fold(0, |place, letter| place * extents[&letter] + index[&letter]);
        sums[place] += product;
    }
    sums
}

fn numbered(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let numbers: Vec<f64> = (0..count)
        .map(|k| ((k * 7 + 3) % 11) as f64 - 4.5)
        .collect();
    Tensor::from_vec(numbers, shape)
}

fn check(equation: &str, letters: &[&str], result: &str, shapes: &[&[usize]]) {
    let tensors: Vec<Tensor> = shapes.iter().map(|shape| numbered(shape)).collect();
    let actual = Tensor::einsum(equation, &tensors.iter().collect::<Vec<_>>());
    let named: Vec<(&str, &Tensor)> = letters.iter().copied().zip(&tensors).collect();
    let expected = naive(&named, result);
    let actual = actual.to_vec::<f64>();
    assert_eq!(actual.len(), expected.len(), "{equation}");
    for (a, e) in actual.iter().zip(&expected) {
        assert!(
            (a - e).abs() < 1e-9 * e.abs().max(1.0),
            "{equation}: {actual:?} is not {expected:?}"
        );
    }
}

#[test]
fn agrees_with_the_definition() {
    check("ij,jk->ik", &["ij", "jk"], "ik", &[&[2, 3], &[3, 4]]);
    check("ij,jk", &["ij", "jk"], "ik", &[&[2, 3], &[3, 4]]);
    check("ji,jk->ki", &["ji", "jk"], "ki", &[&[3, 2], &[3, 4]]);
    check(
        "bij,bjk->bik",
        &["bij", "bjk"],
        "bik",
        &[&[2, 3, 4], &[2, 4, 2]],
    );
    check("ii", &["ii"], "", &[&[4, 4]]);
    check("ii->i", &["ii"], "i", &[&[4, 4]]);
    check("iji->j", &["iji"], "j", &[&[3, 2, 3]]);
    check("iii", &["iii"], "", &[&[3, 3, 3]]);
    check("i,j->ij", &["i", "j"], "ij", &[&[3], &[4]]);
    check("i,i", &["i", "i"], "", &[&[3], &[3]]);
    check("ij->", &["ij"], "", &[&[3, 2]]);
    check("ba", &["ba"], "ab", &[&[3, 2]]);
    check(
        "ij,jk,kl->il",
        &["ij", "jk", "kl"],
        "il",
        &[&[2, 3], &[3, 4], &[4, 2]],
    );
    check(
        "bhqd,bhkd->bhqk",
        &["bhqd", "bhkd"],
        "bhqk",
        &[&[2, 2, 3, 4], &[2, 2, 5, 4]],
    );
    check(
        "a,b,c,d->dcba",
        &["a", "b", "c", "d"],
        "dcba",
        &[&[2], &[3], &[2], &[2]],
    );
    check(
        "ij,ik,il->jkl",
        &["ij", "ik", "il"],
        "jkl",
        &[&[3, 2], &[3, 2], &[3, 2]],
    );
    check("ij,jk->k", &["ij", "jk"], "k", &[&[2, 3], &[3, 4]]);
    check("ij,ij->ij", &["ij", "ij"], "ij", &[&[2, 3], &[2, 3]]);
    check("i j , j k -> i k", &["ij", "jk"], "ik", &[&[2, 3], &[3, 4]]);
    check("Ab,bA", &["Ab", "bA"], "", &[&[2, 3], &[3, 2]]);
    check("ij,jk->ik", &["ij", "jk"], "ik", &[&[2, 0], &[0, 4]]);
    check("ij,jk->ik", &["ij", "jk"], "ik", &[&[0, 3], &[3, 4]]);
    check("ij,jk->ik", &["ij", "jk"], "ik", &[&[2, 1], &[3, 4]]);
}

#[test]
fn ellipsis_broadcasts() {
    check(
        "...ij,...jk->...ik",
        &["aij", "ajk"],
        "aik",
        &[&[2, 3, 4], &[2, 4, 2]],
    );
    check(
        "...ij,jk",
        &["abij", "jk"],
        "abik",
        &[&[2, 2, 3, 4], &[4, 2]],
    );
    check(
        "...ij,...jk",
        &["aij", "ajk"],
        "aik",
        &[&[1, 3, 4], &[5, 4, 2]],
    );
    check("i...->...i", &["iab"], "abi", &[&[2, 3, 4]]);
    check("...ii->...", &["aii"], "a", &[&[2, 3, 3]]);
    check("...,...", &["ab", "b"], "ab", &[&[2, 3], &[3]]);
}

#[test]
fn bad_strings_show_the_place() {
    let (a, b) = (numbered(&[2, 3]), numbered(&[4, 2]));
    let message = |equation: &str, operands: &[&Tensor]| {
        attempt(|| Tensor::einsum(equation, operands))
            .unwrap_err()
            .message()
            .to_owned()
    };
    assert_eq!(
        message("ij,j?->i", &[&a, &b]),
        "einsum: `?` is not a letter, `,`, `...` or `->`\n    ij,j?->i\n        ^"
    );
    assert_eq!(
        message("ij->ik", &[&a]),
        "einsum: `k` of the result is in no operand\n    ij->ik\n         ^"
    );
    assert_eq!(
        message("ij->ii", &[&a]),
        "einsum: `i` stands twice in the result\n    ij->ii\n         ^"
    );
    assert_eq!(
        message("ij,jk", &[&a, &b]),
        "einsum: `j` has extent 3 in operand 0 and 4 in operand 1"
    );
    assert_eq!(
        message("ijk", &[&a]),
        "einsum: operand 0 has 2 axes (shape [2, 3]), `ijk` names 3 for it"
    );
    assert_eq!(
        message("ij,jk", &[&a]),
        "einsum: `ij,jk` is about 2 operands, 1 were given"
    );
    assert!(Tensor::try_einsum("i.j", &[&a]).is_err());
}
