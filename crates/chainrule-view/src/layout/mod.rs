//! Where the nodes of a graph stand and how their wires run: in layers from left to right (Sugiyama, Tagawa, Toda 1981).
//!
//! A wire that passes a layer gets a place there as a node would, so that wires and boxes never meet. Lengths are whole
//! numbers of a unit that the drawing chooses: terminal cells, or points.

mod heights;
mod routes;

use heights::heights;
use routes::route;

/// A node to be placed.
#[derive(Clone, Debug)]
pub struct Item {
    /// The nodes its input wires come from.
    pub inputs: Vec<usize>,
    /// Where each input wire enters, below the middle.
    pub ports: Vec<i32>,
    /// How far it reaches above and below its middle.
    pub above: i32,
    pub below: i32,
    pub width: i32,
    /// Whether it would rather stand near its user than at the far left.
    pub near: bool,
}

/// The distances of a drawing.
#[derive(Clone, Copy, Debug)]
pub struct Spacing {
    /// Between two neighbours of a layer.
    pub between: i32,
    /// Between two vertical wires.
    pub track: i32,
    /// On either side of the vertical wires between two layers.
    pub margin: i32,
    /// Whether the left ends of a layer's nodes stand below each other; else their middles do.
    pub flush: bool,
}

/// Where everything stands.
#[derive(Debug)]
pub struct Layout {
    /// The left end and the middle height of each item.
    pub places: Vec<(i32, i32)>,
    pub wires: Vec<Wire>,
    pub width: i32,
    pub height: i32,
}

/// The straight pieces of one item's output wire.
#[derive(Debug)]
pub struct Wire {
    pub from: usize,
    /// `(y, left, right)`.
    pub horizontal: Vec<(i32, i32, i32)>,
    /// `(x, top, bottom)`.
    pub vertical: Vec<(i32, i32, i32)>,
    /// Where it ends: the item, which of its inputs, x and y.
    pub ends: Vec<(usize, usize, i32, i32)>,
}

/// Something in a layer: an item, or the wire of an item on its way through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    item: usize,
    passes: bool,
}

/// Lays out `items`, which stand in topological order.
pub fn layout(items: &[Item], spacing: Spacing) -> Layout {
    let layer_of = layers(items);
    let mut slots = slots(items, &layer_of);
    let links = links(items, &layer_of, &slots);
    order(items, &mut slots, &links);
    let heights = heights(items, &slots, &links, spacing);
    route(items, &slots, &links, heights, spacing)
}

/// The layer of each item: one more than the highest of its inputs.
pub fn layers(items: &[Item]) -> Vec<usize> {
    let mut layer = vec![0; items.len()];
    for (at, item) in items.iter().enumerate() {
        layer[at] = item.inputs.iter().map(|&i| layer[i] + 1).max().unwrap_or(0);
    }
    let mut first_user = vec![usize::MAX; items.len()];
    for (at, item) in items.iter().enumerate() {
        for &input in &item.inputs {
            first_user[input] = first_user[input].min(layer[at]);
        }
    }
    for (at, item) in items.iter().enumerate() {
        let far = first_user[at] > 6;
        if item.inputs.is_empty() && first_user[at] != usize::MAX && (item.near || far) {
            layer[at] = first_user[at] - 1;
        }
    }
    layer
}

/// What stands in each layer, in the order of first mention.
fn slots(items: &[Item], layer_of: &[usize]) -> Vec<Vec<Slot>> {
    let count = layer_of.iter().max().map_or(0, |last| last + 1);
    let mut last_user = vec![0; items.len()];
    for (at, item) in items.iter().enumerate() {
        for &input in &item.inputs {
            last_user[input] = last_user[input].max(layer_of[at]);
        }
    }
    let mut slots = vec![Vec::new(); count];
    for item in 0..items.len() {
        slots[layer_of[item]].push(Slot {
            item,
            passes: false,
        });
        for layer in slots
            .iter_mut()
            .take(last_user[item])
            .skip(layer_of[item] + 1)
        {
            layer.push(Slot { item, passes: true });
        }
    }
    slots
}

/// One wire between neighbouring layers: from the source's slot to a slot of the next layer, at a port.
#[derive(Clone, Copy, Debug)]
struct Link {
    source: usize,
    target: Slot,
    port: i32,
    input: usize,
}

/// The wires into each layer.
fn links(items: &[Item], layer_of: &[usize], slots: &[Vec<Slot>]) -> Vec<Vec<Link>> {
    let mut links = vec![Vec::new(); slots.len()];
    for (layer, slots) in slots.iter().enumerate() {
        for &slot in slots {
            if slot.passes {
                links[layer].push(Link {
                    source: slot.item,
                    target: slot,
                    port: 0,
                    input: 0,
                });
                continue;
            }
            let item = &items[slot.item];
            for (input, (&source, &port)) in item.inputs.iter().zip(&item.ports).enumerate() {
                debug_assert!(layer_of[source] < layer);
                links[layer].push(Link {
                    source,
                    target: slot,
                    port,
                    input,
                });
            }
        }
    }
    links
}

