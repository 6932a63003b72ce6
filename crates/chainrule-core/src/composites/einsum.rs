//! Sums of products in Einstein's notation: a method made of permutations, products and sums.

use crate::declare::operation;
use crate::error::{Error, ErrorKind, or_raise};
use crate::primitives::matmul::Matmul;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// One index of an operand or of the result. Axes under `...` are numbered from the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
enum Label {
    Ellipsis(usize),
    Letter(char),
}

/// A parsed equation: the labels of each operand as written, and of the result if they were written.
struct Equation {
    operands: Vec<Term>,
    result: Option<Term>,
}

/// Letters before and after an ellipsis, if there is one.
#[derive(Clone, Default)]
struct Term {
    before: Vec<char>,
    after: Option<Vec<char>>,
}

fn complaint(equation: &str, place: usize, reason: &str) -> Error {
    let caret = " ".repeat(equation[..place.min(equation.len())].chars().count());
    let message = format!("einsum: {reason}\n    {equation}\n    {caret}^");
    Error::new(ErrorKind::Argument, message)
}

fn parse(equation: &str) -> Result<Equation, Error> {
    let (left, right) = match equation.find("->") {
        Some(arrow) => (&equation[..arrow], Some(arrow + 2)),
        None => (equation, None),
    };
    let mut operands = Vec::new();
    let mut start = 0;
    for piece in left.split(',') {
        operands.push(parse_term(equation, start, piece)?);
        start += piece.len() + 1;
    }
    let result = right
        .map(|start| parse_term(equation, start, &equation[start..]))
        .transpose()?;
    if let (Some(term), Some(start)) = (&result, right) {
        let letters: Vec<char> = term
            .before
            .iter()
            .chain(term.after.iter().flatten())
            .copied()
            .collect();
        for (position, letter) in letters.iter().enumerate() {
            let place = start + equation[start..].find(*letter).unwrap_or(0);
            if letters[..position].contains(letter) {
                let place = start + equation[start..].rfind(*letter).unwrap_or(0);
                return Err(complaint(
                    equation,
                    place,
                    &format!("`{letter}` stands twice in the result"),
                ));
            }
            let known = |operand: &Term| {
                operand.before.contains(letter)
                    || operand.after.iter().flatten().any(|l| l == letter)
            };
            if !operands.iter().any(known) {
                return Err(complaint(
                    equation,
                    place,
                    &format!("`{letter}` of the result is in no operand"),
                ));
            }
        }
    }
    Ok(Equation { operands, result })
}

fn parse_term(equation: &str, start: usize, piece: &str) -> Result<Term, Error> {
    let mut term = Term::default();
    let mut rest = piece.char_indices();
    while let Some((offset, letter)) = rest.next() {
        let place = start + offset;
        match letter {
            ' ' => {}
            '.' => {
                if !piece[offset..].starts_with("...") || term.after.is_some() {
                    return Err(complaint(
                        equation,
                        place,
                        "a dot is only part of one ellipsis `...`",
                    ));
                }
                rest.nth(1);
                term.after = Some(Vec::new());
            }
            letter if letter.is_ascii_alphabetic() => {
                term.after.as_mut().unwrap_or(&mut term.before).push(letter)
            }
            other => {
                return Err(complaint(
                    equation,
                    place,
                    &format!("`{other}` is not a letter, `,`, `...` or `->`"),
                ));
            }
        }
    }
    Ok(term)
}

/// An operand on the way: each label at most once, in the order of the axes.
#[derive(Clone)]
struct Part {
    tensor: Tensor,
    labels: Vec<Label>,
}

impl Part {
    fn position(&self, label: Label) -> Option<usize> {
        self.labels.iter().position(|&own| own == label)
    }

    fn extent(&self, label: Label) -> usize {
        self.position(label)
            .map_or(1, |axis| self.tensor.shape()[axis])
    }

