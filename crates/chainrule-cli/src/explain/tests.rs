//! The language from text to value.

use super::evaluate::evaluate;
use super::parser::parse;
use super::value::numbers;
use chainrule::Tensor;

fn run(text: &str, variables: &[(&str, Tensor)]) -> Result<Vec<f64>, String> {
    let variables: Vec<(String, Tensor)> = variables
        .iter()
        .map(|(name, tensor)| ((*name).to_owned(), tensor.clone()))
        .collect();
    parse(text)
        .and_then(|program| evaluate(&program, text, &variables))
        .map(|evaluated| numbers(&evaluated.result.tensor()))
        .map_err(|problem| problem.within(text).to_string())
}

fn value(text: &str) -> f64 {
    let variables = [
        ("x", Tensor::from(3.0)),
        ("y", Tensor::from(-2.0)),
        ("v", Tensor::from(vec![1.0, 2.0, 4.0])),
        ("A", Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2])),
    ];
    match run(text, &variables) {
        Ok(numbers) => {
            assert_eq!(numbers.len(), 1, "{text}");
            numbers[0]
        }
        Err(problem) => panic!("{text}: {problem}"),
    }
}

#[test]
fn operators_bind_as_in_mathematics() {
    assert_eq!(value("1 + 2 * 3"), 7.0);
    assert_eq!(value("-x^2"), -9.0);
    assert_eq!(value("(-x)^2"), 9.0);
    assert_eq!(value("2^3^2"), 512.0);
    assert_eq!(value("2**-1"), 0.5);
    assert_eq!(value("2^-1*4"), 2.0);
    assert_eq!(value("8 / 4 / 2"), 1.0);
    assert_eq!(value("x - y - 1"), 4.0);
    assert_eq!(value("- - -x"), -3.0);
    assert_eq!(value("+x"), 3.0);
    assert_eq!(value("x*-y"), 6.0);
    assert_eq!(value("1 < 2"), 1.0);
    assert_eq!(value("(x > y) * (y > x)"), 0.0);
    assert_eq!(value("x + 1 > 3"), 1.0);
}

#[test]
fn statements_name_values() {
    assert_eq!(value("a = x*y; b = a + 1; b * b"), 25.0);
    assert_eq!(value("a = x*y\nb = (a\n + 1)\n\nb"), -5.0);
    assert_eq!(value("a = 2; a = a * x; a"), 6.0);
    assert_eq!(value("x = 4; x"), 4.0);
    assert_eq!(value("a = x;"), 3.0);
}

#[test]
fn arrays_are_indexed_and_reduced() {
    assert_eq!(value("v[0] + v[-1]"), 5.0);
    assert_eq!(value("sum(v[1:])"), 6.0);
    assert_eq!(value("sum(v[:2])"), 3.0);
    assert_eq!(value("sum(v[::2])"), 5.0);
    assert_eq!(value("v[::-1][0]"), 4.0);
    assert_eq!(value("sum(v[:])"), 7.0);
    assert_eq!(value("A[0, 1]"), 2.0);
    assert_eq!(value("A.T[0, 1]"), 3.0);
    assert_eq!(value("sum(A[:, 1])"), 6.0);
    assert_eq!(value("sum(A[1, :])"), 7.0);
    assert_eq!(value("sum(v[[0, 0, 2]])"), 6.0);
    assert_eq!(value("[1, 2, 3]@v"), 17.0);
    assert_eq!(value("[x, y]@[1, 1]"), 1.0);
    assert_eq!(value("sum([[1, 2], [3, 4]] @ A)"), 54.0);
    assert_eq!(value("max(v)"), 4.0);
    assert_eq!(value("max(0, y)"), 0.0);
    assert_eq!(value("min(x, y, 1)"), -2.0);
    assert_eq!(value("sum(max(A, axis=0))"), 7.0);
    assert_eq!(value("sum(A, axis=[0, 1])"), 10.0);
    assert_eq!(value("mean(A, 1)[1]"), 3.5);
    assert_eq!(value("norm([3, 4])"), 5.0);
    assert_eq!(value("norm(v, order=inf)"), 4.0);
    assert_eq!(value("sum(where(v > 1, v, 0))"), 6.0);
    assert_eq!(value("where(x > 0, x, -x)"), 3.0);
    assert_eq!(value("reshape(v, 3, 1)[2, 0]"), 4.0);
    assert_eq!(value("reshape(A, [4])[2]"), 3.0);
    assert_eq!(value("transpose(A)[0, 1]"), 3.0);
    assert!((value("sum(softmax(v))") - 1.0).abs() < 1e-15);
    assert!((value("cos(pi)") + 1.0).abs() < 1e-15);
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let a = Tensor::from_vec(vec![0.0; 6], [2, 3]);
    let variables = [("x", Tensor::from(3.0)), ("A", a.clone()), ("w", a)];
    for (text, message, caret) in [
        ("x +", "a value is expected here, not the end", 3),
        ("x + * 2", "not `*`", 4),
        ("(x", "`(` is never closed", 0),
        ("2 * sin(x", "`(` is never closed", 7),
        ("[1, 2", "`[` is never closed", 0),
        ("x)", "`)` closes nothing", 1),
        ("2x", "write `2*x`", 1),
        ("x = = 2", "not `=`", 4),
        ("x + y", "`y` has no value", 4),
        ("sigmiod(x)", "did you mean `sigmoid`?", 0),
        ("sin", "`sin` is a function", 0),
        ("x(2)", "multiplication is `*`", 0),
        ("sin(x, 2)", "one argument too many", 7),
        ("sin()", "an argument is missing", 0),
        ("sum(A, axes=0)", "no argument called `axes`", 7),
        ("sum(A, axis=x)", "cannot depend on a variable", 12),
        ("sum(A, axis=0.5)", "whole number, not 0.5", 12),
        ("sum(A, axis=2)", "axis 2 does not exist", 0),
        ("A[2, 0]", "2", 0),
        ("A[x]", "cannot depend on a variable", 2),
        ("A @ w", "`A.T @ w` fits", 2),
        ("A + [1, 2]", "do not broadcast", 2),
        ("[1, [2]]", "equal shapes", 4),
        ("[]", "at least one element", 1),
        ("1 < x < 3", "comparisons do not chain", 6),
        ("x % 2", "`%` has no meaning here", 2),
        ("", "there is no expression", 0),
    ] {
        let problem = run(text, &variables).expect_err(text);
        assert!(problem.contains(message), "{text}: {problem}");
        let carets = problem.lines().nth(2).unwrap();
        assert_eq!(carets.find('^'), Some(4 + caret), "{text}: {problem}");
    }
}

