//! Embeddings: vectors for whole numbers.

mod bag;
mod rows;
mod table;

pub use bag::{BagReduction, EmbeddingBag};
pub use table::Embedding;

/// The declared layers of these files.
pub(crate) const CATALOGUES: &[&[crate::CatalogueEntry]] = &[table::CATALOGUE];
