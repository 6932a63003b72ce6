//! A vision transformer.

use super::{Architecture, at_least_one};
use crate::train::model::Stack;
use chainrule::nn::{
    AnyLayer, ArgumentError, Arguments, LayerNorm, LearnedPositions, TransformerEncoder,
    TransformerOptions,
};
use chainrule::prelude::*;

/// Images cut into square patches, each a token for the blocks of a transformer (Dosovitskiy and others 2020). The classes
/// are read off the mean of the tokens. Images `[batch, channels, height, width]` to logits.
pub struct VisionTransformer;

/// How large the network is.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The side of a patch.
    pub patch: usize,
    pub width: usize,
    pub heads: usize,
    pub blocks: usize,
    pub feed_forward: usize,
    pub dropout: f64,
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes {
            patch: 4,
            width: 64,
            heads: 4,
            blocks: 3,
            feed_forward: 128,
            dropout: 0.0,
        }
    }
}

#[derive(Clone, Module)]
pub struct Net {
    patches: Linear,
    positions: LearnedPositions,
    blocks: TransformerEncoder,
    norm: LayerNorm,
    head: Linear,
    #[tree(fixed)]
    cut: Cut,
}

/// How images of `channels` channels are cut.
#[derive(Clone, Copy, Debug)]
struct Cut {
    channels: usize,
    /// Patches in a column and in a row.
    rows: usize,
    columns: usize,
    side: usize,
}

impl Cut {
    /// `[batch, channels, height, width]` to `[batch, rows x columns of patches, elements of a patch]`.
    fn patches(self, images: &Tensor) -> Tensor {
        let Cut {
            channels,
            rows,
            columns,
            side,
        } = self;
        let [channels, rows, columns, side] =
            [channels, rows, columns, side].map(|extent| extent as isize);
        images
            .reshape([-1, channels, rows, side, columns, side])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([-1, rows * columns, channels * side * side])
    }
}

impl Net {
    /// For images `[channels, height, width]`, whose height and width are multiples of the patch's side.
    pub fn new([channels, height, width]: [usize; 3], sizes: Sizes, classes: usize) -> Net {
        let options = TransformerOptions::new(sizes.width, sizes.heads)
            .feed_forward(sizes.feed_forward)
            .dropout(sizes.dropout)
            .activation(Tensor::gelu)
            .norm_first();
        let cut = Cut {
            channels,
            rows: height / sizes.patch,
            columns: width / sizes.patch,
            side: sizes.patch,
        };
        Net {
            patches: Linear::new(channels * sizes.patch * sizes.patch, sizes.width),
            positions: LearnedPositions::new(cut.rows * cut.columns, sizes.width),
            blocks: TransformerEncoder::from_options(&options, sizes.blocks).without_norm(),
            norm: LayerNorm::new(sizes.width),
            head: Linear::new(sizes.width, classes),
            cut,
        }
    }
}

impl Layer for Net {
    fn compute(&self, images: &Tensor) -> Tensor {
        let patches = self.cut.patches(images);
        let tokens = self.positions.forward(self.patches.forward(patches));
        let tokens = self.norm.forward(self.blocks.forward(tokens));
        self.head.forward(tokens.mean(1))
    }
}

impl Architecture for VisionTransformer {
    const NAME: &'static str = "vision_transformer";

    fn build(
        arguments: &mut Arguments,
        stack: &mut Stack,
        outputs: usize,
    ) -> Result<(), ArgumentError> {
        let usual = Sizes::default();
        let width = at_least_one(arguments, "width", usual.width)?;
        let sizes = Sizes {
            patch: at_least_one(arguments, "patch", usual.patch)?,
            width,
            heads: at_least_one(arguments, "heads", usual.heads)?,
            blocks: at_least_one(arguments, "blocks", usual.blocks)?,
            feed_forward: at_least_one(arguments, "feed_forward", 2 * width)?,
            dropout: arguments.optional("dropout", usual.dropout)?,
        };
        let [_, channels, rows, columns] = stack.shape()[..] else {
            let message = format!(
                "it takes images [batch, channels, height, width], not {}",
                stack.shape()
            );
            return Err(arguments.problem("architecture", message));
        };
        let divided = |extent: usize| extent.is_multiple_of(sizes.patch);
        if !divided(rows) || !divided(columns) {
            let message = format!(
                "images of {rows}x{columns} cannot be cut into patches of {0}x{0}",
                sizes.patch
            );
            return Err(arguments.problem("patch", message));
        }
        if !width.is_multiple_of(sizes.heads) {
            let message = format!(
                "`heads` is {}, which does not divide the width {width}",
                sizes.heads
            );
            return Err(arguments.problem("heads", message));
        }
        let net = Net::new([channels, rows, columns], sizes, outputs);
        stack.append(AnyLayer::new(net), arguments)
    }
}
