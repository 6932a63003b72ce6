//! NumPy's `.npy` files, versions 1 to 3.
//!
//! A file is a magic string, a version, the length of a header, the header (a Python dictionary with the dtype, the order and
//! the shape), and the elements.

use super::source::Source;
use crate::data::DataError;
use chainrule_core::{Error, Tensor};
use half::{bf16, f16};
use std::path::Path;

/// The most bytes of a header; NumPy itself writes a few hundred at most.
const MOST_OF_A_HEADER: u64 = 1 << 16;
/// The most axes NumPy has.
const MOST_AXES: usize = 64;

/// Reads a `.npy` file.
///
/// | in the file | dtype |
/// |---|---|
/// | `f2` `f4` `f8` `i4` `i8` `u1` `b1` | the same |
/// | `V2`, as which the package `ml_dtypes` (JAX, TensorFlow) writes it | bf16 |
/// | `i1` `i2` `u2` | i32 |
/// | `u4`, and `u8` when all numbers fit | i64 |
///
/// Both byte orders and both orders of elements are read.
///
/// # Errors
/// When the file cannot be read, is damaged, or has another dtype (complex numbers, strings, objects).
pub fn read(path: impl AsRef<Path>) -> Result<Tensor, DataError> {
    decoded(&mut Source::open(path.as_ref())?)
}

/// Reads the content of a `.npy` file; `name` is used in messages.
///
/// ```
/// use chainrule_train::data::readers::npy;
/// let header = "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 2), }\n";
/// let mut file = b"\x93NUMPY\x01\x00".to_vec();
/// file.extend((header.len() as u16).to_le_bytes());
/// file.extend(header.bytes());
/// file.extend([1i32, 2, 3, 4].iter().flat_map(|x| x.to_le_bytes()));
/// assert_eq!(npy::decode("x.npy", &file)?.to_vec::<i32>(), [1, 3, 2, 4]);
/// assert!(npy::decode("x.npy", &file[..50]).is_err());
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
///
/// # Errors
/// As [`read`].
pub fn decode(name: &str, bytes: &[u8]) -> Result<Tensor, DataError> {
    decoded(&mut Source::of_bytes(Path::new(name), bytes))
}

pub(super) fn decoded(source: &mut Source<'_>) -> Result<Tensor, DataError> {
    let magic = source.take(8, "the magic string and the version")?;
    if magic[..6] != *b"\x93NUMPY" {
        return Err(source.damaged_at(0, "not a .npy file: it does not begin with \\x93NUMPY"));
    }
    let length = match magic[6] {
        1 => source.take(2, "the header's length")?,
        2 | 3 => source.take(4, "the header's length")?,
        version => {
            let problem = format!("version {version} of the format; 1 to 3 are known");
            return Err(source.damaged_at(6, problem));
        }
    };
    let length = length
        .iter()
        .rev()
        .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    if length > MOST_OF_A_HEADER {
        let problem = format!("a header of {length} bytes; at most {MOST_OF_A_HEADER} are read");
        return Err(source.damaged_at(8, problem));
    }
    let text = source.take(length, "the header")?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let header = Header::parsed(&text).map_err(|problem| source.damaged_at(8, problem))?;
    let Some(kind) = Kind::of(&header.descr) else {
        return Err(DataError::Unsupported {
            path: source.path().to_owned(),
            place: source.place(8),
            problem: format!(
                "elements of dtype '{}'; real numbers and truth values are read (convert with `.astype(..)`)",
                header.descr
            ),
        });
    };
    let count = header
        .shape
        .iter()
        .try_fold(1u64, |count, &extent| count.checked_mul(extent));
    let bytes = count.and_then(|count| count.checked_mul(kind.size as u64));
    let Some(bytes) = bytes else {
        let problem = format!("shape {:?} does not fit in any memory", header.shape);
        return Err(source.damaged_at(8, problem));
    };
    let start = 8 + if magic[6] == 1 { 2 } else { 4 } + length;
    let elements = source.take(bytes, &format!("the elements of shape {:?}", header.shape))?;
    source.end()?;
    kind.tensor(elements, &header)
        .map_err(|error| source.damaged_at(start, error.message()))
}

/// What the dictionary says.
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<u64>,
}

impl Header {
    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, in any order of the keys.
    fn parsed(text: &str) -> Result<Header, String> {
        let text = text.trim_end_matches(['\n', ' ', '\0']).trim();
        let shown: String = text.chars().take(80).collect();
        let wrong = |what: &str| format!("{what} in the header {shown:?}");
        let inner = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let mut rest = inner.ok_or_else(|| wrong("no dictionary"))?.trim();
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, behind) = quoted(rest).ok_or_else(|| wrong("a key without quotes"))?;
            let behind = behind.trim_start().strip_prefix(':');
            let value = behind
                .ok_or_else(|| wrong("a key without a value"))?
                .trim_start();
            rest = match key {
                "descr" => {
                    let found = quoted(value).ok_or_else(|| wrong("a dtype with fields"))?;
                    descr = Some(found.0.to_owned());
                    found.1
                }
                "fortran_order" => {
                    let found = [("True", true), ("False", false)]
                        .into_iter()
                        .find_map(|(word, truth)| Some((truth, value.strip_prefix(word)?)));
                    let found = found.ok_or_else(|| wrong("no truth value"))?;
                    fortran = Some(found.0);
                    found.1
                }
                "shape" => {
                    let open = value
                        .strip_prefix('(')
                        .and_then(|value| value.split_once(')'));
                    let (list, behind) = open.ok_or_else(|| wrong("no shape"))?;
                    shape = Some(extents(list).ok_or_else(|| wrong("no shape"))?);
                    behind
                }
                _ => return Err(wrong(&format!("the unknown key '{key}'"))),
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        Ok(Header {
            descr: descr.ok_or_else(|| wrong("no 'descr'"))?,
            fortran: fortran.ok_or_else(|| wrong("no 'fortran_order'"))?,
            shape: shape.ok_or_else(|| wrong("no 'shape'"))?,
        })
    }
}

