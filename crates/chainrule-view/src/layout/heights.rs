//! How high each node stands: near what it is connected with, in its layer's order and at a distance from its
//! neighbours, by least squares.

use super::{Item, Link, Slot, Spacing, carrier};

/// The middle height of every slot of every layer, from 0 on.
pub fn heights(
    items: &[Item],
    slots: &[Vec<Slot>],
    links: &[Vec<Link>],
    spacing: Spacing,
) -> Vec<Vec<i32>> {
    let offsets: Vec<Vec<f64>> = slots
        .iter()
        .map(|slots| packed(items, slots, spacing))
        .collect();
    let mut heights = offsets.clone();
    for round in 0..9 {
        let forth = round % 2 == 0;
        for step in 0..slots.len() {
            let layer = if forth { step } else { slots.len() - 1 - step };
            let wanted: Vec<(f64, f64)> = (0..slots[layer].len())
                .map(|at| wanted(layer, at, forth, slots, links, &heights))
                .collect();
            heights[layer] = spread(&wanted, &offsets[layer]);
        }
    }
    whole(items, slots, &heights, &offsets)
}

/// Heights of a layer with nothing left free.
fn packed(items: &[Item], slots: &[Slot], spacing: Spacing) -> Vec<f64> {
    let mut next = 0;
    slots
        .iter()
        .map(|slot| {
            let (above, below) = extent(items, slot);
            let height = next + above;
            next = height + below + 1 + spacing.between;
            f64::from(height)
        })
        .collect()
}

/// How far a slot reaches above and below its middle.
pub fn extent(items: &[Item], slot: &Slot) -> (i32, i32) {
    if slot.passes {
        (0, 0)
    } else {
        (items[slot.item].above, items[slot.item].below)
    }
}

/// The height at which a slot's wires from the left (`forth`), or to the right, would be straight on average, and how
/// much that counts: what has no such wires gives way.
fn wanted(
    layer: usize,
    at: usize,
    forth: bool,
    slots: &[Vec<Slot>],
    links: &[Vec<Link>],
    heights: &[Vec<f64>],
) -> (f64, f64) {
    let slot = slots[layer][at];
    let mut sum = 0.0;
    let mut count = 0.0;
    if forth && layer > 0 {
        for link in links[layer].iter().filter(|link| link.target == slot) {
            if let Some(source) = carrier(link.source, &slots[layer - 1]) {
                sum += heights[layer - 1][source] - f64::from(link.port);
                count += 1.0;
            }
        }
    }
    if !forth && layer + 1 < slots.len() {
        for link in links[layer + 1]
            .iter()
            .filter(|link| link.source == slot.item)
        {
            if let Some(target) = slots[layer + 1].iter().position(|s| *s == link.target) {
                sum += heights[layer + 1][target] + f64::from(link.port);
                count += 1.0;
            }
        }
    }
    if count == 0.0 {
        (heights[layer][at], 0.001)
    } else {
        (sum / count, 1.0)
    }
}

/// The heights nearest to the wanted ones, by their weights, whose differences are at least those of the offsets: pool
/// adjacent violators.
fn spread(wanted: &[(f64, f64)], offsets: &[f64]) -> Vec<f64> {
    /// Neighbours that touch: their common height without offsets, their weight, their number.
    struct Block(f64, f64, usize);
    let mut blocks: Vec<Block> = Vec::new();
    for (&(want, weight), offset) in wanted.iter().zip(offsets) {
        let mut last = Block(want - offset, weight, 1);
        while let Some(before) = blocks.pop_if(|before| before.0 > last.0) {
            let weight = before.1 + last.1;
            let mean = (before.0 * before.1 + last.0 * last.1) / weight;
            last = Block(mean, weight, before.2 + last.2);
        }
        blocks.push(last);
    }
    blocks
        .into_iter()
        .flat_map(|Block(mean, _, count)| std::iter::repeat_n(mean, count))
        .zip(offsets)
        .map(|(base, offset)| base + offset)
        .collect()
}

/// Rounded, at the distances that are needed, the highest edge at 0.
fn whole(
    items: &[Item],
    slots: &[Vec<Slot>],
    heights: &[Vec<f64>],
    offsets: &[Vec<f64>],
) -> Vec<Vec<i32>> {
    let mut rounded: Vec<Vec<i32>> = Vec::new();
    for (heights, offsets) in heights.iter().zip(offsets) {
        let mut layer: Vec<i32> = Vec::new();
        for (at, height) in heights.iter().enumerate() {
            let mut height = height.round() as i32;
            if at > 0 {
                let least = (offsets[at] - offsets[at - 1]) as i32;
                height = height.max(layer[at - 1] + least);
            }
            layer.push(height);
        }
        rounded.push(layer);
    }
    let top = slots
        .iter()
        .flatten()
        .zip(rounded.iter().flatten())
        .map(|(slot, height)| height - extent(items, slot).0)
        .min()
        .unwrap_or(0);
    for height in rounded.iter_mut().flatten() {
        *height -= top;
    }
    rounded
}
