//! LSTM: `layers length width`; for each layer a row of weights and one of biases (forget, input, output, change); input
//! weights, output weights, output biases; for each layer the hidden state and the cell; the sequence, a row a character.

use super::Words;
use std::path::Path;

/// A sequence and the parameters of the LSTM that predicts it.
pub struct Sequence {
    /// The number of layers.
    pub layers: usize,
    /// The number of bits of a character, which is the width of every layer.
    pub width: usize,
    /// layers × (weights, biases) × (forget, input, output, change) × width.
    pub main: Vec<f64>,
    /// (input weights, output weights, output biases) × width.
    pub extra: Vec<f64>,
    /// layers × (hidden state, cell) × width.
    pub state: Vec<f64>,
    /// A row of width for each character, at least two.
    pub characters: Vec<f64>,
}

/// Reads a sequence and its LSTM.
pub fn read_lstm(path: &Path) -> Result<Sequence, String> {
    let mut words = Words::open(path)?;
    let layers = words.count("the number of layers", 1)?;
    let length = words.count("the length of the sequence", 2)?;
    let width = words.count("the width", 1)?;
    let sequence = Sequence {
        layers,
        width,
        main: words.numbers("the main parameters", layers * 8 * width)?,
        extra: words.numbers("the extra parameters", 3 * width)?,
        state: words.numbers("the initial state", layers * 2 * width)?,
        characters: words.numbers("the sequence", length * width)?,
    };
    words.end()?;
    Ok(sequence)
}
