//! The copy task: a sequence of random bits is shown, then has to be said again from memory.

use super::machine::{Machine, State};
use chainrule::prelude::*;

/// Bits of one step of a sequence.
pub const BITS: usize = 8;
/// The channels of the input: the bits, and one that marks the end of the sequence.
pub const CHANNELS: usize = BITS + 1;

/// The sequences `[length, batch, bits]` of zeros and ones.
pub fn sequences(generator: &Generator, length: usize, batch: usize) -> Tensor {
    let bits = generator.bernoulli([length, batch, BITS], 0.5);
    let bits = bits.cast(DType::F32).stop_history();
    evaluate(&[&bits]);
    bits
}

/// What a machine says and where it looks while it says it.
pub struct Recital {
    /// Logits, `[length, batch, bits]`.
    pub logits: Tensor,
    /// The places of the heads at every step of listening and reciting, `[batch, heads, rows]` each.
    pub places: Vec<Tensor>,
}

/// Shows the sequences to the machine and lets it recite them.
pub fn recite(machine: &Machine, sequences: &Tensor) -> Recital {
    let [length, batch] = [sequences.shape()[0], sequences.shape()[1]];
    let nothing = Tensor::zeros([batch, CHANNELS]);
    let end = Tensor::concat(
        &[Tensor::zeros([batch, BITS]), Tensor::ones([batch, 1])],
        -1,
    );
    let shown = sequences
        .unbind(0)
        .into_iter()
        .map(|bits| Tensor::concat(&[bits, Tensor::zeros([batch, 1])], -1));
    let mut state = machine.begin(batch);
    let mut places = Vec::new();
    let mut hear = |input: &Tensor, state: &State| {
        let (logits, next) = machine.step(input, state);
        places.push(next.places.clone());
        (logits, next)
    };
    for input in shown.chain([end]) {
        (_, state) = hear(&input, &state);
    }
    let mut said = Vec::new();
    for _ in 0..length {
        let (logits, next) = hear(&nothing, &state);
        said.push(logits);
        state = next;
    }
    Recital {
        logits: Tensor::stack(&said, 0),
        places,
    }
}

/// The mean cross entropy of a bit.
pub fn loss(machine: &Machine, sequences: &Tensor) -> Tensor {
    let recital = recite(machine, sequences);
    recital
        .logits
        .binary_cross_entropy_with_logits(sequences, chainrule::Reduction::Mean)
}

/// How many bits a machine gets wrong.
pub struct Score {
    /// Wrong bits of one sequence, on the average.
    pub wrong_bits: f64,
    /// The share of wrong bits among all.
    pub share: f64,
}

/// The score over `count` fresh sequences whose lengths are drawn from `lengths`, in batches of one length each.
pub fn score(
    machine: &Machine,
    generator: &Generator,
    lengths: std::ops::RangeInclusive<usize>,
    count: usize,
) -> Score {
    const BATCH: usize = 50;
    let (mut wrong, mut bits, mut seen) = (0.0, 0.0, 0);
    while seen < count {
        let batch = BATCH.min(count - seen);
        let span = (*lengths.end() - lengths.start() + 1) as i64;
        let length = lengths.start() + generator.randint(0, span, [1]).to_vec::<i64>()[0] as usize;
        let sequences = sequences(generator, length, batch);
        let said = untracked(|| recite(machine, &sequences).logits.gt(0.0).cast(DType::F32));
        wrong += (said - &sequences).abs().sum(..).item::<f64>();
        bits += sequences.elements() as f64;
        seen += batch;
    }
    Score {
        wrong_bits: wrong / count as f64,
        share: wrong / bits,
    }
}
