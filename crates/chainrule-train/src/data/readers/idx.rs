//! IDX files, the format of MNIST, and the folders of MNIST and Fashion-MNIST.
//!
//! An IDX file is two zero bytes, a byte for the type of the elements, a byte for the number of axes, an extent of four
//! bytes for each axis, then the elements; all numbers have the highest byte first. Gzip files are unpacked on the way.

use super::source::Source;
use crate::data::{DataError, Known, Place, TensorDataset, find};
use chainrule_core::{Error, Tensor};
use std::path::Path;

/// The most axes that a file may have: as many as tensors are good for.
const MOST_AXES: u8 = 8;

/// Reads an IDX file, packed by gzip or not.
///
/// The dtype is that of the elements: `u8`, `i32`, `f32` or `f64`; signed bytes and 16-bit integers become `i32`.
///
/// # Errors
/// When the file cannot be read or is not a whole IDX file.
pub fn read(path: impl AsRef<Path>) -> Result<Tensor, DataError> {
    decoded(&mut Source::open(path.as_ref())?)
}

/// Reads the content of an IDX file; `name` is used in messages.
///
/// ```
/// use chainrule_train::data::readers::idx;
/// let file = [0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]; // unsigned bytes, one axis of 3
/// assert_eq!(idx::decode("digits", &file)?.to_vec::<u8>(), [7, 8, 9]);
/// let error = idx::decode("digits", &file[..10]).unwrap_err();
/// assert!(error.to_string().starts_with("digits, byte 8: "));
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
///
/// # Errors
/// When it is not a whole IDX file.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Tensor, DataError> {
    decoded(&mut Source::of_bytes(Path::new(name), bytes))
}

fn decoded(source: &mut Source<'_>) -> Result<Tensor, DataError> {
    let raw = Raw::read(source)?;
    raw.tensor()
        .map_err(|error| source.damaged_at(4, error.message()))
}

/// The content of a file, its elements as they stand there.
struct Raw {
    kind: u8,
    shape: Vec<usize>,
    elements: Vec<u8>,
}

impl Raw {
    fn read(source: &mut Source<'_>) -> Result<Raw, DataError> {
        let magic = source.take(4, "the magic number")?;
        let [zero, zero_too, kind, axes] = [magic[0], magic[1], magic[2], magic[3]];
        if (zero, zero_too) != (0, 0) {
            let problem = format!(
                "not an IDX file: it begins with {zero:#04x} {zero_too:#04x} instead of two zero bytes"
            );
            return Err(source.damaged_at(0, problem));
        }
        let Some(size) = size_of(kind) else {
            let problem = format!("{kind:#04x} is not one of IDX's element types");
            return Err(source.damaged_at(2, problem));
        };
        if axes == 0 || axes > MOST_AXES {
            let problem = format!("{axes} axes; 1 to {MOST_AXES} were expected");
            return Err(source.damaged_at(3, problem));
        }
        let mut shape = Vec::new();
        let mut bytes = size;
        for axis in 0..axes {
            let extent = source.big_endian_u32(&format!("the extent of axis {axis}"))?;
            shape.push(extent as usize);
            bytes = bytes.saturating_mul(u64::from(extent));
        }
        let elements = source.take(bytes, &format!("the elements of a tensor {shape:?}"))?;
        source.end()?;
        Ok(Raw {
            kind,
            shape,
            elements,
        })
    }

    /// The unsigned bytes of a file with so many axes, which are `what`.
    fn bytes(path: &Path, axes: usize, what: &str) -> Result<Raw, DataError> {
        let mut source = Source::open(path)?;
        let raw = Raw::read(&mut source)?;
        if (raw.kind, raw.shape.len()) != (0x08, axes) {
            let problem = format!(
                "magic number {:#010x} ({} axes); {what} have {:#010x} ({axes} axes of unsigned bytes)",
                u32::from(raw.kind) << 8 | raw.shape.len() as u32,
                raw.shape.len(),
                0x0800 | axes
            );
            return Err(source.damaged_at(0, problem));
        }
        Ok(raw)
    }

    fn tensor(self) -> Result<Tensor, Error> {
        fn numbers<const N: usize, T>(elements: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
            let (chunks, _) = elements.as_chunks::<N>();
            chunks.iter().map(|&chunk| number(chunk)).collect()
        }
        let (shape, elements) = (self.shape, self.elements);
        let wide = |bytes: [u8; 2]| i32::from(i16::from_be_bytes(bytes));
        match self.kind {
            0x08 => Tensor::try_from_vec(elements, shape),
            0x09 => {
                let signed = elements.iter().map(|&byte| i32::from(byte as i8));
                Tensor::try_from_vec(signed.collect(), shape)
            }
            0x0b => Tensor::try_from_vec(numbers(&elements, wide), shape),
            0x0c => Tensor::try_from_vec(numbers(&elements, i32::from_be_bytes), shape),
            0x0d => Tensor::try_from_vec(numbers(&elements, f32::from_be_bytes), shape),
            _ => Tensor::try_from_vec(numbers(&elements, f64::from_be_bytes), shape),
        }
    }
}

