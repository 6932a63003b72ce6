//! A recurrent network over whole sequences, whatever its cell.

use super::cell::{Cell, Draw, Turned, refuse_shape, require_state, zeros};
use super::options::RecurrentOptions;
use crate::{Mode, layer_scope};
use chainrule_core::error::raise;
use chainrule_core::tree::{Tree, leaves, mapped, rebuilt};
use chainrule_core::{DType, Error, ErrorKind, Tensor};
use chainrule_derive::Tree;

/// The cells of one layer of a recurrent network.
#[derive(Clone, Debug, Tree)]
pub struct Directions<C> {
    /// The cell that goes from the first step to the last.
    pub forward: C,
    /// The cell that goes from the last step to the first, if there are two directions.
    pub reverse: Option<C>,
}

impl<C> Directions<C> {
    fn cells(&self) -> impl Iterator<Item = (&C, bool)> {
        let forward = std::iter::once((&self.forward, false));
        forward.chain(self.reverse.iter().map(|cell| (cell, true)))
    }
}

/// All layers with fresh weights.
#[track_caller]
pub(super) fn drawn_layers<C: Cell>(
    options: &RecurrentOptions,
    draw: &Draw<'_>,
) -> Vec<Directions<C>> {
    let layer = |layer| {
        let options = options.of_layer(layer);
        Directions {
            forward: C::drawn(&options, draw),
            reverse: options.bidirectional.then(|| C::drawn(&options, draw)),
        }
    };
    (0..options.layers).map(layer).collect()
}

/// The layers of a network, and how they are run.
pub(super) struct Network<'a, C> {
    pub(super) layers: &'a [Directions<C>],
    pub(super) options: &'a RecurrentOptions,
    pub(super) mode: Mode,
}

impl<C: Cell> Network<'_, C> {
    /// The outputs of the last layer for every step, and the state of every layer and direction behind its last one,
    /// `[layers · directions, batch, width]`.
    ///
    /// Of a batch of sequences that are as long as `lengths`, what is behind their ends has no influence.
    #[track_caller]
    pub(super) fn run(
        &self,
        x: &Tensor,
        lengths: Option<&[usize]>,
        initial: Option<&C::State>,
    ) -> (Tensor, C::State) {
        self.check(x);
        let alone = x.rank() == 2;
        let batched = if alone {
            x.unsqueeze(self.batch_axis())
        } else {
            x.clone()
        };
        let steps = self.turned_time(&batched);
        let lengths = lengths.map(|lengths| Lengths::new::<C>(lengths, &steps));
        let initial = self.initial(&steps, initial, alone);
        let (outputs, last) = self.through_layers(steps, lengths.as_ref(), &initial);
        let outputs = self.turned_time(&outputs);
        if alone {
            return (
                outputs.squeeze(self.batch_axis()),
                mapped(&last, |state| state.squeeze(1)),
            );
        }
        (outputs, last)
    }

    #[track_caller]
    fn through_layers(
        &self,
        mut steps: Tensor,
        lengths: Option<&Lengths>,
        initial: &C::State,
    ) -> (Tensor, C::State) {
        let mut last = Vec::new();
        for (position, layer) in self.layers.iter().enumerate() {
            if position > 0 && self.options.dropout > 0.0 && self.mode.is_training() {
                steps = steps.dropout(self.options.dropout);
            }
            let mut outputs = Vec::new();
            for (cell, reversed) in layer.cells() {
                let before = mapped(initial, |state| state.narrow(0, last.len(), 1).squeeze(0));
                let (output, state) =
                    layer_scope(cell, || over_time(cell, &steps, reversed, lengths, before));
                outputs.push(output);
                last.push(state);
            }
            steps = match &outputs[..] {
                [one] => one.clone(),
                all => Tensor::concat(all, -1),
            };
        }
        (steps, stacked(&last))
    }

    /// The state before the first step, `[layers · directions, batch, width]`: the given one, or zeros.
    #[track_caller]
    fn initial(&self, steps: &Tensor, given: Option<&C::State>, alone: bool) -> C::State {
        let (count, batch) = (
            self.layers.len() * self.options.directions(),
            steps.shape()[1],
        );
        let first = &self.layers[0].forward;
        let zeros = first.state(&mut |width| zeros(&[count, batch, width], steps));
        let Some(given) = given else { return zeros };
        if !alone {
            require_state::<C>(given, &zeros);
            return given.clone();
        }
        require_state::<C>(given, &mapped(&zeros, |state| state.squeeze(1)));
        mapped(given, |state| state.unsqueeze(1))
    }

    /// From the order of the caller's axes to `[time, batch, ..]`, and back.
    fn turned_time(&self, x: &Tensor) -> Tensor {
        match self.options.time_first {
            true => x.clone(),
            false => x.transpose(0, 1),
        }
    }

    fn batch_axis(&self) -> isize {
        if self.options.time_first { 1 } else { 0 }
    }

    #[track_caller]
    fn check(&self, x: &Tensor) {
        let inputs = self.layers[0].forward.weights().input.shape()[1];
        let fits = (2..=3).contains(&x.rank()) && x.shape()[x.rank() - 1] == inputs;
        let time_axis = match (x.rank(), self.options.time_first) {
            (3, false) => 1,
            _ => 0,
        };
        if fits && x.shape()[time_axis] > 0 {
            return;
        }
        let order = match self.options.time_first {
            true => "time, batch",
            false => "batch, time",
        };
        let expected = format!(
            "the layer takes [{order}, {inputs}] or [time, {inputs}] with at least one step"
        );
        refuse_shape(C::NAME, &expected, "the input", x);
    }
}

