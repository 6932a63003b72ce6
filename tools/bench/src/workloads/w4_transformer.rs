//! One training step of a character transformer with AdamW, batch 16.

use super::training_step;
use crate::measure::Bench;
use chainrule::nn::{Embedding, LearnedPositions, TransformerEncoder, TransformerOptions};
use chainrule::prelude::*;

const VOCABULARY: usize = 65;
const CONTEXT: usize = 128;
const WIDTH: usize = 128;

pub fn run(bench: &mut Bench) {
    let options = TransformerOptions::language_model(WIDTH, 4).dropout(0.0);
    let model = Sequential::new()
        .then(Embedding::new(VOCABULARY, WIDTH))
        .then(LearnedPositions::new(CONTEXT, WIDTH))
        .then(TransformerEncoder::from_options(&options, 4))
        .then(Linear::new(WIDTH, VOCABULARY));
    let tokens = Tensor::randint(0, VOCABULARY as i64, [16, CONTEXT]);
    let labels = Tensor::randint(0, VOCABULARY as i64, [16 * CONTEXT]);
    evaluate(&[&tokens, &labels]);
    let loss = move |model: &Sequential| {
        let logits = model.forward(&tokens);
        logits
            .reshape([-1, VOCABULARY as isize])
            .cross_entropy(&labels)
    };
    let adam = AdamW::new(3e-4).weight_decay(0.01);
    training_step(bench, "W4", "train step b16 adamw", model, adam, loss);
}
