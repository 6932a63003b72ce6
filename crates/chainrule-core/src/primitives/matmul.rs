//! Matrix products.

use crate::declare::{
    Array, Batch, BatchRule, Derivative, Evaluation, Multilinear, Primitive, Reference, Ring,
    Sample, Specs, one, operation,
};
use crate::each_ring_pair;
use crate::error::{Error, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::{Shape, broadcast};
use crate::tensor::{Tensor, promote};
use chainrule_kernels::DType;

family! { Matmul }

/// Product over the last two axes. The leading axes are equal: the method has broadcast them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Matmul;

impl Primitive for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn formula(&self) -> &'static str {
        "y[.., i, j] = Σk a[.., i, k] b[.., k, j]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let [a, b] = inputs else {
            return Err(Mismatch::argument("two operands are needed"));
        };
        if a.dtype() != b.dtype() {
            let reason = format!("the dtypes differ: {} and {}", a.dtype(), b.dtype());
            let wider = promote(a.dtype(), b.dtype()).name().to_uppercase();
            return Err(
                Mismatch::dtype(reason).help(format!("convert one: `.cast(DType::{wider})`"))
            );
        }
        if a.dtype() == DType::Bool {
            return Err(Mismatch::dtype("truth values have no product")
                .help("convert first: `.cast(DType::F32)`"));
        }
        let (rank, inner) = (a.rank(), a.shape()[a.rank() - 1]);
        let other = b.shape()[b.rank() - 2];
        if inner != other {
            return Err(inner_extents_differ(a, b, inner, other));
        }
        if a.shape()[..rank - 2] != b.shape()[..b.rank() - 2] {
            return Err(Mismatch::shape("the leading axes differ"));
        }
        one(a.with_shape(a.shape().with_extent(rank - 1, b.shape()[rank - 1])))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Multilinear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Rule(self)
    }

    fn samples() -> Vec<Sample> {
        let of = |a: Shape, b: Shape| Sample::new(operation(Matmul)).input(a).input(b);
        vec![
            of([3, 4].into(), [4, 2].into()),
            of([5, 3, 4].into(), [5, 4, 2].into()),
            of([0, 4].into(), [4, 2].into()),
            of([3, 0].into(), [0, 2].into()),
        ]
    }
}

/// The complaint about inner extents, with a hint if a transpose makes the product possible.
fn inner_extents_differ(a: &Spec, b: &Spec, inner: usize, other: usize) -> Mismatch {
    let reason = format!(
        "the inner extents differ: {inner} (last axis of left) and {other} (first axis of right)"
    );
    let mismatch = Mismatch::shape(reason);
    let swapped = |spec: &Spec| {
        let (rows, columns) = (spec.shape()[spec.rank() - 2], spec.shape()[spec.rank() - 1]);
        spec.shape()
            .with_extent(spec.rank() - 2, columns)
            .with_extent(spec.rank() - 1, rows)
    };
    let (left, right) = (swapped(a), swapped(b));
    if inner == right[right.rank() - 2] {
        mismatch.help(format!(
            "`right.t()` is {right} and fits: left.matmul(right.t())"
        ))
    } else if left[left.rank() - 1] == other {
        mismatch.help(format!(
            "`left.t()` is {left} and fits: left.t().matmul(right)"
        ))
    } else {
        mismatch
    }
}

impl Reference for Matmul {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let [m, k] = last_two(&inputs[0].shape);
        let [_, n] = last_two(&inputs[1].shape);
        let data = each_ring_pair!(&inputs[0].data, &inputs[1].data, (a, b) => {
            let batches = specs[0].elements().checked_div(m * n).unwrap_or(0);
            (0..batches).flat_map(|batch| product(&a[batch * m * k..], &b[batch * k * n..], [m, k, n])).collect()
        });
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

fn last_two(shape: &Shape) -> [usize; 2] {
    [shape[shape.rank() - 2], shape[shape.rank() - 1]]
}

fn product<T: Ring>(a: &[T], b: &[T], [m, k, n]: [usize; 3]) -> Vec<T> {
    let entry = |row: usize, column: usize| {
        (0..k).fold(T::zero(), |sum, inner| {
            sum.plus(&a[row * k + inner].times(&b[inner * n + column]))
        })
    };
    (0..m * n).map(|flat| entry(flat / n, flat % n)).collect()
}

impl Multilinear for Matmul {
    fn transpose(&self, argument: usize, inputs: &[Tensor], cotangent: &Tensor) -> Tensor {
        if argument == 0 {
            operation(Matmul).of(&[cotangent, &inputs[1].t()])
        } else {
            operation(Matmul).of(&[&inputs[0].t(), cotangent])
        }
    }

