//! CIFAR-10 and CIFAR-100: the binary version, or JPEGs in folders or an archive.
//!
//! A record of the binary version is the label (CIFAR-100: the coarse, then the fine one) and 3,072 bytes: 32 rows of 32
//! pixels of red, then of green, then of blue.

use super::image::{Colour, pixels};
use super::image_folder::{Collected, ImageFolder, is_image};
use super::source::Source;
use crate::data::{DataError, ImageDataset, Known, Place, find};
use chainrule_core::Tensor;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// The bytes of an image.
const IMAGE: usize = 3 * 32 * 32;
/// The most bytes that one packed image of an archive may have; those of CIFAR have about 1,000.
const MOST_OF_AN_IMAGE: u64 = 1 << 24;
/// The most bytes that a file of records in an archive may have; those of CIFAR-10 have 10,000 records.
const MOST_OF_A_BATCH: u64 = 1 << 28;

/// Which labels a record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// CIFAR-10: one byte, 10 classes.
    Ten,
    /// CIFAR-100: two bytes, of which the first, one of 20 groups, is taken.
    Coarse,
    /// CIFAR-100: two bytes, of which the second, one of 100 classes, is taken.
    Fine,
}

impl Labels {
    /// Bytes before the image, which of them is the label, and how many classes there are.
    fn layout(self) -> (usize, usize, usize) {
        match self {
            Labels::Ten => (1, 0, 10),
            Labels::Coarse => (2, 0, 20),
            Labels::Fine => (2, 1, 100),
        }
    }
}

/// Images and labels, as they are learnt from and as they are tested on.
#[derive(Clone, Debug)]
pub struct Cifar {
    /// The training part, 50,000 images `[3, 32, 32]`.
    pub training: ImageDataset,
    /// The test part, 10,000 images.
    pub test: ImageDataset,
    /// What each label means.
    pub classes: Vec<String>,
}

/// The classes of CIFAR-10, by label.
pub const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// Reads CIFAR-10 from a folder with, in this order of preference,
///
/// - the binary version: `data_batch_1.bin` to `_5.bin` and `test_batch.bin`, in the folder or in `cifar-10-batches-bin`;
/// - JPEGs or PNGs: `train/CLASS/NAME.jpg` and `test/CLASS/NAME.jpg`;
/// - an archive of either: `cifar-10-binary.tar.gz`, or another file `cifar10*.tar.gz` or `CIFAR-10*.tar.gz`.
///
/// ```
/// use chainrule_train::data::readers::cifar;
/// let error = cifar::cifar10("no/such/folder").unwrap_err();
/// assert!(error.to_string().starts_with("CIFAR-10 is not there"));
/// ```
///
/// # Errors
/// When there is none of these (the message says where to get them), or a file is damaged.
pub fn cifar10(folder: impl AsRef<Path>) -> Result<Cifar, DataError> {
    let folder = folder.as_ref();
    let names: [&[&str]; 6] = [
        &["data_batch_1.bin"],
        &["data_batch_2.bin"],
        &["data_batch_3.bin"],
        &["data_batch_4.bin"],
        &["data_batch_5.bin"],
        &["test_batch.bin"],
    ];
    for place in [folder.to_owned(), folder.join("cifar-10-batches-bin")] {
        if place.join("test_batch.bin").exists() {
            let paths = find(&place, Known::Cifar10, &names)?;
            return Ok(Cifar {
                training: read(&paths[..5], Labels::Ten)?,
                test: read(&paths[5..], Labels::Ten)?,
                classes: CLASSES.map(str::to_owned).to_vec(),
            });
        }
    }
    if folder.join("train").is_dir() {
        let training = ImageFolder::open(folder.join("train"), Colour::Rgb)?;
        let test = ImageFolder::open(folder.join("test"), Colour::Rgb)?;
        return Ok(Cifar {
            training: training.load()?,
            test: test.load()?,
            classes: training.classes().to_vec(),
        });
    }
    match archive_in(folder) {
        Some(path) => archive(path),
        None => {
            let names: [&[&str]; 1] = [&[
                "data_batch_1.bin to data_batch_5.bin and test_batch.bin",
                "the folders train/CLASS and test/CLASS",
                "cifar-10-binary.tar.gz or another cifar10*.tar.gz",
            ]];
            find(folder, Known::Cifar10, &names)?;
            Err(DataError::NotThere(format!(
                "no CIFAR-10 in {}",
                folder.display()
            )))
        }
    }
}

