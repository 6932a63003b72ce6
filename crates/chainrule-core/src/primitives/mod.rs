//! The primitives, a file a family: declaration, `Tensor` methods, reference value, documentation.

pub(crate) mod after;
pub(crate) mod arithmetic;
pub(crate) mod bounds;
pub(crate) mod cast;
pub(crate) mod comparison;
pub(crate) mod concat;
pub(crate) mod convolution;
pub(crate) mod custom;
pub(crate) mod error_function;
pub(crate) mod expand;
pub(crate) mod exponential;
pub(crate) mod extremum;
pub(crate) mod gamma;
pub(crate) mod gather;
pub(crate) mod hyperbolic;
pub(crate) mod index_select;
pub(crate) mod leaf;
pub(crate) mod linalg;
pub(crate) mod logic;
pub(crate) mod matmul;
pub(crate) mod mode;
pub(crate) mod permute;
pub(crate) mod pooling;
pub(crate) mod random;
pub(crate) mod reshape;
pub(crate) mod rounding;
pub(crate) mod running_extremum;
pub(crate) mod scan;
pub(crate) mod scatter;
pub(crate) mod select;
pub(crate) mod slice;
pub(crate) mod sort;
pub(crate) mod special;
pub(crate) mod sum;
pub(crate) mod trigonometric;
pub(crate) mod window;

pub use custom::Gate;
pub use pooling::PoolOptions;
pub use reshape::Extents;
pub use window::PerAxis;

use crate::declare::Entry;

/// Every family's declarations.
pub(crate) const FAMILIES: &[&[Entry]] = &[
    after::ALL,
    arithmetic::ALL,
    bounds::ALL,
    cast::ALL,
    comparison::ALL,
    concat::ALL,
    convolution::ALL,
    error_function::ALL,
    expand::ALL,
    exponential::ALL,
    extremum::ALL,
    gamma::ALL,
    gather::ALL,
    hyperbolic::ALL,
    index_select::ALL,
    leaf::ALL,
    linalg::determinant::ALL,
    linalg::factors::ALL,
    linalg::solve::ALL,
    linalg::spectrum::ALL,
    logic::ALL,
    matmul::ALL,
    mode::ALL,
    permute::ALL,
    pooling::ALL,
    random::ALL,
    reshape::ALL,
    rounding::ALL,
    running_extremum::ALL,
    scan::ALL,
    scatter::ALL,
    select::ALL,
    slice::ALL,
    sort::ALL,
    special::ALL,
    sum::ALL,
    trigonometric::ALL,
];
