//! Recurrent networks: cells, one step each, and networks of them over whole sequences.

mod cell;
mod gru_cell;
mod lstm_cell;
mod networks;
mod options;
mod rnn_cell;
mod sequence;

pub use gru_cell::GruCell;
pub use lstm_cell::{LstmCell, LstmState};
pub(crate) use networks::CATALOGUE;
pub use networks::{Gru, Lstm, Rnn};
pub use options::{RecurrentActivation, RecurrentOptions};
pub use rnn_cell::RnnCell;
pub use sequence::Directions;
