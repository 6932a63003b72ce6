//! The means of an epoch.

use crate::history::number;
use serde::{Deserialize, Serialize};

/// A number averaged over the examples of an epoch so far.
///
/// It is a sum, so that an epoch that was interrupted goes on as if it had not been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Mean {
    name: String,
    #[serde(with = "number")]
    sum: f64,
    examples: u64,
}

/// Named means, in the order in which they first came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Means {
    means: Vec<Mean>,
}

impl Means {
    /// Adds the mean over `examples` more. An undefined one, of a batch without examples that count, is left out.
    pub(super) fn add(&mut self, name: &str, value: f64, examples: usize) {
        if value.is_nan() && name != "loss" {
            return;
        }
        let known = self.means.iter_mut().find(|mean| mean.name == name);
        let (sum, examples) = (value * examples as f64, examples as u64);
        match known {
            Some(mean) => {
                mean.sum += sum;
                mean.examples += examples;
            }
            None => self.means.push(Mean {
                name: name.to_owned(),
                sum,
                examples,
            }),
        }
    }

    pub(super) fn values(&self) -> Vec<(String, f64)> {
        self.means
            .iter()
            .map(|mean| (mean.name.clone(), mean.sum / mean.examples as f64))
            .collect()
    }

    pub(super) fn clear(&mut self) {
        self.means.clear();
    }
}