/// One cell over all steps: its outputs `[time, batch, width]` and the state behind the last step.
#[track_caller]
fn over_time<C: Cell>(
    cell: &C,
    steps: &Tensor,
    reversed: bool,
    lengths: Option<&Lengths>,
    before: C::State,
) -> (Tensor, C::State) {
    // One product for all steps; only the recurrent one is taken step by step.
    let input_share = cell.input_share(steps).unbind(0);
    let turned: Turned = cell.turned();
    let mut state = before;
    let mut outputs = vec![None; input_share.len()];
    let mut times: Vec<usize> = (0..input_share.len()).collect();
    if reversed {
        times.reverse();
    }
    for time in times {
        let next = cell.step(&input_share[time], &state, &turned);
        state = match lengths {
            Some(lengths) => lengths.held(time, &state, &next),
            None => next,
        };
        let output = C::output(&state);
        outputs[time] = Some(match lengths {
            Some(lengths) => lengths.silenced(time, output),
            None => output.clone(),
        });
    }
    let outputs: Vec<Tensor> = outputs.into_iter().flatten().collect();
    (Tensor::stack(&outputs, 0), state)
}

/// Where the sequences of a padded batch end.
struct Lengths {
    /// For each step `[batch, 1]`: whether it belongs to the sequence; nothing where it does for all.
    inside: Vec<Option<Tensor>>,
}

impl Lengths {
    #[track_caller]
    fn new<C: Cell>(lengths: &[usize], steps: &Tensor) -> Lengths {
        let (time, batch) = (steps.shape()[0], steps.shape()[1]);
        let outside = lengths.iter().find(|&&length| length == 0 || length > time);
        let problem = match outside {
            Some(length) => format!("length {length} is not between 1 and the {time} steps"),
            None if lengths.len() != batch => {
                format!(
                    "{} lengths were given for a batch of {batch}",
                    lengths.len()
                )
            }
            None => String::new(),
        };
        if !problem.is_empty() {
            raise(Error::new(
                ErrorKind::Argument,
                format!("{}: {problem}", C::NAME),
            ));
        }
        let shortest = lengths.iter().copied().min().unwrap_or(time);
        let inside = |at: usize| {
            let inside: Vec<u8> = lengths
                .iter()
                .map(|&length| u8::from(at < length))
                .collect();
            let inside = Tensor::from_vec(inside, [batch, 1]).cast(DType::Bool);
            inside.to_device(steps.device())
        };
        Lengths {
            inside: (0..time)
                .map(|at| (at >= shortest).then(|| inside(at)))
                .collect(),
        }
    }

    /// `next` where the step belongs to the sequence, `state` elsewhere: a sequence keeps its state behind its end, and going
    /// backwards it begins there with the initial one.
    fn held<S: Tree + Clone>(&self, time: usize, state: &S, next: &S) -> S {
        let Some(inside) = &self.inside[time] else {
            return next.clone();
        };
        let pairs = leaves(next).into_iter().zip(leaves(state));
        let held: Vec<Tensor> = pairs
            .map(|(next, state)| inside.where_(next, state))
            .collect();
        rebuilt(next, &held)
    }

    /// The output, 0 behind the end of a sequence.
    fn silenced(&self, time: usize, output: &Tensor) -> Tensor {
        match &self.inside[time] {
            Some(inside) => inside.where_(output, 0.0),
            None => output.clone(),
        }
    }
}

/// The states of all layers and directions, one on the other.
fn stacked<S: Tree>(states: &[S]) -> S {
    let all: Vec<Vec<&Tensor>> = states.iter().map(leaves).collect();
    let stacked: Vec<Tensor> = (0..all[0].len())
        .map(|leaf| Tensor::stack(&all.iter().map(|state| state[leaf]).collect::<Vec<_>>(), 0))
        .collect();
    rebuilt(&states[0], &stacked)
}
