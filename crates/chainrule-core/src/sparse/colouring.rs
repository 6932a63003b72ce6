//! Which columns and rows can share a direction.
//!
//! Columns that have no row in common can be summed and told apart again: a distance-2 colouring of the columns (Curtis,
//! Powell and Reid 1974). A symmetric matrix needs a star colouring only (Coleman and Moré 1984), and with columns and
//! rows at once, every entry needs to be readable from one side only (Coleman and Verma 1998). The greedy algorithms and the names of
//! the cases follow Gebremedhin, Manne and Pothen, *What color is your Jacobian?* (2005).

use super::Pattern;
use std::cmp::Reverse;

/// In which products the directions of a colouring are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Directions {
    /// Sums of columns: Jacobian-vector products, forward mode.
    Columns,
    /// Sums of rows: vector-Jacobian products, reverse mode.
    Rows,
    /// Some of both.
    Both,
    /// Sums of columns of a symmetric matrix, whose entries are read from either side of the diagonal.
    Symmetric,
}

/// The colour of a row or column whose own products are not needed.
pub(super) const NEUTRAL: u32 = u32::MAX;

/// A grouping of columns, rows or both, such that every entry can be read from the sum of one group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Colouring {
    directions: Directions,
    column_colours: Vec<u32>,
    row_colours: Vec<u32>,
    columns: usize,
    rows: usize,
    /// Whether an entry whose row and column both have a colour is read from the sum of rows.
    rows_first: bool,
}

impl Colouring {
    /// Columns with no row in common.
    pub fn columns(pattern: &Pattern) -> Colouring {
        let colours = distance_two(&pattern.transposed(), pattern);
        Colouring {
            directions: Directions::Columns,
            columns: count(&colours),
            column_colours: colours,
            row_colours: Vec::new(),
            rows: 0,
            rows_first: false,
        }
    }

    /// Rows with no column in common.
    pub fn rows(pattern: &Pattern) -> Colouring {
        let colours = distance_two(pattern, &pattern.transposed());
        Colouring {
            directions: Directions::Rows,
            rows: count(&colours),
            row_colours: colours,
            column_colours: Vec::new(),
            columns: 0,
            rows_first: true,
        }
    }

    /// A star colouring of the columns of a symmetric pattern: neighbours differ, and no path of four vertices has two
    /// colours only.
    ///
    /// # Panics
    /// When the pattern is not symmetric.
    #[track_caller]
    pub fn symmetric(pattern: &Pattern) -> Colouring {
        assert!(
            pattern.is_symmetric(),
            "a star colouring needs a symmetric pattern, not {pattern:?}"
        );
        let colours = star(pattern);
        Colouring {
            directions: Directions::Symmetric,
            columns: count(&colours),
            column_colours: colours,
            row_colours: Vec::new(),
            rows: 0,
            rows_first: false,
        }
    }

    /// Columns and rows together, for matrices with a few dense rows, or dense columns, among sparse ones: the dense rows
    /// get row colours of their own, and the columns are coloured as if they were not there (or the other way round).
    /// Coleman and Verma call such a split a complete direct cover.
    pub fn both(pattern: &Pattern) -> Colouring {
        let by_rows = split(pattern);
        let transposed = pattern.transposed();
        let by_columns = split(&transposed);
        match count(&by_rows.dense) + count(&by_rows.others)
            <= count(&by_columns.dense) + count(&by_columns.others)
        {
            true => Colouring {
                directions: Directions::Both,
                rows: count(&by_rows.dense),
                columns: count(&by_rows.others),
                row_colours: by_rows.dense,
                column_colours: by_rows.others,
                rows_first: true,
            },
            false => Colouring {
                directions: Directions::Both,
                rows: count(&by_columns.others),
                columns: count(&by_columns.dense),
                row_colours: by_columns.others,
                column_colours: by_columns.dense,
                rows_first: false,
            },
        }
    }

    /// The cheapest of [`columns`](Colouring::columns), [`rows`](Colouring::rows) and [`both`](Colouring::both).
    ///
    /// No colouring of columns has fewer colours than the fullest row has entries, so hopeless ones are not tried.
    pub fn fewest(pattern: &Pattern) -> Colouring {
        let (least_columns, least_rows) = (fullest(pattern), fullest(&pattern.transposed()));
        let mut best = match least_columns <= least_rows {
            true => Colouring::columns(pattern),
            false => Colouring::rows(pattern),
        };
        if best.count() > least_columns.max(least_rows) {
            let other = match best.directions {
                Directions::Columns => Colouring::rows(pattern),
                _ => Colouring::columns(pattern),
            };
            if other.count() < best.count() {
                best = other;
            }
        }
        if best.count() > 2 {
            let both = Colouring::both(pattern);
            if both.count() < best.count() {
                best = both;
            }
        }
        best
    }

    /// The number of colours, which is the number of products.
    pub fn count(&self) -> usize {
        self.columns + self.rows
    }

    /// In which products the colours are used.
    pub fn directions(&self) -> Directions {
        self.directions
    }

    /// The number of colours of columns, and of rows.
    pub fn counts(&self) -> [usize; 2] {
        [self.columns, self.rows]
    }

