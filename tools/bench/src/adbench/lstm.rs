//! ADBench's LSTM without products of matrices: the loss of predicting each next character, and its gradient.

use super::read::Sequence;
use super::run::{Derivative, Objective};
use chainrule::prelude::*;
use std::ops::Range;

/// Main parameters `[layers, 2, 4, width]` (weights and biases of the forget, input, output and change gates) and extra
/// parameters `[3, width]`.
type Parameters = (Tensor, Tensor);

/// A sequence and its LSTM as tensors.
pub struct Lstm {
    parameters: Parameters,
    /// Hidden states and cells at the beginning, `[layers, width]`.
    state: (Tensor, Tensor),
    /// The characters that predictions are made from, `[1, width]` each.
    characters: Vec<Tensor>,
    /// The characters that follow them, `[length - 1, width]`.
    following: Tensor,
    width: usize,
}

impl Lstm {
    /// The sequence's tensors.
    pub fn new(sequence: &Sequence) -> Lstm {
        let (layers, width) = (sequence.layers, sequence.width);
        let state = |half: usize| {
            let rows = sequence.state.chunks(width).skip(half).step_by(2);
            Tensor::from_vec(rows.flatten().copied().collect(), [layers, width])
        };
        let characters: Vec<&[f64]> = sequence.characters.chunks(width).collect();
        let last = characters.len() - 1;
        Lstm {
            parameters: (
                Tensor::from_vec(sequence.main.clone(), [layers, 2, 4, width]),
                Tensor::from_vec(sequence.extra.clone(), [3, width]),
            ),
            state: (state(0), state(1)),
            characters: characters[..last]
                .iter()
                .map(|numbers| Tensor::from_vec(numbers.to_vec(), [1, width]))
                .collect(),
            width,
            following: Tensor::from_vec(sequence.characters[width..].to_vec(), [last, width]),
        }
    }

    fn loss(&self, (main, extra): &Parameters) -> Tensor {
        let layers = main.shape()[0];
        let gates = Gates::new(main);
        let [input_weights, output_weights, output_biases] =
            [0, 1, 2].map(|row| extra.narrow(0, row, 1));
        let (mut hidden, mut cells) = self.state.clone();
        // Layer i is i characters behind: what it reads the layer below has written the round before.
        let count = self.characters.len();
        let mut outputs = Vec::with_capacity(count);
        for round in 0..count + layers - 1 {
            let first = (round + 1).saturating_sub(count);
            let last = round.min(layers - 1);
            let x = self.characters.get(round).map(|x| x * &input_weights);
            (hidden, cells) = gates.round(x, first..last + 1, &hidden, &cells);
            if last == layers - 1 {
                outputs.push(hidden.clone());
            }
        }
        let top = Tensor::concat(&outputs, 0)
            .reshape(Shape::from([count, layers, self.width]))
            .narrow(1, layers - 1, 1)
            .squeeze(1);
        let predicted = top * output_weights + output_biases;
        // ADBench begins its sum of exponentials at 2.
        let normaliser = (predicted.exp().sum(1) + 2.0).log();
        let normalised = &predicted - normaliser.unsqueeze(1);
        (&self.following * normalised).sum(..) * (-1.0 / predicted.elements() as f64)
    }
}

/// Weights and biases of the forget, input, output and change gates, each `[layers, width]`.
struct Gates {
    weights: [Tensor; 4],
    biases: [Tensor; 4],
}

impl Gates {
    fn new(main: &Tensor) -> Gates {
        let gate =
            |half: usize, gate: usize| main.narrow(1, half, 1).narrow(2, gate, 1).squeeze([1, 2]);
        Gates {
            weights: [0, 1, 2, 3].map(|i| gate(0, i)),
            biases: [0, 1, 2, 3].map(|i| gate(1, i)),
        }
    }

    /// One character for each of the layers `active`, all at once: the hidden states and cells of all layers after it.
    /// The lowest layer reads `x`, the others the hidden state of the layer below.
    fn round(
        &self,
        x: Option<Tensor>,
        active: Range<usize>,
        hidden: &Tensor,
        cells: &Tensor,
    ) -> (Tensor, Tensor) {
        let layers = hidden.shape()[0];
        let part = |tensor: &Tensor, range: Range<usize>| match range.len() == layers {
            true => tensor.clone(),
            false => tensor.narrow(0, range.start, range.len()),
        };
        let own = |tensor: &Tensor| part(tensor, active.clone());
        let below = part(hidden, active.start.max(1) - 1..active.end - 1);
        let read = match x.filter(|_| active.start == 0) {
            Some(x) if active.len() > 1 => Tensor::concat(&[&x, &below], 0),
            Some(x) => x,
            None => below,
        };
        let before = own(hidden);
        let gate = |i: usize, from: &Tensor| from * own(&self.weights[i]) + own(&self.biases[i]);
        let kept = own(cells) * gate(0, &read).sigmoid();
        let cell = kept + gate(1, &before).sigmoid() * gate(3, &before).tanh();
        let output = gate(2, &read).sigmoid() * cell.tanh();
        let whole = |new: Tensor, old: &Tensor| {
            if active.len() == layers {
                return new;
            }
            let (low, high) = (part(old, 0..active.start), part(old, active.end..layers));
            Tensor::concat(&[&low, &new, &high], 0)
        };
        (whole(output, hidden), whole(cell, cells))
    }
}

impl Objective for Lstm {
    fn value(&self) -> Vec<Tensor> {
        vec![self.loss(&self.parameters)]
    }

    fn derivative(&self) -> Derivative {
        let loss = |parameters: &Parameters| self.loss(parameters);
        let (_, (main, extra)) = value_and_grad(loss)(&self.parameters);
        Derivative::Gradient(vec![main, extra])
    }
}