#[test]
fn depth_is_no_danger() {
    let deep = format!("{}x{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(value(&deep), 3.0);
    let signs = format!("{}x", "-".repeat(20_000));
    assert_eq!(value(&signs), 3.0);
    let calls = format!("{}x{}", "sin(".repeat(2_000), ")".repeat(2_000));
    assert!(value(&calls).is_finite());
    let powers = vec!["1"; 10_000].join("^");
    assert_eq!(value(&powers), 1.0);
    let unclosed = run(&"(".repeat(10_000), &[]).unwrap_err();
    assert!(unclosed.contains("is never closed"), "{unclosed}");
    let lists = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(run(&lists, &[]).unwrap_err().contains("nested more than"));
}

/// A small generator of numbers, so that a failure can be repeated.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

const VALID: [&str; 12] = [
    "(x + y) * z",
    "a = x*y; b = sin(y); a + b",
    "-log(sigmoid(v@v))",
    "max(0, x) + min(v, axis=0)",
    "sum(A.T[0, :] ** 2.5e0)",
    "where(x > 0, x, -x^2)",
    "norm(v[1:3], order=2)",
    "[x, y, z] @ v / 2",
    "softmax(A, axis=-1)[0, 1]",
    "reshape(v, [3, 1])[::2]",
    "A @ [[1, 2], [3, 4]] - 1",
    "x <= y == z",
];

/// Random pieces of the language in a row, or a valid program with some letters changed.
pub fn random_text(random: &mut Random) -> String {
    let pieces: Vec<&str> = "+ - * / ^ ** @ ( ) [ ] , ; : = == < <= != . .T x y z v A 1 2 0.5 1e3 sum( max( sin( where( axis= \
        softmax( reshape( norm( é ∑ \n \u{0} ' \" [1,2] [[1,2],[3,4]] -1 1e309 _ T"
        .split(' ')
        .collect();
    if random.below(2) == 0 {
        let count = 1 + random.below(12);
        (0..count)
            .map(|_| pieces[random.below(pieces.len())])
            .collect()
    } else {
        let mut letters: Vec<char> = VALID[random.below(VALID.len())].chars().collect();
        for _ in 0..1 + random.below(3) {
            let at = random.below(letters.len().max(1));
            match random.below(3) {
                0 if !letters.is_empty() => drop(letters.remove(at)),
                1 => letters.insert(
                    at,
                    pieces[random.below(pieces.len())]
                        .chars()
                        .next()
                        .unwrap_or('x'),
                ),
                _ => letters.insert(at.min(letters.len()), letters[random.below(letters.len())]),
            }
        }
        letters.into_iter().collect()
    }
}

#[test]
fn random_texts_and_mutations_never_panic() {
    let variables = [
        ("x", Tensor::from(3.0)),
        ("y", Tensor::from(-2.0)),
        ("z", Tensor::from(0.5)),
        ("v", Tensor::from(vec![1.0, 2.0, 4.0])),
        ("A", Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2])),
    ];
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let (mut answers, mut problems) = (0, 0);
    for _ in 0..10_000 {
        let text = random_text(&mut random);
        match run(&text, &variables) {
            Ok(_) => answers += 1,
            Err(problem) => {
                assert!(
                    !problem.contains("panic") && !problem.contains("unreachable"),
                    "{text:?}: {problem}"
                );
                problems += 1;
            }
        }
    }
    assert!(
        answers > 500 && problems > 500,
        "{answers} answers, {problems} problems"
    );
}
