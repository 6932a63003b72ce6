//! Where a sparse matrix has entries.

use std::fmt;

/// The places of a matrix that may be other than zero, by rows, ascending within each.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    columns: usize,
    row_starts: Vec<usize>,
    column_indices: Vec<u32>,
}

impl Pattern {
    /// A pattern from the columns of each row, which need not be sorted.
    ///
    /// # Panics
    /// When a column is not below `columns`.
    #[track_caller]
    pub fn from_rows<R: IntoIterator<Item = u32>>(
        columns: usize,
        rows: impl IntoIterator<Item = R>,
    ) -> Pattern {
        let mut row_starts = vec![0];
        let mut column_indices = Vec::new();
        for row in rows {
            let start = column_indices.len();
            column_indices.extend(row);
            let new = &mut column_indices[start..];
            new.sort_unstable();
            assert!(
                new.last().is_none_or(|&last| (last as usize) < columns),
                "a pattern with {columns} columns has no column {}",
                new[new.len() - 1]
            );
            let mut kept = start;
            for position in start..column_indices.len() {
                if position == start || column_indices[position] != column_indices[kept - 1] {
                    column_indices[kept] = column_indices[position];
                    kept += 1;
                }
            }
            column_indices.truncate(kept);
            row_starts.push(kept);
        }
        Pattern {
            columns,
            row_starts,
            column_indices,
        }
    }

    /// The numbers of rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        [self.row_starts.len() - 1, self.columns]
    }

    /// The number of entries.
    pub fn entries(&self) -> usize {
        self.column_indices.len()
    }

    /// The columns of the entries of a row, ascending.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn row(&self, row: usize) -> &[u32] {
        &self.column_indices[self.row_starts[row]..self.row_starts[row + 1]]
    }

    /// All rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.row_starts
            .windows(2)
            .map(|ends| &self.column_indices[ends[0]..ends[1]])
    }

    /// Where each row's entries start in [`column_indices`](Pattern::column_indices), and at last their number: the row
    /// pointers of the CSR format.
    pub fn row_starts(&self) -> &[usize] {
        &self.row_starts
    }

    /// The column of every entry, row after row.
    pub fn column_indices(&self) -> &[u32] {
        &self.column_indices
    }

    /// The row and column of every entry, row after row.
    pub fn coordinates(&self) -> impl Iterator<Item = (u32, u32)> {
        let rows = self.rows().enumerate();
        rows.flat_map(|(row, columns)| columns.iter().map(move |&column| (row as u32, column)))
    }

    /// Whether there is an entry at a place.
    pub fn contains(&self, row: usize, column: usize) -> bool {
        row < self.shape()[0] && self.row(row).binary_search(&(column as u32)).is_ok()
    }

    /// The pattern with rows and columns exchanged.
    pub fn transposed(&self) -> Pattern {
        let mut row_starts = vec![0; self.columns + 1];
        for &column in &self.column_indices {
            row_starts[column as usize + 1] += 1;
        }
        for column in 0..self.columns {
            row_starts[column + 1] += row_starts[column];
        }
        let mut next = row_starts.clone();
        let mut column_indices = vec![0; self.entries()];
        for (row, column) in self.coordinates() {
            column_indices[next[column as usize]] = row;
            next[column as usize] += 1;
        }
        Pattern {
            columns: self.shape()[0],
            row_starts,
            column_indices,
        }
    }

    /// Whether the pattern equals its transpose.
    pub fn is_symmetric(&self) -> bool {
        self.shape()[0] == self.columns && *self == self.transposed()
    }
}

/// The rows and columns as dots and crosses; large patterns as their size only.
impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.shape();
        if rows > 40 || columns > 100 {
            return write!(out, "{self:?}");
        }
        for row in 0..rows {
            let line: String = (0..columns)
                .map(|column| {
                    if self.contains(row, column) {
                        '×'
                    } else {
                        '·'
                    }
                })
                .collect();
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.shape();
        write!(
            out,
            "Pattern({rows} x {columns}, {} entries)",
            self.entries()
        )
    }
}
