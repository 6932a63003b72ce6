//! From single examples to a batch.

use super::DataError;
use chainrule_core::{Scalar, Tensor, Tree, tree};

/// Puts examples into one batch: every tensor of the tree gets a new first axis, the examples.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::data::stack;
/// let (x, y) = stack(&[(tensor![1.0, 2.0], tensor![0]), (tensor![3.0, 4.0], tensor![1])])?;
/// assert_eq!(x.shape().to_string(), "[2, 2]");
/// assert_eq!(y.shape().to_string(), "[2, 1]");
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
///
/// # Errors
/// When there are no examples, or they differ in structure, shape or dtype.
pub fn stack<T: Tree>(examples: &[T]) -> Result<T, DataError> {
    let numbers: Vec<usize> = (0..examples.len()).collect();
    stack_numbered(examples, &numbers)
}

/// [`stack`], with the numbers of the examples for its messages.
pub(crate) fn stack_numbered<T: Tree>(examples: &[T], numbers: &[usize]) -> Result<T, DataError> {
    let Some(first) = examples.first() else {
        return Err(DataError::Empty("the batch".to_owned()));
    };
    let columns = columns(examples, numbers)?;
    for (name, column) in tree::named_leaves(first)
        .into_iter()
        .map(|(name, _)| name)
        .zip(&columns)
    {
        for (tensor, number) in column.iter().zip(numbers) {
            let expected = column[0];
            if tensor.shape() != expected.shape() || tensor.dtype() != expected.dtype() {
                return Err(DataError::Mismatch(format!(
                    "{} is {} {} in example {number} and {} {} in example {}; for sequences of different lengths \
                     there is `pad`",
                    described(&name),
                    tensor.shape(),
                    tensor.dtype(),
                    expected.shape(),
                    expected.dtype(),
                    numbers[0],
                )));
            }
        }
    }
    let stacked: Vec<Tensor> = columns
        .iter()
        .map(|column| Tensor::stack(column, 0))
        .collect();
    Ok(tree::rebuilt(first, &stacked))
}

fn described(name: &str) -> String {
    match name {
        "" => "the tensor".to_owned(),
        name => format!("tensor `{name}`"),
    }
}

/// The tensors at each place of the tree, one per example.
fn columns<'a, T: Tree>(
    examples: &'a [T],
    numbers: &[usize],
) -> Result<Vec<Vec<&'a Tensor>>, DataError> {
    let mut columns: Vec<Vec<&Tensor>> = Vec::new();
    for (example, number) in examples.iter().zip(numbers) {
        let leaves = tree::leaves(example);
        if columns.is_empty() {
            columns = leaves.into_iter().map(|leaf| vec![leaf]).collect();
            continue;
        }
        if leaves.len() != columns.len() {
            return Err(DataError::Mismatch(format!(
                "example {number} has {} tensors, example {} has {}",
                leaves.len(),
                numbers[0],
                columns.len()
            )));
        }
        for (column, leaf) in columns.iter_mut().zip(leaves) {
            column.push(leaf);
        }
    }
    Ok(columns)
}

/// Rows of `first` behind which those of `second` are thought, in the order of `places`.
pub(crate) fn rows_of_both<T: Tree>(
    first: &T,
    second: &T,
    places: &[usize],
) -> Result<T, DataError> {
    let (front, back) = (tree::leaves(first), tree::leaves(second));
    let fit =
        |(a, b): (&&Tensor, &&Tensor)| a.shape()[1..] == b.shape()[1..] && a.dtype() == b.dtype();
    if front.len() != back.len() || !front.iter().zip(&back).all(fit) {
        return Err(DataError::Mismatch(
            "the two parts of a concatenated data set differ in shape or dtype".to_owned(),
        ));
    }
    let order: Vec<i64> = places.iter().map(|&place| place as i64).collect();
    let order = Tensor::from(order);
    let rows: Vec<Tensor> = front
        .into_iter()
        .zip(back)
        .map(|(a, b)| Tensor::concat(&[a, b], 0).index_select(0, &order))
        .collect();
    Ok(tree::rebuilt(first, &rows))
}

/// Puts sequences of different lengths into one batch: `([batch, longest, ..], lengths [batch] i64)`.
///
/// The first axis of each tensor is its length; behind the end of the shorter ones stands `padding`, converted to their
/// dtype.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::data::pad;
/// let (batch, lengths) = pad(&[tensor![1, 2, 3], tensor![4]], -1.0)?;
/// assert_eq!(batch.to_vec::<i64>(), [1, 2, 3, 4, -1, -1]);
/// assert_eq!(lengths.to_vec::<i64>(), [3, 1]);
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
///
/// # Errors
/// When there are no sequences, one has no axes, or they differ in dtype or in another axis than the first.
pub fn pad(sequences: &[Tensor], padding: f64) -> Result<(Tensor, Tensor), DataError> {
    let Some(first) = sequences.first() else {
        return Err(DataError::Empty("the batch".to_owned()));
    };
    for (number, sequence) in sequences.iter().enumerate() {
        let fits = sequence.rank() > 0
            && sequence.rank() == first.rank()
            && sequence.shape()[1..] == first.shape()[1..]
            && sequence.dtype() == first.dtype();
        if !fits {
            return Err(DataError::Mismatch(format!(
                "sequence {number} is {} {}, sequence 0 is {} {}; only the first axis, the length, may differ",
                sequence.shape(),
                sequence.dtype(),
                first.shape(),
                first.dtype()
            )));
        }
    }
    let lengths: Vec<usize> = sequences
        .iter()
        .map(|sequence| sequence.shape()[0])
        .collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let padded: Vec<Tensor> = sequences
        .iter()
        .zip(&lengths)
        .map(|(sequence, &length)| {
            let mut shape: Vec<usize> = sequence.shape().iter().copied().collect();
            shape[0] = longest - length;
            let behind = Tensor::full_as(shape, Scalar::Float(padding), sequence.dtype());
            Tensor::concat(&[sequence, &behind], 0)
        })
        .collect();
    let lengths: Vec<i64> = lengths.iter().map(|&length| length as i64).collect();
    Ok((Tensor::stack(&padded, 0), Tensor::from(lengths)))
}
