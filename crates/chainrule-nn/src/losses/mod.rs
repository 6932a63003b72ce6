//! The losses, one a file.
//!
//! A loss is a small value with its options; `forward` takes the prediction first and what it should have been second.

/// The option that all losses share.
macro_rules! reduction_option {
    () => {
        /// What becomes of the single losses: their mean by default.
        pub fn reduction(mut self, reduction: chainrule_core::Reduction) -> Self {
            self.reduction = reduction;
            self
        }
    };
}

mod absolute_error;
mod binary_cross_entropy;
mod binary_cross_entropy_with_logits;
mod contrastive;
mod cosine_embedding;
mod cross_entropy;
mod ctc;
mod ctc_targets;
mod declared;
mod euclidean;
mod focal;
mod gaussian_nll;
mod hinge;
mod hinge_embedding;
mod huber;
mod infogain;
mod kl_divergence;
mod margin_ranking;
mod multi_label_margin;
mod multi_label_soft_margin;
mod multi_margin;
mod multinomial_logistic;
mod negative_log_likelihood;
mod poisson_nll;
mod smooth_l1;
mod soft_margin;
mod squared_error;
mod triplet_margin;

pub use absolute_error::AbsoluteError;
pub use binary_cross_entropy::BinaryCrossEntropy;
pub use binary_cross_entropy_with_logits::BinaryCrossEntropyWithLogits;
pub use contrastive::Contrastive;
pub use cosine_embedding::CosineEmbedding;
pub use cross_entropy::CrossEntropy;
pub use ctc::Ctc;
pub use declared::{AnyLoss, DeclaredLoss, LossPrediction, LossTarget, loss_names};
pub use euclidean::Euclidean;
pub use focal::Focal;
pub use gaussian_nll::GaussianNll;
pub use hinge::Hinge;
pub use hinge_embedding::HingeEmbedding;
pub use huber::Huber;
pub use infogain::Infogain;
pub use kl_divergence::KlDivergence;
pub use margin_ranking::MarginRanking;
pub use multi_label_margin::MultiLabelMargin;
pub use multi_label_soft_margin::MultiLabelSoftMargin;
pub use multi_margin::MultiMargin;
pub use multinomial_logistic::MultinomialLogistic;
pub use negative_log_likelihood::NegativeLogLikelihood;
pub use poisson_nll::PoissonNll;
pub use smooth_l1::SmoothL1;
pub use soft_margin::SoftMargin;
pub use squared_error::SquaredError;
pub use triplet_margin::TripletMargin;