    /// The part with exactly these labels, in this order; missing ones get extent 1.
    fn arranged(&self, labels: &[Label]) -> Tensor {
        let present: Vec<usize> = labels
            .iter()
            .filter_map(|&label| self.position(label))
            .collect();
        let shape: Shape = labels.iter().map(|&label| self.extent(label)).collect();
        self.tensor.permute(present).shaped(&shape)
    }

    /// The part summed over labels that nobody else needs.
    fn summed(&self, needed: &dyn Fn(Label) -> bool) -> Part {
        let axes: Vec<usize> = (0..self.labels.len())
            .filter(|&axis| !needed(self.labels[axis]))
            .collect();
        if axes.is_empty() {
            return self.clone();
        }
        Part {
            tensor: self.tensor.sum(axes),
            labels: self
                .labels
                .iter()
                .copied()
                .filter(|&label| needed(label))
                .collect(),
        }
    }
}

fn part(equation: &str, term: &Term, tensor: &Tensor, number: usize) -> Result<Part, Error> {
    let letters = term.before.len() + term.after.as_ref().map_or(0, Vec::len);
    let covered = tensor.rank().checked_sub(letters);
    let fits = covered == Some(0) || (covered.is_some() && term.after.is_some());
    if !fits {
        let message = format!(
            "einsum: operand {number} has {} axes (shape {}), `{equation}` names {letters} for it",
            tensor.rank(),
            tensor.shape()
        );
        return Err(Error::new(ErrorKind::Shape, message));
    }
    let hidden = (0..covered.unwrap_or(0)).rev().map(Label::Ellipsis);
    let after = term
        .after
        .iter()
        .flatten()
        .map(|&letter| Label::Letter(letter));
    let mut labels: Vec<Label> = term
        .before
        .iter()
        .map(|&letter| Label::Letter(letter))
        .chain(hidden)
        .chain(after)
        .collect();
    let mut tensor = tensor.clone();
    // A label that stands twice in one operand takes the diagonal.
    while let Some((first, second)) = repeated(&labels) {
        let (one, other) = (tensor.shape()[first], tensor.shape()[second]);
        if one != other {
            let message = format!(
                "einsum: {:?} stands for axes of extents {one} and {other} in operand {number}",
                labels[first]
            );
            return Err(Error::new(ErrorKind::Shape, message));
        }
        tensor = tensor.diagonal(0, first as isize, second as isize);
        let label = labels[first];
        labels.remove(second);
        labels.remove(first);
        labels.push(label);
    }
    Ok(Part { tensor, labels })
}

fn repeated(labels: &[Label]) -> Option<(usize, usize)> {
    (0..labels.len()).find_map(|first| {
        let second = labels[first + 1..]
            .iter()
            .position(|label| *label == labels[first])?;
        Some((first, first + 1 + second))
    })
}

/// Checks that every label has one extent (or 1, which stretches).
fn check_extents(parts: &[Part]) -> Result<(), Error> {
    let mut known: Vec<(Label, usize, usize)> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        for (&label, &extent) in part.labels.iter().zip(part.tensor.shape().iter()) {
            match known.iter_mut().find(|(other, _, _)| *other == label) {
                None => known.push((label, extent, number)),
                Some((_, one, _)) if *one == extent || extent == 1 => {}
                Some((_, one, at)) if *one == 1 => (*one, *at) = (extent, number),
                Some((_, one, at)) => {
                    let name = match label {
                        Label::Letter(letter) => format!("`{letter}`"),
                        Label::Ellipsis(_) => "an axis under `...`".to_owned(),
                    };
                    let message = format!(
                        "einsum: {name} has extent {one} in operand {at} and {extent} in operand {number}"
                    );
                    return Err(Error::new(ErrorKind::Shape, message));
                }
            }
        }
    }
    Ok(())
}