    /// A weight that is used at every step of a sequence has as many products as its gradient, each of its full size.
    fn sum(&self) -> Option<fn(&[Tensor]) -> Tensor> {
        Some(products_together)
    }
}

/// The sum of products: `Σ a b = [a a ..] [b; b; ..]`, one product over all inner axes, where joining the factors moves fewer
/// elements than adding the products.
fn products_together(terms: &[Tensor]) -> Tensor {
    let (mut left, mut right, mut sums) = (Vec::new(), Vec::new(), Vec::new());
    for term in terms {
        match narrow_factors(term) {
            Some([a, b]) => {
                // The left factor of a weight's gradient is a transposed view: joined the other way round it is copied in rows.
                left.push(a.t());
                right.push(b);
            }
            None => sums.push(term.clone()),
        }
    }
    match left.len() {
        0 => {}
        1 => sums.push(left[0].t().matmul(&right[0])),
        _ => {
            let (left, right) = (Tensor::concat(&left, -2), Tensor::concat(&right, -2));
            sums.push(left.t().matmul(right));
        }
    }
    let sum = sums.into_iter().reduce(|sum, term| sum + term);
    sum.expect("there is a term to sum")
}

/// The factors of a product that has more elements than they have; not of a node that has its value and forgot its inputs.
fn narrow_factors(product: &Tensor) -> Option<[Tensor; 2]> {
    let factors = product.node().edges();
    let [a, b] = &factors[..] else { return None };
    let factors = [a, b].map(|edge| Tensor::from_edge(edge.clone()));
    let [a, b] = &factors;
    (a.elements() + b.elements() < product.elements()).then_some(factors)
}

impl BatchRule for Matmul {
    /// A matrix that all examples share serves them in one product, with the examples as further rows of the other.
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor> {
        let [a, b] = [&inputs[0], &inputs[1]];
        let product = match (batched[0], batched[1]) {
            (true, false) if b.rank() == 2 => rows_of_all(a, b),
            (false, true) if a.rank() == 2 => rows_of_all(&b.t(), &a.t()).t(),
            _ => {
                let whole = |position: usize| match batched[position] {
                    true => inputs[position].clone(),
                    false => {
                        let shape = inputs[position].shape().with_axis(0, extent);
                        inputs[position].unsqueeze(0).expand(shape)
                    }
                };
                operation(Matmul).of(&[&whole(0), &whole(1)])
            }
        };
        vec![product]
    }
}

/// `a [batch, m, k]` times one matrix `b [k, n]`: `[batch, m, n]`.
fn rows_of_all(a: &Tensor, b: &Tensor) -> Tensor {
    let [batch, m, k] = [0, 1, 2].map(|axis| a.shape()[axis]);
    let n = b.shape()[1];
    let rows = a.shaped(&[batch * m, k].into());
    operation(Matmul)
        .of(&[&rows, b])
        .shaped(&[batch, m, n].into())
}

impl Tensor {
    /// The matrix product over the last two axes; leading axes broadcast. A vector counts as a row on the left and as a
    /// column on the right, and its axis disappears from the result, as in NumPy.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let a = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(a.matmul(&tensor![1.0, 1.0]).to_vec::<f32>(), [3.0, 7.0]);
    /// ```
    ///
    /// # Panics
    /// When an operand is 0-dimensional, the inner extents differ, the leading axes do not broadcast, or the dtypes
    /// differ.
    #[track_caller]
    pub fn matmul(&self, right: impl AsRef<Tensor>) -> Tensor {
        let right = right.as_ref();
        if self.rank() == 0 || right.rank() == 0 {
            let mismatch = Mismatch::shape("a 0-dimensional tensor has no axis to multiply over")
                .help("multiply by a number with `*`");
            raise(mismatch.into_error("matmul", &[self.as_operand(), right.as_operand()]));
        }
        if self.rank() > 2 && right.rank() == 2 {
            // One matrix serves all rows of the left at once: one product instead of many, and one in backward.
            let rows = self.flatten(0, -2).matmul(right);
            let last = self.rank() - 1;
            return rows.shaped(&self.shape().with_extent(last, right.shape()[1]));
        }
        let a = if self.rank() == 1 {
            self.unsqueeze(0)
        } else {
            self.clone()
        };
        let b = if right.rank() == 1 {
            right.unsqueeze(1)
        } else {
            right.clone()
        };
        let (a, b) = with_equal_leading_axes(a, b);
        let product = operation(Matmul).of(&[&a, &b]);
        match (self.rank(), right.rank()) {
            (1, 1) => product.squeeze([-2, -1]),
            (1, _) => product.squeeze(-2),
            (_, 1) => product.squeeze(-1),
            _ => product,
        }
    }

    /// The product of two matrices, as [`matmul`](Tensor::matmul).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn mm(&self, right: impl AsRef<Tensor>) -> Tensor {
        self.matmul(right)
    }

    /// The inner product of two vectors.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0].dot(tensor![3.0, 4.0]).item::<f32>(), 11.0);
    /// ```
    ///
    /// # Panics
    /// When the operands are not vectors of equal length.
    #[track_caller]
    pub fn dot(&self, right: impl AsRef<Tensor>) -> Tensor {
        let right = right.as_ref();
        if self.rank() != 1 || right.rank() != 1 {
            let mismatch =
                Mismatch::shape("two vectors are needed").help("use `matmul` for matrices");
            raise(mismatch.into_error("dot", &[self.as_operand(), right.as_operand()]));
        }
        self.matmul(right)
    }
}

#[track_caller]
pub(crate) fn with_equal_leading_axes(a: Tensor, b: Tensor) -> (Tensor, Tensor) {
    let lead = |tensor: &Tensor| Shape::from(&tensor.shape()[..tensor.rank() - 2]);
    let (lead_a, lead_b) = (lead(&a), lead(&b));
    if lead_a == lead_b {
        return (a, b);
    }
    let common = match broadcast(&[&lead_a, &lead_b]) {
        Ok(common) => common,
        Err(reason) => {
            let reason = format!("in the leading axes {reason}");
            raise(Mismatch::shape(reason).into_error("matmul", &[a.as_operand(), b.as_operand()]))
        }
    };
    let whole = |tensor: &Tensor| {
        common
            .iter()
            .copied()
            .chain(last_two(tensor.shape()))
            .collect::<Shape>()
    };
    (a.expand(whole(&a)), b.expand(whole(&b)))
}
