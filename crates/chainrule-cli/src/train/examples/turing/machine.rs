//! The Neural Turing Machine of Graves, Wayne, Danihelka (2014): a controller with a memory that it reads and writes through
//! heads whose places are differentiable.

use chainrule::keep;
use chainrule::nn::layer_scope;
use chainrule::prelude::*;

/// How far one shift moves a head: back, not at all, forward.
const SHIFTS: usize = 3;
/// One head reads, one writes.
const HEADS: usize = 2;
/// Keeps quotients and logarithms finite.
const TINY: f64 = 1e-8;

/// What runs the heads.
#[derive(Clone, Module)]
pub enum Controller {
    /// A layer of LSTM cells: the gates as one product of input, read vector and hidden state.
    Lstm(Linear),
    /// One layer with tanh: the memory is all that it remembers by.
    FeedForward(Linear),
}

/// A machine with one reading and one writing head.
#[derive(Clone, Module)]
pub struct Machine {
    controller: Controller,
    /// Everything the heads need, of the controller's output: see [`Orders`].
    heads: Linear,
    /// The output, of the controller's output and what was read.
    output: Linear,
    /// What is read before the first step, `[width]`.
    first_read: Parameter,
    /// Where the heads stand before the first step, as logits `[heads, rows]`.
    first_places: Parameter,
    units: usize,
    rows: usize,
    width: usize,
}

/// What a machine remembers from step to step.
#[derive(Clone, Tree)]
pub struct State {
    /// `[batch, rows, width]`.
    memory: Tensor,
    /// What was read last, `[batch, width]`.
    read: Tensor,
    /// Where the heads stand, `[batch, heads, rows]`; each row of it sums to one.
    pub places: Tensor,
    hidden: Tensor,
    cell: Tensor,
}

/// What the controller tells the heads.
struct Orders {
    /// What to look for, `[batch, heads, width]`.
    keys: Tensor,
    /// How strongly likeness counts, `[batch, heads, 1]`, as are the next two.
    strengths: Tensor,
    /// Whether to go by likeness or to start from the last place.
    gates: Tensor,
    /// How much the places are sharpened.
    sharpness: Tensor,
    /// How the places are shifted, `[batch, heads, shifts]`.
    shifts: Tensor,
    /// What the writing head wipes out, `[batch, 1, width]`.
    erase: Tensor,
    /// What it adds, `[batch, 1, width]`.
    add: Tensor,
}

impl Machine {
    /// A machine from `inputs` to `outputs` numbers a step, with `rows` of `width` numbers of memory and `units` in its
    /// controller.
    pub fn new(
        inputs: usize,
        outputs: usize,
        units: usize,
        rows: usize,
        width: usize,
        recurrent: bool,
    ) -> Machine {
        let orders = HEADS * (width + 3 + SHIFTS) + 2 * width;
        let controller = match recurrent {
            true => Controller::Lstm(Linear::new(inputs + width + units, 4 * units)),
            false => Controller::FeedForward(Linear::new(inputs + width, units)),
        };
        // A machine that has no other memory learns to move its heads when both begin at the first row; an LSTM does not
        // need that, and learns worse from it.
        let first_places = match recurrent {
            true => Tensor::normal([HEADS, rows], 0.0, 0.1),
            false => Tensor::range(0.0, -(rows as f64), -1.0).expand([HEADS, rows]),
        };
        Machine {
            controller,
            heads: Linear::new(units, orders),
            output: Linear::new(units + width, outputs),
            first_read: Parameter::new(Tensor::normal([width], 0.0, 0.1)),
            first_places: Parameter::new(first_places),
            units,
            rows,
            width,
        }
    }

    /// The state before the first step of a batch. The memory begins constant, which learns fastest (Collier, Beel 2018).
    pub fn begin(&self, batch: usize) -> State {
        let places = self.first_places.softmax(-1);
        State {
            memory: Tensor::full([batch, self.rows, self.width], 1e-6),
            read: self.first_read.tanh().expand([batch, self.width]),
            places: places.expand([batch, HEADS, self.rows]),
            hidden: Tensor::zeros([batch, self.units]),
            cell: Tensor::zeros([batch, self.units]),
        }
    }

    /// One step: the logits of the output `[batch, outputs]` for an input `[batch, inputs]`, and the next state.
    pub fn step(&self, input: &Tensor, state: &State) -> (Tensor, State) {
        layer_scope(self, || {
            let (hidden, cell) = self.control(input, state);
            let orders = self.orders(&hidden);
            let places = moved(&orders, &state.memory, &state.places);
            let reading = places.narrow(1, 0, 1);
            let writing = places.narrow(1, 1, 1).t();
            let kept = 1.0 - writing.matmul(&orders.erase);
            let memory = &state.memory * kept + writing.matmul(&orders.add);
            let read = reading.matmul(&memory).squeeze(1);
            let output = self.output.forward(Tensor::concat(&[&hidden, &read], -1));
            let next = State {
                memory,
                read,
                places,
                hidden,
                cell,
            };
            (output, next)
        })
    }

    fn control(&self, input: &Tensor, state: &State) -> (Tensor, Tensor) {
        match &self.controller {
            Controller::Lstm(gates) => {
                let seen = Tensor::concat(&[input, &state.read, &state.hidden], -1);
                let gates = gates.forward(seen).chunk(4, -1);
                let cell = gates[1].sigmoid() * &state.cell + gates[0].sigmoid() * gates[2].tanh();
                (gates[3].sigmoid() * cell.tanh(), cell)
            }
            Controller::FeedForward(layer) => {
                let seen = Tensor::concat(&[input, &state.read], -1);
                (layer.forward(seen).tanh(), state.cell.clone())
            }
        }
    }

    fn orders(&self, hidden: &Tensor) -> Orders {
        let width = self.width;
        let all = self.heads.forward(hidden);
        let batch = all.shape()[0] as isize;
        let heads = HEADS as isize;
        let extents = [
            HEADS * width,
            HEADS,
            HEADS,
            HEADS,
            HEADS * SHIFTS,
            width,
            width,
        ];
        let parts = all.split_at(&extents, -1);
        let for_heads = |part: &Tensor| part.reshape([batch, heads, -1]);
        Orders {
            keys: for_heads(&parts[0]).tanh(),
            strengths: for_heads(&parts[1]).softplus(),
            gates: for_heads(&parts[2]).sigmoid(),
            sharpness: for_heads(&parts[3]).softplus() + 1.0,
            shifts: for_heads(&parts[4]).softmax(-1),
            erase: parts[5].sigmoid().unsqueeze(1),
            add: parts[6].tanh().unsqueeze(1),
        }
    }
}

/// Where the heads stand next: content, interpolation, shift, sharpening (equations 5 to 9 of the paper).
fn moved(orders: &Orders, memory: &Tensor, places: &Tensor) -> Tensor {
    let length = |x: &Tensor| (x.square().sum(keep(-1)) + TINY).sqrt();
    let likeness = orders.keys.matmul(memory.t());
    let likeness = likeness / (length(&orders.keys) * length(memory).t() + TINY);
    let by_content = (likeness * &orders.strengths).softmax(-1);
    let gated = &orders.gates * by_content + (1.0 - &orders.gates) * places;
    let shares = orders.shifts.split(1, -1);
    let shifted =
        gated.roll(-1, -1) * &shares[0] + &gated * &shares[1] + gated.roll(1, -1) * &shares[2];
    let sharpened = ((shifted + TINY).log() * &orders.sharpness).exp();
    &sharpened / sharpened.sum(keep(-1))
}
