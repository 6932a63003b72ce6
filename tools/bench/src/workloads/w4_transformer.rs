//! One training step of a character transformer with AdamW, batch 16.

use super::training_step;
use crate::measure::Bench;
use chainrule::AttentionOptions;
use chainrule::prelude::*;

const VOCABULARY: usize = 65;
const CONTEXT: usize = 128;
const WIDTH: usize = 128;
const HEADS: usize = 4;

#[derive(Clone, Module)]
struct Norm {
    weight: Parameter,
    bias: Parameter,
}

impl Norm {
    fn new() -> Norm {
        Norm {
            weight: Parameter::new(Tensor::ones([WIDTH])),
            bias: Parameter::new(Tensor::zeros([WIDTH])),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(Some(&self.weight), Some(&self.bias), 1e-5)
    }
}

/// A layer with the norms before attention and network.
#[derive(Clone, Module)]
struct Block {
    attention_norm: Norm,
    queries_keys_values: Linear,
    projection: Linear,
    network_norm: Norm,
    up: Linear,
    down: Linear,
}

impl Block {
    fn new(generator: &Generator) -> Block {
        Block {
            attention_norm: Norm::new(),
            queries_keys_values: Linear::from_generator(WIDTH, 3 * WIDTH, generator),
            projection: Linear::from_generator(WIDTH, WIDTH, generator),
            network_norm: Norm::new(),
            up: Linear::from_generator(WIDTH, 4 * WIDTH, generator),
            down: Linear::from_generator(4 * WIDTH, WIDTH, generator),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let (batch, time) = (x.shape()[0] as isize, x.shape()[1] as isize);
        let extent = (WIDTH / HEADS) as isize;
        let all = self
            .queries_keys_values
            .forward(self.attention_norm.forward(x));
        let all = all.reshape([batch, time, 3, HEADS as isize, extent]);
        let [query, key, value]: [Tensor; 3] = all
            .permute([2, 0, 3, 1, 4])
            .unbind(0)
            .try_into()
            .expect("three of them");
        let seen = query.attention(&key, &value, AttentionOptions::new().causal());
        let seen = seen.transpose(1, 2).reshape([batch, time, WIDTH as isize]);
        let x = x + self.projection.forward(seen);
        let hidden = self.up.forward(self.network_norm.forward(&x)).gelu();
        x + self.down.forward(hidden)
    }
}

#[derive(Clone, Module)]
struct Transformer {
    tokens: Parameter,
    positions: Parameter,
    blocks: Vec<Block>,
    norm: Norm,
    head: Linear,
}

impl Transformer {
    fn new(generator: &Generator) -> Transformer {
        Transformer {
            tokens: Parameter::new(generator.normal([VOCABULARY, WIDTH], 0.0, 1.0)),
            positions: Parameter::new(generator.normal([CONTEXT, WIDTH], 0.0, 0.02)),
            blocks: (0..4).map(|_| Block::new(generator)).collect(),
            norm: Norm::new(),
            head: Linear::from_generator(WIDTH, VOCABULARY, generator),
        }
    }

    fn forward(&self, tokens: &Tensor) -> Tensor {
        let mut x = self.tokens.embedding(tokens) + &self.positions;
        for block in &self.blocks {
            x = block.forward(&x);
        }
        self.head.forward(self.norm.forward(&x))
    }
}

pub fn run(bench: &mut Bench) {
    let generator = Generator::new(1);
    let model = Transformer::new(&generator);
    let tokens = generator.randint(0, VOCABULARY as i64, [16, CONTEXT]);
    let labels = generator.randint(0, VOCABULARY as i64, [16 * CONTEXT]);
    evaluate(&[&tokens, &labels]);
    let loss = move |model: &Transformer| {
        let logits = model.forward(&tokens);
        logits
            .reshape([-1, VOCABULARY as isize])
            .cross_entropy(&labels)
    };
    let adam = AdamW::new(3e-4).weight_decay(0.01);
    training_step(bench, "W4", "train step b16 adamw", model, adam, loss);
}
