//! NumPy's `.npz` files: zip archives of `.npy` files.

use super::npy;
use super::source::Source;
use crate::data::{DataError, Place};
use chainrule_core::Tensor;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;
use zip::ZipArchive;

/// Reads all arrays of a `.npz` file (`np.savez` and `np.savez_compressed`), by their names without `.npy`.
///
/// ```no_run
/// use chainrule_train::data::readers::npz;
/// let mut arrays = npz::read("weights.npz")?;
/// let weight = arrays.remove("weight").expect("an array `weight`");
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
///
/// # Errors
/// When the file cannot be read, or the archive or an array in it is damaged.
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Tensor>, DataError> {
    let path = path.as_ref();
    let error = |error| DataError::io(path, error);
    let file = File::open(path).map_err(error)?;
    let size = file.metadata().map_err(error)?.len();
    arrays(path, BufReader::new(file), size)
}

/// Reads the content of a `.npz` file; `name` is used in messages.
///
/// # Errors
/// As [`read`].
pub fn decode(name: &str, bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, DataError> {
    arrays(Path::new(name), Cursor::new(bytes), bytes.len() as u64)
}

fn arrays(
    path: &Path,
    file: impl Read + Seek,
    size: u64,
) -> Result<BTreeMap<String, Tensor>, DataError> {
    let damaged = |place: Place, error: zip::result::ZipError| {
        DataError::damaged(path, place, format!("not a whole zip archive: {error}"))
    };
    let mut archive = ZipArchive::new(file).map_err(|error| damaged(Place::File, error))?;
    let mut arrays = BTreeMap::new();
    for number in 0..archive.len() {
        let place = |name: &str| match name {
            "" => Place::Entry(number.to_string()),
            name => Place::Entry(name.to_owned()),
        };
        let entry = archive
            .by_index(number)
            .map_err(|error| damaged(place(""), error))?;
        let name = entry
            .name()
            .map_err(|error| damaged(place(""), error))?
            .into_owned();
        let packed = entry.compressed_size().min(size);
        let Some(array) = name.strip_suffix(".npy") else {
            let problem = "it is not a .npy file".to_owned();
            return Err(DataError::damaged(path, place(&name), problem));
        };
        let mut source = Source::of_entry(path, name.clone(), entry, packed);
        arrays.insert(array.to_owned(), npy::decoded(&mut source)?);
    }
    Ok(arrays)
}