/// The product of two parts, summed over the labels that are not `needed` any more, as one batched matrix product.
fn contracted(a: &Part, b: &Part, needed: &dyn Fn(Label) -> bool) -> Part {
    let (a, b) = (
        a.summed(&|label| needed(label) || b.position(label).is_some()),
        b.summed(&|label| needed(label) || a.position(label).is_some()),
    );
    let shared = |label: Label| a.position(label).is_some() && b.position(label).is_some();
    // A shared label of extent 1 on one side broadcasts; it is summed on its own side where it disappears.
    let sums = |label: Label| shared(label) && !needed(label) && a.extent(label) == b.extent(label);
    let mut all: Vec<Label> = a.labels.clone();
    all.extend(
        b.labels
            .iter()
            .copied()
            .filter(|&label| a.position(label).is_none()),
    );
    let stretched = all
        .iter()
        .any(|&label| shared(label) && a.extent(label) != b.extent(label));
    if stretched {
        let product = a.arranged(&all) * b.arranged(&all);
        return Part {
            tensor: product,
            labels: all,
        }
        .summed(needed);
    }
    let pick = |keep: &dyn Fn(Label) -> bool| {
        all.iter()
            .copied()
            .filter(|&label| keep(label))
            .collect::<Vec<Label>>()
    };
    let batch = pick(&|label| shared(label) && !sums(label));
    let inner = pick(&|label| sums(label));
    let rows = pick(&|label| b.position(label).is_none());
    let columns = pick(&|label| a.position(label).is_none());
    let product = |part: &Part, labels: &[Label]| {
        labels
            .iter()
            .map(|&label| part.extent(label))
            .product::<usize>()
    };
    let order = |groups: [&[Label]; 3]| groups.concat();
    let batch_shape: Vec<usize> = batch.iter().map(|&label| a.extent(label)).collect();
    let matrix = |part: &Part, labels: Vec<Label>, extents: [usize; 2]| {
        let shape: Shape = batch_shape.iter().copied().chain(extents).collect();
        part.arranged(&labels).shaped(&shape)
    };
    let left = matrix(
        &a,
        order([&batch, &rows, &inner]),
        [product(&a, &rows), product(&a, &inner)],
    );
    let right = matrix(
        &b,
        order([&batch, &inner, &columns]),
        [product(&b, &inner), product(&b, &columns)],
    );
    let labels = order([&batch, &rows, &columns]);
    let shape: Shape = labels
        .iter()
        .map(|&label| a.extent(label).max(b.extent(label)))
        .collect();
    let empty = labels.iter().any(|&label| {
        a.position(label).is_some_and(|_| a.extent(label) == 0)
            || b.position(label).is_some_and(|_| b.extent(label) == 0)
    });
    let shape = if empty {
        labels
            .iter()
            .map(|&label| {
                if a.position(label).is_some() {
                    a.extent(label)
                } else {
                    b.extent(label)
                }
            })
            .collect()
    } else {
        shape
    };
    Part {
        tensor: operation(Matmul).of(&[&left, &right]).shaped(&shape),
        labels,
    }
}

/// The result's labels when the equation names none: those of `...`, then the letters that stand once, alphabetically.
fn implied_result(parts: &[Part], equation: &Equation) -> Vec<Label> {
    let written: Vec<char> = equation
        .operands
        .iter()
        .flat_map(|term| term.before.iter().chain(term.after.iter().flatten()))
        .copied()
        .collect();
    let mut letters: Vec<char> = written
        .iter()
        .copied()
        .filter(|letter| written.iter().filter(|other| *other == letter).count() == 1)
        .collect();
    letters.sort_unstable();
    hidden(parts)
        .chain(letters.into_iter().map(Label::Letter))
        .collect()
}

/// The labels under `...` of all parts, outermost first.
fn hidden(parts: &[Part]) -> impl Iterator<Item = Label> {
    let count = parts
        .iter()
        .flat_map(|part| &part.labels)
        .filter_map(|label| match label {
            Label::Ellipsis(number) => Some(number + 1),
            Label::Letter(_) => None,
        });
    (0..count.max().unwrap_or(0)).rev().map(Label::Ellipsis)
}