/// The bytes of one element of this type.
fn size_of(kind: u8) -> Option<u64> {
    match kind {
        0x08 | 0x09 => Some(1),
        0x0b => Some(2),
        0x0c | 0x0d => Some(4),
        0x0e => Some(8),
        _ => None,
    }
}

/// Images and labels, as they are learnt from and as they are tested on.
#[derive(Clone, Debug)]
pub struct Mnist {
    /// The training part: images `[60000, 1, 28, 28]` f32 from 0 to 1, labels `[60000]` i64.
    pub training: TensorDataset<(Tensor, Tensor)>,
    /// The test part, 10,000 of them.
    pub test: TensorDataset<(Tensor, Tensor)>,
    /// What each label means.
    pub classes: [&'static str; 10],
}

/// Reads MNIST from a folder with the four files of the usual names, packed or not.
///
/// ```
/// use chainrule_train::data::readers::idx;
/// let error = idx::mnist("no/such/folder").unwrap_err();
/// assert!(error.to_string().starts_with("MNIST is not there"));
/// ```
///
/// # Errors
/// When files are missing (the message says where to get them) or damaged.
pub fn mnist(folder: impl AsRef<Path>) -> Result<Mnist, DataError> {
    let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    from_folder(folder.as_ref(), Known::Mnist, digits)
}

/// Reads Fashion-MNIST from a folder with the four files of the usual names, packed or not.
///
/// # Errors
/// When files are missing (the message says where to get them) or damaged.
pub fn fashion_mnist(folder: impl AsRef<Path>) -> Result<Mnist, DataError> {
    let classes = [
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ];
    from_folder(folder.as_ref(), Known::FashionMnist, classes)
}

/// The names under which a file of MNIST is found.
macro_rules! names {
    ($part:literal, $axes:literal) => {
        &[
            concat!($part, "-idx", $axes, "-ubyte.gz"),
            concat!($part, "-idx", $axes, "-ubyte"),
            concat!($part, ".idx", $axes, "-ubyte.gz"),
            concat!($part, ".idx", $axes, "-ubyte"),
        ]
    };
}

fn from_folder(
    folder: &Path,
    what: Known,
    classes: [&'static str; 10],
) -> Result<Mnist, DataError> {
    let files: [&[&str]; 4] = [
        names!("train-images", "3"),
        names!("train-labels", "1"),
        names!("t10k-images", "3"),
        names!("t10k-labels", "1"),
    ];
    let paths = find(folder, what, &files)?;
    Ok(Mnist {
        training: labelled_images(&paths[0], &paths[1], classes.len())?,
        test: labelled_images(&paths[2], &paths[3], classes.len())?,
        classes,
    })
}

/// A data set of an IDX file of images, `[count, height, width]` bytes, and one of labels, `[count]` bytes.
///
/// Images become `[count, 1, height, width]` f32 from 0 to 1, labels i64.
///
/// # Errors
/// When a file is damaged, there are no images, the counts differ, or a label is not below `classes`.
pub fn labelled_images(
    images: impl AsRef<Path>,
    labels: impl AsRef<Path>,
    classes: usize,
) -> Result<TensorDataset<(Tensor, Tensor)>, DataError> {
    let (images_path, labels_path) = (images.as_ref(), labels.as_ref());
    let Raw {
        shape,
        elements: pixels,
        ..
    } = Raw::bytes(images_path, 3, "images")?;
    let labels = Raw::bytes(labels_path, 1, "labels")?.elements;
    let (count, height, width) = (shape[0], shape[1], shape[2]);
    if count == 0 {
        return Err(DataError::Empty(images_path.display().to_string()));
    }
    if labels.len() != count {
        let problem = format!(
            "it has {} labels, {} has {count} images",
            labels.len(),
            images_path.display()
        );
        return Err(DataError::damaged(labels_path, Place::Byte(4), problem));
    }
    /// The header of a file with one axis.
    const HEADER: u64 = 8;
    if let Some(at) = labels
        .iter()
        .position(|&label| usize::from(label) >= classes)
    {
        return Err(DataError::Label {
            path: labels_path.to_owned(),
            place: Place::Byte(HEADER + at as u64),
            label: labels[at].into(),
            classes,
        });
    }
    let pixels: Vec<f32> = pixels
        .iter()
        .map(|&pixel| f32::from(pixel) / 255.0)
        .collect();
    let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
    TensorDataset::new((
        Tensor::from_vec(pixels, [count, 1, height, width]),
        Tensor::from(labels),
    ))
}
