//! Layers that arrange elements anew, without parameters.

mod channel_shuffle;
mod flatten;
mod fold;
mod pad;
mod pixel_shuffle;
mod pixel_unshuffle;
mod unflatten;
mod unfold;
mod upsample;

pub use channel_shuffle::ChannelShuffle;
pub use flatten::Flatten;
pub use fold::Fold;
pub use pad::Pad;
pub use pixel_shuffle::PixelShuffle;
pub use pixel_unshuffle::PixelUnshuffle;
pub use unflatten::Unflatten;
pub use unfold::Unfold;
pub use upsample::Upsample;

/// The declared layers of these files.
pub(crate) const CATALOGUES: &[&[crate::CatalogueEntry]] = &[
    channel_shuffle::CATALOGUE,
    flatten::CATALOGUE,
    fold::CATALOGUE,
    pad::CATALOGUE,
    pixel_shuffle::CATALOGUE,
    pixel_unshuffle::CATALOGUE,
    unflatten::CATALOGUE,
    unfold::CATALOGUE,
    upsample::CATALOGUE,
];