/// Sorts each layer by the mean place of what its members are connected with, forth and back, and keeps the order with
/// the fewest crossings.
fn order(items: &[Item], slots: &mut Vec<Vec<Slot>>, links: &[Vec<Link>]) {
    let mut best = slots.clone();
    let mut fewest = crossings(items, slots, links);
    for round in 0..12 {
        if fewest == 0 {
            break;
        }
        let forth = round % 2 == 0;
        let sequence: Vec<usize> = if forth {
            (1..slots.len()).collect()
        } else {
            (0..slots.len().saturating_sub(1)).rev().collect()
        };
        for layer in sequence {
            let keys: Vec<f64> = slots[layer]
                .iter()
                .enumerate()
                .map(|(at, &slot)| {
                    let places = if forth {
                        sources_of(slot, layer, slots, links)
                    } else {
                        targets_of(items, slot, layer, slots, links)
                    };
                    mean(&places).unwrap_or(at as f64)
                })
                .collect();
            let mut by_key: Vec<usize> = (0..keys.len()).collect();
            by_key.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
            slots[layer] = by_key.into_iter().map(|at| slots[layer][at]).collect();
        }
        let found = crossings(items, slots, links);
        if found < fewest {
            fewest = found;
            best = slots.clone();
        }
    }
    *slots = best;
}

fn mean(places: &[f64]) -> Option<f64> {
    (!places.is_empty()).then(|| places.iter().sum::<f64>() / places.len() as f64)
}

/// The place in its layer of the slot that carries `item`'s wire.
fn carrier(item: usize, slots: &[Slot]) -> Option<usize> {
    slots.iter().position(|slot| slot.item == item)
}

fn sources_of(slot: Slot, layer: usize, slots: &[Vec<Slot>], links: &[Vec<Link>]) -> Vec<f64> {
    links[layer]
        .iter()
        .filter(|link| link.target == slot)
        .filter_map(|link| carrier(link.source, &slots[layer - 1]))
        .map(|at| at as f64)
        .collect()
}

fn targets_of(
    items: &[Item],
    slot: Slot,
    layer: usize,
    slots: &[Vec<Slot>],
    links: &[Vec<Link>],
) -> Vec<f64> {
    links[layer + 1]
        .iter()
        .filter(|link| link.source == slot.item)
        .map(|link| target_place(items, link, &slots[layer + 1]))
        .collect()
}

/// The place of a link's end in its layer, ports counted as fractions.
fn target_place(items: &[Item], link: &Link, slots: &[Slot]) -> f64 {
    let at = slots
        .iter()
        .position(|slot| *slot == link.target)
        .unwrap_or(0);
    let item = &items[link.target.item];
    at as f64 + f64::from(link.port) / f64::from(2 * (item.above + item.below) + 1)
}

fn crossings(items: &[Item], slots: &[Vec<Slot>], links: &[Vec<Link>]) -> usize {
    let mut count = 0;
    for layer in 1..slots.len() {
        let ends: Vec<(usize, f64)> = links[layer]
            .iter()
            .filter_map(|link| {
                let source = carrier(link.source, &slots[layer - 1])?;
                Some((source, target_place(items, link, &slots[layer])))
            })
            .collect();
        for (at, a) in ends.iter().enumerate() {
            for b in &ends[at + 1..] {
                let crosses = (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1);
                count += usize::from(crosses);
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(inputs: &[usize]) -> Item {
        let ports: &[i32] = match inputs.len() {
            0 => &[],
            1 => &[0],
            _ => &[-1, 1],
        };
        Item {
            inputs: inputs.to_vec(),
            ports: ports.to_vec(),
            above: 2,
            below: 2,
            width: 5,
            near: false,
        }
    }

    const SPACING: Spacing = Spacing {
        between: 0,
        track: 2,
        margin: 2,
        flush: false,
    };

    /// Every unit of height and width that a wire covers, with the wire's source; two wires may only cross.
    fn check(items: &[Item]) -> Layout {
        let drawn = layout(items, SPACING);
        let mut rows: std::collections::HashMap<(i32, i32), usize> = Default::default();
        let mut columns: std::collections::HashMap<(i32, i32), usize> = Default::default();
        for wire in &drawn.wires {
            for &(y, left, right) in &wire.horizontal {
                for x in left..right {
                    let other = *rows.entry((x, y)).or_insert(wire.from);
                    assert_eq!(
                        other, wire.from,
                        "two wires run over each other at {x}, {y}"
                    );
                }
            }
            for &(x, top, bottom) in &wire.vertical {
                for y in top..=bottom {
                    let other = *columns.entry((x, y)).or_insert(wire.from);
                    assert_eq!(
                        other, wire.from,
                        "two wires run over each other at {x}, {y}"
                    );
                }
            }
        }
        for (at, item) in items.iter().enumerate() {
            let (x, y) = drawn.places[at];
            assert!(x >= 0 && y - item.above >= 0);
            assert!(x + item.width <= drawn.width && y + item.below < drawn.height);
            for row in y - item.above..=y + item.below {
                for column in x..x + item.width {
                    assert!(!rows.contains_key(&(column, row)), "a wire crosses a box");
                    assert!(
                        !columns.contains_key(&(column, row)),
                        "a wire crosses a box"
                    );
                }
            }
            for (input, &source) in item.inputs.iter().enumerate() {
                let end = (at, input, x, y + item.ports[input]);
                assert!(
                    drawn.wires[source].ends.contains(&end),
                    "an input has no wire"
                );
            }
        }
        drawn
    }

    #[test]
    fn a_chain_is_straight() {
        let drawn = check(&[item(&[]), item(&[0]), item(&[1]), item(&[2])]);
        assert!(drawn.wires.iter().all(|wire| wire.vertical.is_empty()));
    }

    #[test]
    fn wires_never_run_over_each_other_or_through_boxes() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut below = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % bound as u64) as usize
        };
        for _ in 0..300 {
            let mut items: Vec<Item> = (0..1 + below(4)).map(|_| item(&[])).collect();
            for _ in 0..below(30) {
                let count = items.len();
                let inputs: Vec<usize> = (0..1 + below(2)).map(|_| below(count)).collect();
                items.push(item(&inputs));
            }
            check(&items);
        }
    }
}
