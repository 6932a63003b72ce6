//! What running an elementwise declaration's partials once on placeholders tells.

use super::{Diagonal, Reads};
use crate::graph::Spec;
use crate::graph::walk::reached_placeholders;
use crate::tensor::Tensor;
use chainrule_kernels::DType;
use std::cell::Cell;

/// What is known of an elementwise operation's partials.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    /// Which placeholders the partials reach: sigmoid needs its output only, add needs nothing.
    pub(super) reads: Reads,
    /// The partials that are 1, -1 or 0 everywhere.
    pub(super) known: [Option<i8>; 3],
}

/// More slots than there are elementwise operations, so that a free one is near.
const SLOTS: usize = 256;

thread_local! {
    /// Facts by the address of the operation's name, in the first free slot from its own on.
    static KNOWN: [Cell<Option<(usize, Facts)>>; SLOTS] =
        const { [const { Cell::new(None) }; SLOTS] };
}

/// The facts about the partials of the operation called `name`; asked for at every step of a walk, so remembered.
pub(super) fn facts_of(name: &'static str, arity: usize, diagonal: &dyn Diagonal) -> Facts {
    let key = name.as_ptr() as usize;
    let own = key % SLOTS;
    let mut free = None;
    for slot in (own..SLOTS).chain(0..own) {
        match KNOWN.with(|known| known[slot].get()) {
            Some((found, facts)) if found == key => return facts,
            Some(_) => {}
            None => {
                free = Some(slot);
                break;
            }
        }
    }
    let facts = find_out(arity, diagonal);
    if let Some(slot) = free {
        KNOWN.with(|known| known[slot].set(Some((key, facts))));
    }
    facts
}

fn find_out(arity: usize, diagonal: &dyn Diagonal) -> Facts {
    let spec = Spec::new((), DType::F32);
    let inputs: Vec<Tensor> = (0..arity)
        .map(|_| Tensor::placeholder(spec.clone()))
        .collect();
    let output = Tensor::placeholder(spec);
    let mut facts = Facts {
        reads: Reads::NOTHING,
        known: [None; 3],
    };
    for argument in 0..arity {
        let partial = diagonal.partial(argument, &inputs, &output);
        let reached = reached_placeholders(&partial);
        facts.reads.outputs |= reached.contains(&output.id());
        for (position, input) in inputs.iter().enumerate() {
            if reached.contains(&input.id()) {
                facts.reads.inputs |= 1 << position;
            }
        }
        let known = partial.known_fill();
        let simple = known.filter(|number| [0.0, 1.0, -1.0].contains(number));
        facts.known[argument] = simple.map(|number| number as i8);
    }
    facts
}
