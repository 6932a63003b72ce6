//! ADBench's LSTM without products of matrices: the loss of predicting each next character, and its gradient.

use super::read::Sequence;
use super::run::{Derivative, Objective};
use chainrule::prelude::*;

/// Main parameters `[layers, 2, 4, width]` (weights and biases of the forget, input, output and change gates) and extra
/// parameters `[3, width]`.
type Parameters = (Tensor, Tensor);

/// A sequence and its LSTM as tensors.
pub struct Lstm {
    parameters: Parameters,
    /// Hidden state and cell of each layer at the beginning, `[width]`.
    state: Vec<(Tensor, Tensor)>,
    /// The characters that predictions are made from, `[width]` each.
    characters: Vec<Tensor>,
    /// The characters that follow them, `[length - 1, width]`.
    following: Tensor,
}

impl Lstm {
    /// The sequence's tensors.
    pub fn new(sequence: &Sequence) -> Lstm {
        let (layers, width) = (sequence.layers, sequence.width);
        let row = |numbers: &[f64]| Tensor::from(numbers.to_vec());
        let characters: Vec<&[f64]> = sequence.characters.chunks(width).collect();
        let last = characters.len() - 1;
        Lstm {
            parameters: (
                Tensor::from_vec(sequence.main.clone(), [layers, 2, 4, width]),
                Tensor::from_vec(sequence.extra.clone(), [3, width]),
            ),
            state: sequence
                .state
                .chunks(2 * width)
                .map(|layer| (row(&layer[..width]), row(&layer[width..])))
                .collect(),
            characters: characters[..last]
                .iter()
                .map(|numbers| row(numbers))
                .collect(),
            following: Tensor::from_vec(sequence.characters[width..].to_vec(), [last, width]),
        }
    }

    fn loss(&self, (main, extra): &Parameters) -> Tensor {
        let layers: Vec<Layer> = main.rows().map(|layer| Layer::new(&layer)).collect();
        let extra: Vec<Tensor> = extra.rows().collect();
        let mut state = self.state.clone();
        let mut outputs = Vec::with_capacity(self.characters.len());
        for character in &self.characters {
            let mut x = character * &extra[0];
            for (layer, (hidden, cell)) in layers.iter().zip(&mut state) {
                (*hidden, *cell) = layer.step(&x, hidden, cell);
                x = hidden.clone();
            }
            outputs.push(x);
        }
        let predicted = Tensor::stack(&outputs, 0) * &extra[1] + &extra[2];
        // ADBench begins its sum of exponentials at 2.
        let normaliser = (predicted.exp().sum(1) + 2.0).log();
        let normalised = &predicted - normaliser.unsqueeze(1);
        (&self.following * normalised).sum(..) * (-1.0 / predicted.elements() as f64)
    }
}

/// One layer's weights and biases: forget, input, output, change.
struct Layer {
    weights: Vec<Tensor>,
    biases: Vec<Tensor>,
}

impl Layer {
    fn new(main: &Tensor) -> Layer {
        let mut halves = main.rows();
        let mut half = || halves.next().expect("weights and biases").rows().collect();
        Layer {
            weights: half(),
            biases: half(),
        }
    }

    /// The new hidden state and cell.
    fn step(&self, x: &Tensor, hidden: &Tensor, cell: &Tensor) -> (Tensor, Tensor) {
        let gate = |i: usize, from: &Tensor| from * &self.weights[i] + &self.biases[i];
        let kept = cell * gate(0, x).sigmoid();
        let cell = kept + gate(1, hidden).sigmoid() * gate(3, hidden).tanh();
        (gate(2, x).sigmoid() * cell.tanh(), cell)
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