/// A word in quotes at the beginning of a text, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text
        .chars()
        .next()
        .filter(|quote| ['\'', '"'].contains(quote))?;
    text[1..].split_once(quote)
}

/// `3, 4` or `3,` or nothing.
fn extents(list: &str) -> Option<Vec<u64>> {
    let list = list.trim();
    let list = list.strip_suffix(',').unwrap_or(list);
    if list.is_empty() {
        return Some(Vec::new());
    }
    // Python 2 wrote large numbers with an L.
    let extents = list
        .split(',')
        .map(|word| word.trim().trim_end_matches('L').parse().ok());
    let extents: Vec<u64> = extents.collect::<Option<_>>()?;
    (extents.len() <= MOST_AXES).then_some(extents)
}

/// How elements are stored.
struct Kind {
    letter: u8,
    size: usize,
    big_endian: bool,
}

impl Kind {
    /// The meaning of a `descr` such as `<f4`, or `None` for one that has no dtype here.
    fn of(descr: &str) -> Option<Kind> {
        let [order, letter, size] = *descr.as_bytes() else {
            return None;
        };
        let size = usize::from(size.checked_sub(b'0')?);
        let known = matches!(
            (letter, size),
            (b'f', 2 | 4 | 8) | (b'i' | b'u', 1 | 2 | 4 | 8) | (b'b', 1) | (b'V', 2)
        );
        let big_endian = match order {
            b'<' | b'|' => false,
            b'>' => true,
            b'=' => cfg!(target_endian = "big"),
            _ => return None,
        };
        known.then_some(Kind {
            letter,
            size,
            big_endian,
        })
    }

    fn tensor(&self, mut elements: Vec<u8>, header: &Header) -> Result<Tensor, Error> {
        fn numbers<const N: usize, T>(elements: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
            elements
                .as_chunks::<N>()
                .0
                .iter()
                .map(|&bytes| number(bytes))
                .collect()
        }
        if self.big_endian {
            elements
                .chunks_exact_mut(self.size)
                .for_each(<[u8]>::reverse);
        }
        let mut shape: Vec<usize> = header.shape.iter().map(|&extent| extent as usize).collect();
        if header.fortran {
            shape.reverse();
        }
        let bytes = &elements;
        let tensor = match (self.letter, self.size) {
            (b'f', 2) => Tensor::try_from_vec(numbers(bytes, f16::from_le_bytes), shape)?,
            (b'f', 4) => Tensor::try_from_vec(numbers(bytes, f32::from_le_bytes), shape)?,
            (b'f', _) => Tensor::try_from_vec(numbers(bytes, f64::from_le_bytes), shape)?,
            (b'V', _) => Tensor::try_from_vec(numbers(bytes, bf16::from_le_bytes), shape)?,
            (b'u', 1) => Tensor::try_from_vec(elements, shape)?,
            (b'i', 4) => Tensor::try_from_vec(numbers(bytes, i32::from_le_bytes), shape)?,
            (b'i', 8) => Tensor::try_from_vec(numbers(bytes, i64::from_le_bytes), shape)?,
            (b'i', 1) => {
                let wide = |byte| i32::from(i8::from_le_bytes(byte));
                Tensor::try_from_vec(numbers(bytes, wide), shape)?
            }
            (b'i', _) => {
                let wide = |pair| i32::from(i16::from_le_bytes(pair));
                Tensor::try_from_vec(numbers(bytes, wide), shape)?
            }
            (b'u', 2) => {
                let wide = |pair| i32::from(u16::from_le_bytes(pair));
                Tensor::try_from_vec(numbers(bytes, wide), shape)?
            }
            (b'u', 4) => {
                let wide = |four| i64::from(u32::from_le_bytes(four));
                Tensor::try_from_vec(numbers(bytes, wide), shape)?
            }
            (b'u', _) => {
                let fits = |eight| i64::try_from(u64::from_le_bytes(eight)).ok();
                let fitting: Option<Vec<i64>> = numbers(bytes, fits).into_iter().collect();
                let fitting = fitting.ok_or_else(|| {
                    let message = "a number of dtype u8 (uint64) is too large for i64".to_owned();
                    Error::new(chainrule_core::ErrorKind::File, message)
                })?;
                Tensor::try_from_vec(fitting, shape)?
            }
            _ => {
                let bytes: Vec<u8> = bytes.iter().map(|&byte| u8::from(byte != 0)).collect();
                Tensor::try_from_vec(bytes, shape)?.cast(chainrule_core::DType::Bool)
            }
        };
        if !header.fortran || header.shape.len() < 2 {
            return Ok(tensor);
        }
        let axes: Vec<isize> = (0..header.shape.len() as isize).rev().collect();
        Ok(tensor.permute(axes))
    }
}
