//! Text as characters or bytes, and windows of it for language models.

use super::source::Source;
use crate::data::{DataError, Dataset, Known, find};
use chainrule_core::Tensor;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The most bytes of a text: 1 GiB.
const MOST: u64 = 1 << 30;

/// Reads a text, packed by gzip or not.
///
/// # Errors
/// When the file cannot be read, is empty, or is not UTF-8 (the message says at which byte).
pub fn read(path: impl AsRef<Path>) -> Result<String, DataError> {
    decoded(Source::open(path.as_ref())?)
}

/// Reads the content of a text file; `name` is used in messages.
///
/// ```
/// use chainrule_train::data::readers::text;
/// assert_eq!(text::decode("play", b"To be")?, "To be");
/// let error = text::decode("play", b"To \xff").unwrap_err();
/// assert_eq!(error.to_string(), "play, byte 3: not UTF-8 text");
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
///
/// # Errors
/// As [`read`].
pub fn decode(name: &str, bytes: &[u8]) -> Result<String, DataError> {
    decoded(Source::of_bytes(Path::new(name), bytes))
}

fn decoded(mut source: Source<'_>) -> Result<String, DataError> {
    let bytes = source.rest(MOST)?;
    if bytes.is_empty() {
        return Err(DataError::Empty(source.path().display().to_string()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to() as u64;
        source.damaged_at(at, "not UTF-8 text")
    })
}

/// Reads tiny-shakespeare from a folder: `input.txt` or `tinyshakespeare.txt`.
///
/// The usual division is the first 90% to learn from and the last 10% for validation:
/// [`Windows::divided`]`(text, length, 0.9)`.
///
/// # Errors
/// When it is not there (the message says where to get it) or damaged.
pub fn tiny_shakespeare(folder: impl AsRef<Path>) -> Result<String, DataError> {
    let names: [&[&str]; 1] = [&["input.txt", "tinyshakespeare.txt", "input.txt.gz"]];
    let paths = find(folder.as_ref(), Known::TinyShakespeare, &names)?;
    read(&paths[0])
}

/// The characters of a text, numbered in their order in Unicode.
///
/// ```
/// use chainrule_train::data::readers::text::Vocabulary;
/// let vocabulary = Vocabulary::of("hello");
/// assert_eq!(vocabulary.characters(), ['e', 'h', 'l', 'o']);
/// assert_eq!(vocabulary.encode("hole")?, [1, 3, 2, 0]);
/// assert_eq!(vocabulary.decode(&[1, 0, 2, 3])?, "helo");
/// let error = vocabulary.encode("hula").unwrap_err();
/// assert!(error.to_string().contains("'u'"));
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    characters: Vec<char>,
}

impl Vocabulary {
    /// The characters that occur in `text`.
    pub fn of(text: &str) -> Vocabulary {
        let characters: BTreeSet<char> = text.chars().collect();
        Vocabulary {
            characters: characters.into_iter().collect(),
        }
    }

    /// The characters, each at its number: `characters().iter().collect::<String>()` is all that has to be stored, and
    /// [`of`](Vocabulary::of) makes the same vocabulary of it.
    pub fn characters(&self) -> &[char] {
        &self.characters
    }

    /// How many characters there are.
    pub fn len(&self) -> usize {
        self.characters.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.characters.is_empty()
    }

    /// The numbers of the characters of a text.
    ///
    /// # Errors
    /// When a character is not in the vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<i64>, DataError> {
        let number = |(at, character): (usize, char)| {
            let found = self.characters.binary_search(&character);
            found.map(|number| number as i64).map_err(|_| {
                DataError::Argument(format!(
                    "character {character:?} (number {at} of the text) is not among the {} of the vocabulary",
                    self.len()
                ))
            })
        };
        text.chars().enumerate().map(number).collect()
    }

    /// The text that numbers stand for.
    ///
    /// # Errors
    /// When a number is not that of a character.
    pub fn decode(&self, numbers: &[i64]) -> Result<String, DataError> {
        let character = |&number: &i64| {
            let found = usize::try_from(number).ok();
            let found = found.and_then(|number| self.characters.get(number));
            found.copied().ok_or_else(|| {
                let len = self.len();
                DataError::Argument(format!(
                    "{number} is not the number of one of {len} characters"
                ))
            })
        };
        numbers.iter().map(character).collect()
    }
}