fn archive_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut archives: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    archives.sort();
    archives.into_iter().find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_lowercase();
        name.replace('-', "").starts_with("cifar10")
            && (name.ends_with(".tar.gz") || name.ends_with(".tgz"))
            && !name.contains("python")
    })
}

/// Reads files of the binary version, one after the other, packed by gzip or not.
///
/// # Errors
/// When a file is empty, damaged, or has a label outside the classes.
pub fn read(paths: &[impl AsRef<Path>], labels: Labels) -> Result<ImageDataset, DataError> {
    let mut records = Records::default();
    for path in paths {
        records.add(&mut Source::open(path.as_ref())?, labels)?;
    }
    records.dataset(Path::new("the list of files"))
}

/// Reads the content of a file of the binary version; `name` is used in messages.
///
/// ```
/// use chainrule_train::data::{Dataset, readers::cifar::{decode, Labels}};
/// let mut record = vec![3]; // a cat
/// record.extend([255; 3072]);
/// assert_eq!(decode("batch", &record, Labels::Ten)?.get(0)?.1.item::<i64>(), 3);
/// record[0] = 10;
/// let error = decode("batch", &record, Labels::Ten).unwrap_err();
/// assert!(error.to_string().starts_with("batch, byte 0: label 10 is out of range"));
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
///
/// # Errors
/// As [`read`].
pub fn decode(name: &str, bytes: &[u8], labels: Labels) -> Result<ImageDataset, DataError> {
    let mut records = Records::default();
    let path = Path::new(name);
    records.add(&mut Source::of_bytes(path, bytes), labels)?;
    records.dataset(path)
}

#[derive(Default)]
struct Records {
    pixels: Vec<u8>,
    labels: Vec<i64>,
}

impl Records {
    fn add(&mut self, source: &mut Source<'_>, labels: Labels) -> Result<(), DataError> {
        let (before, which, classes) = labels.layout();
        let mut number = 0u64;
        let size = (before + IMAGE) as u64;
        loop {
            let record = source.up_to(size)?;
            if record.is_empty() && number > 0 {
                return Ok(());
            }
            if record.is_empty() {
                return Err(DataError::Empty(source.path().display().to_string()));
            }
            if (record.len() as u64) < size {
                let problem = format!(
                    "the file ends inside record {number}: a record has {size} bytes, {} are left",
                    record.len()
                );
                return Err(source.damaged(problem));
            }
            let label = record[which];
            if usize::from(label) >= classes {
                return Err(DataError::Label {
                    path: source.path().to_owned(),
                    place: source.place(number * size + which as u64),
                    label: label.into(),
                    classes,
                });
            }
            self.labels.push(label.into());
            self.pixels.extend(&record[before..]);
            number += 1;
        }
    }

    fn dataset(self, path: &Path) -> Result<ImageDataset, DataError> {
        if self.labels.is_empty() {
            return Err(DataError::Empty(path.display().to_string()));
        }
        let images = Tensor::from_vec(self.pixels, [self.labels.len(), 3, 32, 32]);
        ImageDataset::new(images, Tensor::from(self.labels))
    }
}

/// Reads an archive, packed by gzip: of images, `train/CLASS/NAME.jpg` and `test/CLASS/NAME.jpg` (or `.png`), in alphabetical
/// order of their names, or of CIFAR-10's binary version, `data_batch_1.bin` and so on and `test_batch.bin`.
///
/// # Errors
/// When the archive or an image is damaged, images differ in size, or a part has none.
pub fn archive(path: impl AsRef<Path>) -> Result<Cifar, DataError> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    archive_of(path, BufReader::with_capacity(1 << 16, file))
}

/// Reads the content of such an archive; `name` is used in messages.
///
/// # Errors
/// As [`archive`].
pub fn decode_archive(name: &str, bytes: &[u8]) -> Result<Cifar, DataError> {
    archive_of(Path::new(name), bytes)
}

