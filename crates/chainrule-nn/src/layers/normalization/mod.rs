//! Normalisations.

mod batch_norm;
mod group_norm;
mod instance_norm;
mod layer_norm;
mod local_response_norm;
mod mean_variance_norm;
mod rms_norm;

pub use batch_norm::BatchNorm;
pub use group_norm::GroupNorm;
pub use instance_norm::{InstanceNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d};
pub use layer_norm::LayerNorm;
pub use local_response_norm::LocalResponseNorm;
pub use mean_variance_norm::MeanVarianceNorm;
pub use rms_norm::RmsNorm;

/// The declared layers of these files.
pub(crate) const CATALOGUES: &[&[crate::CatalogueEntry]] = &[
    batch_norm::CATALOGUE,
    group_norm::CATALOGUE,
    instance_norm::CATALOGUE,
    layer_norm::CATALOGUE,
    local_response_norm::CATALOGUE,
    mean_variance_norm::CATALOGUE,
    rms_norm::CATALOGUE,
];
