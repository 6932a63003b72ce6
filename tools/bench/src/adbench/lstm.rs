//! ADBench's LSTM without products of matrices: the loss of predicting each next character, and its gradient.
//!
//! The loop over the characters is cut into segments, each traced once, as it is and as its vector-Jacobian product: their
//! graphs run again and again without being recorded anew.

use super::read::Sequence;
use super::run::{Derivative, Objective};
use chainrule::Graph;
use chainrule::prelude::*;
use std::cell::RefCell;
use std::ops::Range;

/// Characters of a segment: enough that running a graph costs little beside what it computes.
const SEGMENT: usize = 32;

/// Main parameters `[layers, 2, 4, width]` (weights and biases of the forget, input, output and change gates) and extra
/// parameters `[3, width]`.
type Parameters = (Tensor, Tensor);
/// Hidden state and cell of each layer, `[width]`.
type State = Vec<(Tensor, Tensor)>;
/// From the parameters and the state before a segment to its share of the loss and the state behind it.
type Segment = Graph<(Parameters, State), (Tensor, State)>;
/// A segment's vector-Jacobian product: also from the cotangents of the state behind it, to cotangents of the parameters and of
/// the state before it.
type Pull = Graph<(Parameters, State, State), (Parameters, State)>;

/// A sequence and its LSTM as tensors, and the graphs of its segments.
pub struct Lstm {
    parameters: Parameters,
    /// The state at the beginning.
    state: State,
    /// The segments, and their vector-Jacobian products, in the order of the characters.
    segments: RefCell<Vec<Segment>>,
    pulls: RefCell<Vec<Pull>>,
}

/// The characters, `[width]` each.
struct Characters(Vec<Tensor>);

impl Lstm {
    /// The sequence's tensors and graphs.
    pub fn new(sequence: &Sequence) -> Lstm {
        let (layers, width) = (sequence.layers, sequence.width);
        let row = |numbers: &[f64]| Tensor::from(numbers.to_vec());
        let parameters = (
            Tensor::from_vec(sequence.main.clone(), [layers, 2, 4, width]),
            Tensor::from_vec(sequence.extra.clone(), [3, width]),
        );
        let state: State = sequence
            .state
            .chunks(2 * width)
            .map(|layer| (row(&layer[..width]), row(&layer[width..])))
            .collect();
        let characters = Characters(sequence.characters.chunks(width).map(row).collect());
        let last = characters.0.len() - 1;
        let ranges = (0..last)
            .step_by(SEGMENT)
            .map(|start| start..last.min(start + SEGMENT));
        let (mut segments, mut pulls) = (Vec::new(), Vec::new());
        for range in ranges {
            let segment = |(parameters, state): &(Parameters, State)| {
                characters.segment(range.clone(), parameters, state)
            };
            let pull = |(parameters, state, cotangents): &(Parameters, State, State)| {
                let at = (parameters.clone(), state.clone());
                vjp(segment, &at, |(loss, _)| {
                    (loss.ones_like(), cotangents.clone())
                })
                .1
            };
            segments.push(Graph::trace(segment, &(parameters.clone(), state.clone())));
            let inputs = (parameters.clone(), state.clone(), state.clone());
            pulls.push(Graph::trace(pull, &inputs));
        }
        Lstm {
            parameters,
            state,
            segments: segments.into(),
            pulls: pulls.into(),
        }
    }

    /// The loss, and the states before, between and behind the segments.
    fn forward(&self) -> (Tensor, Vec<State>) {
        let mut total = 0.0;
        let mut states = vec![self.state.clone()];
        for segment in self.segments.borrow_mut().iter_mut() {
            let before = states[states.len() - 1].clone();
            let (loss, after) = segment.forward(&(self.parameters.clone(), before));
            total += loss.item::<f64>();
            states.push(after);
        }
        (Tensor::from(total), states)
    }
}

impl Characters {
    /// The share of the loss of predicting what follows some characters, and the state behind them.
    fn segment(
        &self,
        range: Range<usize>,
        (main, extra): &Parameters,
        state: &State,
    ) -> (Tensor, State) {
        let layers: Vec<Layer> = main.rows().map(|layer| Layer::new(&layer)).collect();
        let extra: Vec<Tensor> = extra.rows().collect();
        let mut state = state.clone();
        let mut outputs = Vec::new();
        for character in &self.0[range.clone()] {
            let mut x = character * &extra[0];
            for (layer, (hidden, cell)) in layers.iter().zip(&mut state) {
                (*hidden, *cell) = layer.step(&x, hidden, cell);
                x = hidden.clone();
            }
            outputs.push(x);
        }
        let following = Tensor::stack(&self.0[range.start + 1..range.end + 1], 0);
        let predicted = Tensor::stack(&outputs, 0) * &extra[1] + &extra[2];
        // ADBench begins its sum of exponentials at 2.
        let normaliser = (predicted.exp().sum(1) + 2.0).log();
        let normalised = predicted - normaliser.unsqueeze(1);
        let count = (self.0.len() - 1) * extra[0].elements();
        (
            (following * normalised).sum(..) * (-1.0 / count as f64),
            state,
        )
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
        vec![self.forward().0]
    }

    /// Backpropagation through time: forward through all segments, then back through them with only the states between them at
    /// hand, each segment's values computed again beside its derivative.
    fn derivative(&self) -> Derivative {
        let (_, mut states) = self.forward();
        let zeros = |(hidden, cell): &(Tensor, Tensor)| (hidden.zeros_like(), cell.zeros_like());
        let last = states
            .pop()
            .expect("there is a state behind the last segment");
        let mut cotangents: State = last.iter().map(zeros).collect();
        let (main, extra) = &self.parameters;
        let (mut main, mut extra) = (main.zeros_like(), extra.zeros_like());
        for (pull, state) in self.pulls.borrow_mut().iter_mut().zip(states).rev() {
            let ((of_main, of_extra), before) =
                pull.forward(&(self.parameters.clone(), state, cotangents));
            main += of_main;
            extra += of_extra;
            cotangents = before;
        }
        Derivative::Gradient(vec![main, extra])
    }
}
