//! How rows of an embedding's table are read: what embeddings and bags of them share.

use chainrule_core::error::raise;
use chainrule_core::{DType, Error, ErrorKind, Tensor};

/// What is done to rows that are looked up, and to their gradients.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// The row that gets no gradient.
    pub(crate) padding: Option<usize>,
    /// The greatest norm of a row, and the norm's order.
    pub(crate) longest: Option<f64>,
    pub(crate) order: f64,
    /// Whether the gradient of a row is divided by the number of its uses.
    pub(crate) by_frequency: bool,
}

impl Rows {
    pub(crate) fn plain() -> Rows {
        Rows {
            padding: None,
            longest: None,
            order: 2.0,
            by_frequency: false,
        }
    }

    /// The rows of `table` at `indices`: `[.., width]`. Uses are counted in `all`.
    #[track_caller]
    pub(crate) fn read(
        &self,
        layer: &str,
        table: &Tensor,
        indices: &Tensor,
        all: &Tensor,
    ) -> Tensor {
        check_indices(layer, indices);
        let mut rows = table.embedding(indices);
        if let Some(longest) = self.longest {
            rows = shortened(&rows, longest, self.order);
        }
        if self.by_frequency {
            let share = 1.0 / uses(table, indices, all).cast(rows.dtype()).unsqueeze(-1);
            let constant = rows.stop_gradient();
            rows = &constant + (&rows - &constant) * share;
        }
        if let Some(padding) = self.padding {
            let is_padding = indices.eq(padding as i32).unsqueeze(-1);
            rows = is_padding.where_(rows.stop_gradient(), &rows);
        }
        rows
    }
}

#[track_caller]
pub(crate) fn check_indices(layer: &str, indices: &Tensor) {
    if indices.dtype().is_floating() || indices.dtype() == DType::Bool {
        let message = format!(
            "{layer}: the layer takes whole numbers, the input is {} (from `{}` at {})\n    help: convert it: `.cast(DType::I64)`",
            indices.dtype(),
            indices.operation_name(),
            indices.place()
        );
        raise(Error::new(ErrorKind::DType, message));
    }
}

/// Rows longer than `longest` shortened to it; the gradient is that of the rows as they are, as if the table itself had been
/// shortened before.
#[track_caller]
fn shortened(rows: &Tensor, longest: f64, order: f64) -> Tensor {
    let constant = rows.stop_gradient();
    let norms = constant.norm(order, chainrule_core::keep(-1));
    let factors = longest / (&norms + 1e-7);
    let factors = norms.gt(longest).where_(&factors, factors.ones_like());
    let moved = &constant * factors - &constant;
    rows + moved
}

/// For each index, how often it occurs in `all`; at least 1.
#[track_caller]
fn uses(table: &Tensor, indices: &Tensor, all: &Tensor) -> Tensor {
    let all = all.reshape([-1]);
    let none = Tensor::arange(table.shape()[0] as i64).zeros_like();
    let counts =
        none.to_device(table.device())
            .scatter_add(0, &all, &all.ones_like().cast(DType::I64));
    let flat = counts.gather(0, &indices.reshape([-1]));
    flat.reshape(indices.shape()).maximum(1)
}
