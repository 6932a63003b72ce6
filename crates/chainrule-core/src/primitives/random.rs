//! Random numbers from counters: Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011).
//!
//! The state of a stream, its key and counter, is an ordinary integer tensor, and a draw is a function of it. So a draw
//! is computed when somebody looks, a replay repeats it, threads do not matter, and a plan serves every step of a loop.

use crate::declare::{
    Array, Batch, BatchRule, Data, Derivative, Evaluation, Primitive, Reference, Sample, Specs,
    one, operation,
};
use crate::error::{Error, Mismatch};
use crate::family;
use crate::graph::Spec;
use crate::shape::Shape;
use crate::tensor::Tensor;
use chainrule_kernels::{DType, random};

family! { Draw, SplitStream }

/// What is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Distribution {
    /// Uniform in [0, 1).
    Uniform,
    /// Normal with mean 0 and variance 1.
    Normal,
    /// Integers in `low..high`, equally likely.
    Integers { low: i64, high: i64 },
    /// The numbers from 0 on in random order.
    Permutation,
}

/// Independent draws of one shape from streams: `state [.., 2]` gives `[.., shape]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Draw {
    pub(crate) distribution: Distribution,
    pub(crate) shape: Shape,
    pub(crate) dtype: DType,
}

/// Streams derived from streams: `state [.., 2]` gives `[count, .., 2]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct SplitStream {
    pub(crate) count: usize,
}

impl Distribution {
    /// The number of counters that a draw of so many elements uses up.
    pub(crate) fn blocks(self, elements: usize, dtype: DType) -> u64 {
        match (self, dtype) {
            (Distribution::Uniform | Distribution::Normal, DType::F64)
            | (Distribution::Integers { .. } | Distribution::Permutation, _) => {
                random::double_word_blocks(elements)
            }
            _ => random::word_blocks(elements),
        }
    }
}

/// The shape of the streams below the last axis of `state`, which holds key and counter.
fn streams(inputs: &[&Spec]) -> Result<Shape, Mismatch> {
    let state = inputs[0];
    if state.dtype() != DType::I64 || state.shape().last() != Some(&2) {
        return Err(Mismatch::shape(
            "the state of a stream is a key and a counter, two i64",
        ));
    }
    Ok(state.shape().without_axis(state.rank() - 1))
}

fn joined(first: &[usize], second: &[usize]) -> Shape {
    first.iter().chain(second).copied().collect()
}

/// The keys and counters in a state tensor.
fn states(state: &Array) -> Vec<(u64, u64)> {
    state
        .to_integers()
        .chunks(2)
        .map(|pair| (pair[0] as u64, pair[1] as u64))
        .collect()
}

impl Primitive for Draw {
    fn name(&self) -> &'static str {
        match self.distribution {
            Distribution::Uniform => "uniform",
            Distribution::Normal => "normal",
            Distribution::Integers { .. } => "randint",
            Distribution::Permutation => "permutation",
        }
    }

    fn formula(&self) -> &'static str {
        "y[i] = Philox(key, counter + i)"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let shape = joined(&streams(inputs)?, &self.shape);
        one(inputs[0].with_shape(shape).with_dtype(self.dtype))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Source
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Draw(self)
    }

    fn samples() -> Vec<Sample> {
        let distributions = [
            (Distribution::Uniform, DType::F32),
            (Distribution::Uniform, DType::BF16),
            (Distribution::Normal, DType::F64),
            (Distribution::Integers { low: -3, high: 9 }, DType::I64),
        ];
        let shapes: [&[usize]; 3] = [&[2, 3], &[], &[0]];
        let draws = distributions
            .iter()
            .flat_map(|&(distribution, dtype)| {
                shapes.map(|shape| Draw {
                    distribution,
                    shape: shape.into(),
                    dtype,
                })
            })
            .chain([Draw {
                distribution: Distribution::Permutation,
                shape: Shape::from(7),
                dtype: DType::I64,
            }]);
        draws
            .map(|draw| Sample::new(operation(draw)).integers([2], [42, 7]))
            .collect()
    }
}

