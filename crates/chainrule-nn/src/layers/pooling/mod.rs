//! Pools: windows of spatial axes that become one element.

mod adaptive_avg_pool;
mod adaptive_max_pool;
mod avg_pool;
mod fractional_max_pool;
mod global_pool;
mod grid;
mod lp_pool;
mod max_pool;
mod max_unpool;
mod spatial_pyramid_pool;

pub use adaptive_avg_pool::{
    AdaptiveAvgPool, AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d,
};
pub use adaptive_max_pool::{
    AdaptiveMaxPool, AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d,
};
pub use avg_pool::{AvgPool, AvgPool1d, AvgPool2d, AvgPool3d};
pub use fractional_max_pool::{FractionalMaxPool, FractionalMaxPool2d, FractionalMaxPool3d};
pub use global_pool::{GlobalAvgPool, GlobalMaxPool};
pub use lp_pool::{LpPool, LpPool1d, LpPool2d, LpPool3d};
pub use max_pool::{MaxPool, MaxPool1d, MaxPool2d, MaxPool3d};
pub use max_unpool::{MaxUnpool, MaxUnpool1d, MaxUnpool2d, MaxUnpool3d};
pub use spatial_pyramid_pool::SpatialPyramidPool;

/// The declared layers of these files.
pub(crate) const CATALOGUES: &[&[crate::CatalogueEntry]] = &[
    adaptive_avg_pool::CATALOGUE,
    adaptive_max_pool::CATALOGUE,
    avg_pool::CATALOGUE,
    fractional_max_pool::CATALOGUE,
    global_pool::CATALOGUE,
    lp_pool::CATALOGUE,
    max_pool::CATALOGUE,
    spatial_pyramid_pool::CATALOGUE,
];