    /// Whether an entry of a row and a column with these colours is read from the sum of rows.
    pub(super) fn reads_row(&self, row_colour: u32, column_colour: u32) -> bool {
        match self.rows_first {
            true => row_colour != NEUTRAL,
            false => column_colour == NEUTRAL,
        }
    }

    /// The colour of every column; empty when columns have none.
    pub(super) fn column_colours(&self) -> &[u32] {
        &self.column_colours
    }

    /// The colour of every row; empty when rows have none.
    pub(super) fn row_colours(&self) -> &[u32] {
        &self.row_colours
    }
}

/// Colours of some dense rows, and of the columns without them.
struct Split {
    dense: Vec<u32>,
    others: Vec<u32>,
}

/// The most rows that are taken for dense.
const DENSE_ROWS: usize = 64;

/// The split with the fewest colours, among those that take the fullest rows apart.
fn split(pattern: &Pattern) -> Split {
    let mut order: Vec<u32> = (0..pattern.shape()[0] as u32).collect();
    order.sort_by_key(|&row| Reverse(pattern.row(row as usize).len()));
    let entries = |position: usize| {
        order
            .get(position)
            .map_or(0, |&row| pattern.row(row as usize).len())
    };
    let mut best: Option<Split> = None;
    for dense in 1..=DENSE_ROWS.min(order.len()) {
        let total = best
            .as_ref()
            .map_or(usize::MAX, |best| count(&best.dense) + count(&best.others));
        // Only where the number of entries falls is there something to gain.
        if entries(dense) == entries(dense - 1) || entries(dense) + 1 >= total {
            continue;
        }
        let mut is_dense = vec![false; order.len()];
        order[..dense]
            .iter()
            .for_each(|&row| is_dense[row as usize] = true);
        let candidate = Split {
            dense: colours_of_some(pattern, &is_dense),
            others: columns_without(pattern, &is_dense),
        };
        if count(&candidate.dense) + count(&candidate.others) < total {
            best = Some(candidate);
        }
    }
    best.unwrap_or_else(|| Split {
        dense: vec![NEUTRAL; order.len()],
        others: columns_without(pattern, &vec![false; order.len()]),
    })
}

/// Colours of the marked rows; the others are neutral.
fn colours_of_some(pattern: &Pattern, marked: &[bool]) -> Vec<u32> {
    let chosen = pattern.rows().zip(marked).filter(|(_, marked)| **marked);
    let chosen = Pattern::from_rows(
        pattern.shape()[1],
        chosen.map(|(row, _)| row.iter().copied()),
    );
    let mut colours = distance_two(&chosen, &chosen.transposed()).into_iter();
    let colour = |&marked: &bool| match marked {
        true => colours.next().expect("a colour for each marked row"),
        false => NEUTRAL,
    };
    marked.iter().map(colour).collect()
}

/// Colours of the columns when the marked rows are left out.
fn columns_without(pattern: &Pattern, marked: &[bool]) -> Vec<u32> {
    let left = pattern
        .rows()
        .zip(marked)
        .map(|(row, &marked)| match marked {
            true => &[],
            false => row,
        });
    let left = Pattern::from_rows(pattern.shape()[1], left.map(|row| row.iter().copied()));
    distance_two(&left.transposed(), &left)
}

fn fullest(pattern: &Pattern) -> usize {
    pattern.rows().map(<[u32]>::len).max().unwrap_or(0)
}

/// The number of colours, the neutral one not counted.
fn count(colours: &[u32]) -> usize {
    let proper = colours.iter().filter(|&&colour| colour != NEUTRAL);
    proper.max().map_or(0, |&most| most as usize + 1)
}

/// A colouring in which vertices (the rows of `of`) differ when they share a neighbour: greedy in the given order, and
/// where that does not reach the lower bound, by saturation.
fn distance_two(of: &Pattern, back: &Pattern) -> Vec<u32> {
    let natural = greedy_distance_two(of, back);
    if count(&natural) <= fullest(back) || count(&natural) > u64::BITS as usize {
        return natural;
    }
    let saturated = saturated_distance_two(of, back);
    match count(&saturated) < count(&natural) {
        true => saturated,
        false => natural,
    }
}

fn greedy_distance_two(of: &Pattern, back: &Pattern) -> Vec<u32> {
    let mut colours = vec![NEUTRAL; of.shape()[0]];
    // For each colour, the vertex for which it was last found taken.
    let mut taken: Vec<u32> = Vec::new();
    for vertex in 0..of.shape()[0] as u32 {
        for &between in of.row(vertex as usize) {
            for &other in back.row(between as usize) {
                if let Some(slot) = taken.get_mut(colours[other as usize] as usize) {
                    *slot = vertex;
                }
            }
        }
        colours[vertex as usize] = first_free(&mut taken, vertex);
    }
    colours
}