fn evaluate(text: &str, operands: &[&Tensor]) -> Result<Tensor, Error> {
    let equation = parse(text)?;
    if equation.operands.len() != operands.len() {
        let message = format!(
            "einsum: `{text}` is about {} operands, {} were given",
            equation.operands.len(),
            operands.len()
        );
        return Err(Error::new(ErrorKind::Argument, message));
    }
    let dtype = operands
        .iter()
        .map(|operand| operand.dtype())
        .reduce(crate::promote)
        .expect("there is an operand");
    let parts: Result<Vec<Part>, Error> = equation
        .operands
        .iter()
        .zip(operands)
        .enumerate()
        .map(|(number, (term, tensor))| part(text, term, &tensor.cast(dtype), number))
        .collect();
    let mut parts = parts?;
    check_extents(&parts)?;
    let result: Vec<Label> = match &equation.result {
        None => implied_result(&parts, &equation),
        Some(term) => {
            let hidden: Vec<Label> = if term.after.is_some() {
                hidden(&parts).collect()
            } else {
                Vec::new()
            };
            let before = term.before.iter().map(|&letter| Label::Letter(letter));
            let after = term
                .after
                .iter()
                .flatten()
                .map(|&letter| Label::Letter(letter));
            before.chain(hidden).chain(after).collect()
        }
    };
    while parts.len() > 1 {
        let (first, second) = cheapest_pair(&parts);
        let b = parts.remove(second);
        let a = parts.remove(first);
        let needed = |label: Label| {
            result.contains(&label) || parts.iter().any(|part| part.position(label).is_some())
        };
        let joined = contracted(&a, &b, &needed);
        parts.insert(first, joined);
    }
    let last = parts.remove(0).summed(&|label| result.contains(&label));
    Ok(last.arranged(&result))
}

/// The pair whose product is smallest, the earliest of equals.
fn cheapest_pair(parts: &[Part]) -> (usize, usize) {
    let size = |a: &Part, b: &Part| {
        let mut labels: Vec<Label> = a.labels.iter().chain(&b.labels).copied().collect();
        labels.sort_unstable();
        labels.dedup();
        labels
            .iter()
            .map(|&label| a.extent(label).max(b.extent(label)) as f64)
            .product::<f64>()
    };
    let pairs = (0..parts.len())
        .flat_map(|first| (first + 1..parts.len()).map(move |second| (first, second)));
    pairs
        .min_by(|&(a, b), &(c, d)| {
            size(&parts[a], &parts[b]).total_cmp(&size(&parts[c], &parts[d]))
        })
        .expect("there are at least two parts")
}

impl Tensor {
    /// A sum of products in Einstein's notation: letters name axes, a letter in several operands multiplies along it, a
    /// letter that is missing in the result is summed over, one that stands twice in an operand takes the diagonal, and
    /// `...` stands for any further axes, which broadcast. Without `->` the result has the letters that stand once, in
    /// alphabetical order. Several operands are multiplied pairwise, the smallest product first.
    ///
    /// ```
    /// use chainrule_core::{tensor, Tensor};
    /// let (a, b) = (tensor![[1.0, 2.0], [3.0, 4.0]], tensor![[1.0, 0.0], [0.0, 2.0]]);
    /// assert_eq!(Tensor::einsum("ij,jk->ik", &[&a, &b]).to_vec::<f32>(), [1.0, 4.0, 3.0, 8.0]);
    /// assert_eq!(Tensor::einsum("ii", &[&a]).item::<f32>(), 5.0);
    /// ```
    ///
    /// # Panics
    /// When the string is not valid or the operands do not fit it.
    #[track_caller]
    pub fn einsum(equation: &str, operands: &[&Tensor]) -> Tensor {
        or_raise(evaluate(equation, operands))
    }

    /// Like [`einsum`](Tensor::einsum), for equations that come from data or configuration.
    ///
    /// # Errors
    /// When the string is not valid or the operands do not fit it.
    #[track_caller]
    pub fn try_einsum(equation: &str, operands: &[&Tensor]) -> Result<Tensor, Error> {
        crate::error::attempt(|| Tensor::einsum(equation, operands))
    }
}
