//! How the wires run between two layers: out of the source, up or down on a track of their own, into the targets.

use super::heights::extent;
use super::{Item, Layout, Link, Slot, Spacing, Wire, carrier};

/// The output wire of one slot on its way to the next layer.
struct Net {
    item: usize,
    source: i32,
    targets: Vec<(Link, i32)>,
}

impl Net {
    fn span(&self) -> (i32, i32) {
        let heights = self.targets.iter().map(|target| target.1);
        let low = heights.clone().min().unwrap_or(self.source);
        let high = heights.max().unwrap_or(self.source);
        (low.min(self.source), high.max(self.source))
    }

    fn is_straight(&self) -> bool {
        let (low, high) = self.span();
        low == high
    }
}

/// Places the layers beside each other, with room for the wires between them, and draws the wires.
pub fn route(
    items: &[Item],
    slots: &[Vec<Slot>],
    links: &[Vec<Link>],
    mut heights: Vec<Vec<i32>>,
    spacing: Spacing,
) -> Layout {
    let mut places = vec![(0, 0); items.len()];
    let mut wires: Vec<Wire> = (0..items.len())
        .map(|from| Wire {
            from,
            horizontal: Vec::new(),
            vertical: Vec::new(),
            ends: Vec::new(),
        })
        .collect();
    let mut left = 0;
    let mut right = 0;
    for layer in 0..slots.len() {
        if layer > 0 {
            let (nets, tracks) = channel(layer, slots, links, &mut heights);
            let count = tracks.iter().flatten().max().map_or(0, |last| last + 1);
            let width = 2 * spacing.margin + (count.max(1) - 1) * spacing.track + 1;
            draw(
                &nets,
                &tracks,
                (right, right + width),
                spacing,
                items,
                &mut wires,
            );
            left = right + width;
        }
        let width = slots[layer]
            .iter()
            .filter(|slot| !slot.passes)
            .map(|slot| items[slot.item].width)
            .max()
            .unwrap_or(0);
        right = left + width;
        for (slot, &height) in slots[layer].iter().zip(&heights[layer]) {
            if slot.passes {
                wires[slot.item].horizontal.push((height, left, right));
                continue;
            }
            // The wires reach to the layer's edges.
            let own = items[slot.item].width;
            let start = if spacing.flush {
                left
            } else {
                left + (width - own) / 2
            };
            places[slot.item] = (start, height);
            let leads_on = links
                .get(layer + 1)
                .is_some_and(|links| links.iter().any(|link| link.source == slot.item));
            if leads_on && start + own < right {
                wires[slot.item]
                    .horizontal
                    .push((height, start + own, right));
            }
        }
    }
    // What a wire crosses on its way to a box that is narrower than its layer.
    for wire in &mut wires {
        for at in 0..wire.ends.len() {
            let (target, _, x, y) = wire.ends[at];
            let start = places[target].0;
            if x < start {
                wire.horizontal.push((y, x, start));
                wire.ends[at].2 = start;
            }
        }
    }
    let bottom = slots.iter().flatten().zip(heights.iter().flatten());
    let height = bottom.map(|(slot, height)| height + extent(items, slot).1 + 1);
    Layout {
        places,
        wires,
        width: right,
        height: height.max().unwrap_or(0),
    }
}

/// The nets into `layer`, and the track of each; the layer is moved down if two nets would run over each other.
fn channel(
    layer: usize,
    slots: &[Vec<Slot>],
    links: &[Vec<Link>],
    heights: &mut [Vec<i32>],
) -> (Vec<Net>, Vec<Option<i32>>) {
    for _ in 0..32 {
        let nets = nets(layer, slots, links, heights);
        if let Some(tracks) = tracks(&nets) {
            return (nets, tracks);
        }
        for height in heights[layer..].iter_mut().flatten() {
            *height += 1;
        }
    }
    let nets = nets(layer, slots, links, heights);
    let tracks = (0..nets.len() as i32).map(Some).collect();
    (nets, tracks)
}

fn nets(layer: usize, slots: &[Vec<Slot>], links: &[Vec<Link>], heights: &[Vec<i32>]) -> Vec<Net> {
    let mut nets: Vec<Net> = Vec::new();
    for (at, slot) in slots[layer - 1].iter().enumerate() {
        let targets: Vec<(Link, i32)> = links[layer]
            .iter()
            .filter(|link| link.source == slot.item)
            .filter_map(|link| {
                let target = slots[layer].iter().position(|s| *s == link.target)?;
                Some((*link, heights[layer][target] + link.port))
            })
            .collect();
        debug_assert_eq!(carrier(slot.item, &slots[layer - 1]), Some(at));
        if !targets.is_empty() {
            nets.push(Net {
                item: slot.item,
                source: heights[layer - 1][at],
                targets,
            });
        }
    }
    nets
}

/// A track for each net that is not straight, or nothing if there is no order in which no two run over each other.
///
/// A net leaves its source on the left of its track and reaches its targets on the right of it. Where another net's
/// target is as high as this one's source, this one's track must be the first.
fn tracks(nets: &[Net]) -> Option<Vec<Option<i32>>> {
    let mut tracks: Vec<Option<i32>> = vec![None; nets.len()];
    let mut waiting: Vec<usize> = (0..nets.len())
        .filter(|&at| !nets[at].is_straight())
        .collect();
    // Those that go up are best served from the top, those that go down from the bottom: fewer crossings.
    waiting.sort_by_key(|&at| {
        let (low, high) = nets[at].span();
        let rises = nets[at].source - low > high - nets[at].source;
        if rises {
            (0, nets[at].source)
        } else {
            (1, -nets[at].source)
        }
    });
    let before = |a: usize, b: usize| {
        a != b
            && nets[b]
                .targets
                .iter()
                .any(|&(_, height)| height == nets[a].source)
    };
    while !waiting.is_empty() {
        let free = waiting
            .iter()
            .position(|&at| !waiting.iter().any(|&other| before(other, at)))?;
        let at = waiting.remove(free);
        let (low, high) = nets[at].span();
        let mut track = 0;
        for (other, taken) in tracks.iter().enumerate() {
            let Some(taken) = *taken else { continue };
            let (other_low, other_high) = nets[other].span();
            if (low <= other_high && other_low <= high) || before(other, at) {
                track = track.max(taken + 1);
            }
        }
        tracks[at] = Some(track);
    }
    Some(tracks)
}

fn draw(
    nets: &[Net],
    tracks: &[Option<i32>],
    (left, right): (i32, i32),
    spacing: Spacing,
    items: &[Item],
    wires: &mut [Wire],
) {
    for (net, track) in nets.iter().zip(tracks) {
        let wire = &mut wires[net.item];
        match track {
            None => wire.horizontal.push((net.source, left, right)),
            Some(track) => {
                let x = left + spacing.margin + track * spacing.track;
                let (low, high) = net.span();
                wire.horizontal.push((net.source, left, x));
                wire.vertical.push((x, low, high));
                for &(_, height) in &net.targets {
                    wire.horizontal.push((height, x, right));
                }
            }
        }
        for &(link, height) in &net.targets {
            if !link.target.passes {
                debug_assert!(link.input < items[link.target.item].inputs.len());
                wire.ends
                    .push((link.target.item, link.input, right, height));
            }
        }
    }
}