/// The vertex that sees the most colours is next (Brélaz 1979); of those, the one that has come to see so many last.
/// Vertices see at most 64 colours. On a grid this finds the perfect colouring, which no fixed order does.
fn saturated_distance_two(of: &Pattern, back: &Pattern) -> Vec<u32> {
    let vertices = of.shape()[0];
    let mut colours = vec![NEUTRAL; vertices];
    let mut seen = vec![0u64; vertices];
    // Vertices by the number of colours they see; an entry is outdated when its vertex sees more by now.
    let mut waiting: Vec<Vec<u32>> = vec![Vec::new(); u64::BITS as usize + 1];
    waiting[0] = (0..vertices as u32).rev().collect();
    let mut most = 0;
    loop {
        let Some(vertex) = waiting[most].pop() else {
            match most {
                0 => return colours,
                _ => most -= 1,
            }
            continue;
        };
        let own = vertex as usize;
        if colours[own] != NEUTRAL || seen[own].count_ones() as usize != most {
            continue;
        }
        let colour = (!seen[own]).trailing_zeros();
        if colour == u64::BITS {
            return greedy_distance_two(of, back);
        }
        colours[own] = colour;
        for &between in of.row(own) {
            for &other in back.row(between as usize) {
                let view = &mut seen[other as usize];
                if colours[other as usize] == NEUTRAL && *view & 1 << colour == 0 {
                    *view |= 1 << colour;
                    let count = view.count_ones() as usize;
                    waiting[count].push(other);
                    most = most.max(count);
                }
            }
        }
    }
}

/// The least colour that is not taken for `vertex`.
fn first_free(taken: &mut Vec<u32>, vertex: u32) -> u32 {
    let free = taken.iter().position(|&owner| owner != vertex);
    free.unwrap_or_else(|| {
        taken.push(NEUTRAL);
        taken.len() - 1
    }) as u32
}

/// Greedy star colouring (Gebremedhin, Tarafdar, Manne and Pothen 2007, algorithm 4.1, without its bookkeeping of stars):
/// a vertex gets the least colour that no neighbour has and that closes no path of four vertices with two colours.
fn star(graph: &Pattern) -> Vec<u32> {
    let vertices = graph.shape()[0];
    let mut colours = vec![NEUTRAL; vertices];
    let mut taken: Vec<u32> = Vec::new();
    // For each colour, the last vertex that saw a neighbour of it, and which neighbour that was.
    let mut first_neighbour: Vec<(u32, u32)> = Vec::new();
    for vertex in 0..vertices as u32 {
        let neighbours = graph.row(vertex as usize);
        for &neighbour in neighbours {
            let colour = colours[neighbour as usize];
            if colour == NEUTRAL || neighbour == vertex {
                continue;
            }
            taken[colour as usize] = vertex;
            let (seen_by, earlier) = first_neighbour[colour as usize];
            if seen_by == vertex {
                // Two neighbours of one colour: `vertex` is the middle of a path, so its colour must be new to both.
                if earlier != NEUTRAL {
                    forbid_around(graph, &colours, earlier, vertex, &mut taken);
                    first_neighbour[colour as usize] = (vertex, NEUTRAL);
                }
                forbid_around(graph, &colours, neighbour, vertex, &mut taken);
            } else {
                first_neighbour[colour as usize] = (vertex, neighbour);
                // A single neighbour of this colour: its other neighbours must not already have a second one of it.
                forbid_beyond(graph, &colours, neighbour, vertex, &mut taken);
            }
        }
        let colour = first_free(&mut taken, vertex);
        first_neighbour.resize(taken.len(), (NEUTRAL, NEUTRAL));
        colours[vertex as usize] = colour;
    }
    colours
}

/// Takes the colours of all neighbours of `middle`.
fn forbid_around(graph: &Pattern, colours: &[u32], middle: u32, vertex: u32, taken: &mut [u32]) {
    for &other in graph.row(middle as usize) {
        let colour = colours[other as usize];
        if other != vertex && other != middle && colour != NEUTRAL {
            taken[colour as usize] = vertex;
        }
    }
}

/// Takes the colours of those neighbours of `middle` that have a further neighbour of `middle`'s colour.
fn forbid_beyond(graph: &Pattern, colours: &[u32], middle: u32, vertex: u32, taken: &mut [u32]) {
    let own = colours[middle as usize];
    for &other in graph.row(middle as usize) {
        let colour = colours[other as usize];
        if other == vertex
            || other == middle
            || colour == NEUTRAL
            || taken[colour as usize] == vertex
        {
            continue;
        }
        let is_path = graph
            .row(other as usize)
            .iter()
            .any(|&end| end != middle && end != other && colours[end as usize] == own);
        if is_path {
            taken[colour as usize] = vertex;
        }
    }
}

/// For every entry of `graph`, whether its column is the only one of its colour in its row.
pub(super) fn lone_entries(graph: &Pattern, colours: &[u32]) -> Vec<bool> {
    let mut counts = vec![0u32; count(colours)];
    let mut lone = Vec::with_capacity(graph.entries());
    for row in graph.rows() {
        for &column in row {
            counts[colours[column as usize] as usize] += 1;
        }
        lone.extend(
            row.iter()
                .map(|&column| counts[colours[column as usize] as usize] == 1),
        );
        for &column in row {
            counts[colours[column as usize] as usize] = 0;
        }
    }
    lone
}
