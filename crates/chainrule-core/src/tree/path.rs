//! Where in a tree a leaf is.

use std::fmt;

/// One step of a path: a field, a key, or a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A field of a struct.
    Field(&'static str),
    /// A key of a map.
    Key(String),
    /// A position in a tuple, array or `Vec`.
    Index(usize),
}

/// The way from a tree's root to a leaf; prints as `encoder.layers.3.weight`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The root.
    pub fn new() -> Path {
        Path::default()
    }

    /// Runs `work` with the path extended by `segment`.
    pub fn within<R>(&mut self, segment: Segment, work: impl FnOnce(&mut Path) -> R) -> R {
        self.0.push(segment);
        let result = work(self);
        self.0.pop();
        result
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            if position > 0 {
                out.write_str(".")?;
            }
            match segment {
                Segment::Field(name) => out.write_str(name)?,
                Segment::Key(key) => out.write_str(key)?,
                Segment::Index(index) => write!(out, "{index}")?,
            }
        }
        Ok(())
    }
}
