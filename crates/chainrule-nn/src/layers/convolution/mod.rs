//! Convolutions and their transposes.

mod conv;
mod conv_transpose;

pub use conv::{Conv, Conv1d, Conv2d, Conv3d};
pub use conv_transpose::{ConvTranspose, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};

/// The declared layers of these files.
pub(crate) const CATALOGUES: &[&[crate::CatalogueEntry]] =
    &[conv::CATALOGUE, conv_transpose::CATALOGUE];