impl Reference for Draw {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let streams = states(&inputs[0]);
        let count = self.shape.elements();
        fn filled<T: Copy + Default>(
            streams: &[(u64, u64)],
            count: usize,
            fill: impl Fn(u64, u64, &mut [T]),
        ) -> Vec<T> {
            let mut elements = vec![T::default(); streams.len() * count];
            if count > 0 {
                for (&(key, counter), part) in streams.iter().zip(elements.chunks_mut(count)) {
                    fill(key, counter, part);
                }
            }
            elements
        }
        let data = match (self.distribution, self.dtype) {
            (Distribution::Uniform, DType::F64) => {
                Data::F64(filled(&streams, count, random::fill_uniform_f64))
            }
            (Distribution::Uniform, dtype) => {
                let mut elements = filled(&streams, count, random::fill_uniform_f32);
                // Rounding down to what the dtype can tell apart keeps 1 out.
                let steps = match dtype {
                    DType::BF16 => 256.0,
                    DType::F16 => 2048.0,
                    _ => 16_777_216.0,
                };
                for element in &mut elements {
                    *element = (*element * steps).floor() / steps;
                }
                Data::F32(elements)
            }
            (Distribution::Normal, DType::F64) => {
                Data::F64(filled(&streams, count, random::fill_normal_f64))
            }
            (Distribution::Normal, _) => {
                Data::F32(filled(&streams, count, random::fill_normal_f32))
            }
            (Distribution::Integers { low, high }, _) => {
                let fill = |key, counter, part: &mut [i64]| {
                    random::fill_integers(key, counter, low, high, part);
                };
                Data::I64(filled(&streams, count, fill))
            }
            (Distribution::Permutation, _) => {
                Data::I64(filled(&streams, count, random::fill_permutation))
            }
        };
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

impl BatchRule for Draw {
    /// Each example draws from a stream of its own: its own already, or one split off.
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor> {
        let state = if batched[0] {
            inputs[0].clone()
        } else {
            operation(SplitStream { count: extent }).of(&[&inputs[0]])
        };
        vec![operation(self.clone()).of(&[&state])]
    }
}

impl Primitive for SplitStream {
    fn name(&self) -> &'static str {
        "split_stream"
    }

    fn formula(&self) -> &'static str {
        "key[i] = Philox(key, counter, i)"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        streams(inputs)?;
        one(inputs[0].with_shape(inputs[0].shape().with_axis(0, self.count)))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Source
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Rule(self)
    }

    fn samples() -> Vec<Sample> {
        vec![
            Sample::new(operation(SplitStream { count: 3 })).integers([2], [42, 7]),
            Sample::new(operation(SplitStream { count: 2 })).integers([2, 2], [42, 7, 1, -1]),
        ]
    }
}

impl Reference for SplitStream {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let streams = states(&inputs[0]);
        let split = (0..self.count as u64)
            .flat_map(|part| {
                streams
                    .iter()
                    .flat_map(move |&(key, counter)| [derived_key(key, counter, part) as i64, 0])
            })
            .collect();
        Ok(vec![Array::new(specs[0].shape(), Data::I64(split))])
    }
}

impl BatchRule for SplitStream {
    fn batch(&self, inputs: &[Tensor], _batched: &[bool], _extent: usize) -> Vec<Tensor> {
        // The streams of all examples are split at once; the new axis comes first and moves behind the batch.
        let split = operation(self.clone()).of(&[&inputs[0]]);
        let mut axes: Vec<isize> = (0..split.rank() as isize).collect();
        axes.swap(0, 1);
        vec![split.permute(axes)]
    }
}

/// The key of a stream split off another one: a word of that one which no draw ever uses, because draws count in the
/// lower half of Philox's counter only.
pub(crate) fn derived_key(key: u64, counter: u64, part: u64) -> u64 {
    let words = random::philox(
        key,
        u128::from(counter) | u128::from(part.wrapping_add(1)) << 64,
    );
    u64::from(words[0]) | u64::from(words[1]) << 32
}
