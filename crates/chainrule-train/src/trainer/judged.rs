//! What a loss function says of a batch.

use chainrule_core::Tensor;

/// The loss of a batch and, for metrics, what the network put out and what was right.
///
/// A loss function returns something that becomes one of these: a tensor alone is the loss, `(loss, outputs, labels)` has
/// all.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::trainer::Judged;
/// let logits = tensor![[2.0, 0.0], [0.0, 3.0]];
/// let labels = tensor![0, 1];
/// let judged = Judged::from((logits.cross_entropy(&labels), logits, labels));
/// assert!(judged.measured.is_some());
/// ```
#[derive(Clone, Debug)]
pub struct Judged {
    /// One number: the mean over the batch.
    pub loss: Tensor,
    /// The outputs and the labels that metrics compare.
    pub measured: Option<(Tensor, Tensor)>,
}

impl From<Tensor> for Judged {
    fn from(loss: Tensor) -> Judged {
        Judged {
            loss,
            measured: None,
        }
    }
}

impl From<(Tensor, Tensor, Tensor)> for Judged {
    fn from((loss, outputs, labels): (Tensor, Tensor, Tensor)) -> Judged {
        Judged {
            loss,
            measured: Some((outputs, labels)),
        }
    }
}