/// The files of an archive that matter, by part (training, test), class and name.
type Parts = [BTreeMap<(String, String), Vec<u8>>; 2];

/// The class under which files of the binary version are kept: no folder has this name.
const BINARY: &str = "";

/// Which part, class and name an entry has, or `None` for one that does not matter.
fn role(entry: &str) -> Option<(usize, &str, &str)> {
    let steps: Vec<&str> = entry.split('/').collect();
    let file = *steps.last()?;
    if file == "test_batch.bin" {
        return Some((1, BINARY, file));
    }
    if file.starts_with("data_batch_") && file.ends_with(".bin") {
        return Some((0, BINARY, file));
    }
    let [.., part, class, _] = steps[..] else {
        return None;
    };
    let part = ["train", "test"].iter().position(|name| *name == part)?;
    (is_image(Path::new(file)) && class != BINARY).then_some((part, class, file))
}

fn archive_of(path: &Path, packed: impl std::io::BufRead) -> Result<Cifar, DataError> {
    let parts = unpacked(path, packed)?;
    let binary = parts
        .iter()
        .any(|files| files.keys().any(|(class, _)| class == BINARY));
    if binary {
        let dataset = |part: usize| {
            let mut records = Records::default();
            for ((_, name), bytes) in parts[part].iter().filter(|((class, _), _)| class == BINARY) {
                let count = bytes.len() as u64;
                let mut source = Source::of_entry(path, name.clone(), bytes.as_slice(), count);
                records.add(&mut source, Labels::Ten)?;
            }
            records.dataset(path)
        };
        return Ok(Cifar {
            training: dataset(0)?,
            test: dataset(1)?,
            classes: CLASSES.map(str::to_owned).to_vec(),
        });
    }
    let mut classes: Vec<String> = parts[0].keys().map(|(class, _)| class.clone()).collect();
    classes.dedup();
    let dataset = |part: usize, folder: &str| {
        let mut collected = Collected::new(Colour::Rgb);
        for ((class, file), bytes) in &parts[part] {
            let place = || Place::Entry(format!("{folder}/{class}/{file}"));
            let damaged = |problem| DataError::damaged(path, place(), problem);
            let label = classes.iter().position(|known| known == class);
            let label = label.ok_or_else(|| {
                damaged(format!(
                    "class `{class}` does not occur among the training images"
                ))
            })?;
            let pixels = pixels(bytes, Colour::Rgb).map_err(damaged)?;
            collected.add(pixels, label, path, place)?;
        }
        collected.dataset(&path.join(folder))
    };
    Ok(Cifar {
        training: dataset(0, "train")?,
        test: dataset(1, "test")?,
        classes,
    })
}

/// Reads the files of an archive that matter.
fn unpacked(path: &Path, packed: impl std::io::BufRead) -> Result<Parts, DataError> {
    let mut parts = Parts::default();
    let mut last = "the beginning".to_owned();
    let broken = |last: &str, error: std::io::Error| {
        let problem = format!("the archive cannot be read further after {last}: {error}");
        DataError::damaged(path, Place::File, problem)
    };
    let mut archive = tar::Archive::new(MultiGzDecoder::new(packed));
    for entry in archive.entries().map_err(|error| broken(&last, error))? {
        let mut entry = entry.map_err(|error| broken(&last, error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((part, class, file)) = role(&name) else {
            continue;
        };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let most = if class == BINARY {
            MOST_OF_A_BATCH
        } else {
            MOST_OF_AN_IMAGE
        };
        let size = entry.size();
        if size > most {
            let problem = format!("a file of {size} bytes; at most {most} are read");
            return Err(DataError::damaged(path, Place::Entry(name), problem));
        }
        let mut bytes = Vec::new();
        let read = entry.read_to_end(&mut bytes);
        read.map_err(|error| broken(&format!("entry `{name}`"), error))?;
        parts[part].insert((class.to_owned(), file.to_owned()), bytes);
        last = format!("entry `{name}`");
    }
    Ok(parts)
}