/// The bytes of a text as numbers from 0 to 255: a vocabulary that knows every text.
///
/// ```
/// use chainrule_train::data::readers::text::bytes;
/// assert_eq!(bytes("é"), [195, 169]);
/// ```
pub fn bytes(text: &str) -> Vec<i64> {
    text.bytes().map(i64::from).collect()
}

/// The windows of a sequence of numbers: an example is `length` of them, and the same place one further on as its targets,
/// each `[length]` i64.
///
/// ```
/// use chainrule_train::data::{Dataset, readers::text::{Vocabulary, Windows}};
/// let text = "to be or not to be";
/// let vocabulary = Vocabulary::of(text);
/// let windows = Windows::new(vocabulary.encode(text)?, 5)?;
/// assert_eq!(windows.len(), text.len() - 5);
/// let (inputs, targets) = windows.get(3)?;
/// assert_eq!(vocabulary.decode(&inputs.to_vec::<i64>())?, "be or");
/// assert_eq!(vocabulary.decode(&targets.to_vec::<i64>())?, "e or ");
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Windows {
    numbers: Arc<[i64]>,
    length: usize,
    stride: usize,
}

impl Windows {
    /// All windows of this length; neighbours overlap in all but one number.
    ///
    /// # Errors
    /// When `length` is 0 or there are not more than `length` numbers.
    pub fn new(numbers: Vec<i64>, length: usize) -> Result<Windows, DataError> {
        if length == 0 || numbers.len() <= length {
            return Err(DataError::Argument(format!(
                "Windows: {} numbers hold no window of {length} and the number behind it",
                numbers.len()
            )));
        }
        Ok(Windows {
            numbers: numbers.into(),
            length,
            stride: 1,
        })
    }

    /// The windows of the first `fraction` of the numbers, and those of the rest.
    ///
    /// # Errors
    /// When a part has no window.
    pub fn divided(
        mut numbers: Vec<i64>,
        length: usize,
        fraction: f64,
    ) -> Result<(Windows, Windows), DataError> {
        let boundary = (numbers.len() as f64 * fraction.clamp(0.0, 1.0)) as usize;
        let rest = numbers.split_off(boundary);
        Ok((Windows::new(numbers, length)?, Windows::new(rest, length)?))
    }

    /// Only every `stride`th window, at least 1; with the length as stride they do not overlap.
    pub fn stride(mut self, stride: usize) -> Windows {
        self.stride = stride.max(1);
        self
    }

    /// The whole sequence.
    pub fn numbers(&self) -> &[i64] {
        &self.numbers
    }
}

impl Dataset for Windows {
    type Example = (Tensor, Tensor);

    fn len(&self) -> usize {
        (self.numbers.len() - self.length - 1) / self.stride + 1
    }

    fn get(&self, index: usize) -> Result<(Tensor, Tensor), DataError> {
        let (inputs, targets) = self.batch(&[index])?;
        Ok((inputs.squeeze(0), targets.squeeze(0)))
    }

    fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor), DataError> {
        let (len, length) = (self.len(), self.length);
        let mut windows = [Vec::new(), Vec::new()];
        for &index in indices {
            if index >= len {
                return Err(DataError::Index { index, len });
            }
            for (shift, window) in windows.iter_mut().enumerate() {
                let start = index * self.stride + shift;
                window.extend_from_slice(&self.numbers[start..start + length]);
            }
        }
        let [inputs, targets] =
            windows.map(|window| Tensor::from_vec(window, [indices.len(), length]));
        Ok((inputs, targets))
    }
}
