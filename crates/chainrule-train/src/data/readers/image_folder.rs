//! Folders of images, a folder a class.

use super::image::{Colour, pixels_of_file, read};
use crate::data::{DataError, Dataset, ImageDataset, Place};
use chainrule_core::Tensor;
use std::path::{Path, PathBuf};

/// Images in folders: `FOLDER/CLASS/IMAGE.png`, `.jpg` or `.jpeg`, decoded when they are asked for.
///
/// Classes are numbered in alphabetical order of their folders, images come in alphabetical order in each.
///
/// ```no_run
/// use chainrule_train::data::readers::image_folder::ImageFolder;
/// use chainrule_train::data::readers::image::Colour;
/// use chainrule_train::data::Dataset;
/// let images = ImageFolder::open("flowers/train", Colour::Rgb)?;
/// println!("{} images of {:?}", images.len(), images.classes());
/// let (image, label) = images.get(0)?; // [3, height, width] f32 from 0 to 1, and [] i64
/// let in_memory = images.load()?; // all of one size
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageFolder {
    files: Vec<(PathBuf, usize)>,
    classes: Vec<String>,
    colour: Colour,
    folder: PathBuf,
}

impl ImageFolder {
    /// Lists the images of a folder; none is decoded yet.
    ///
    /// # Errors
    /// When a folder cannot be listed or there are no images.
    pub fn open(folder: impl AsRef<Path>, colour: Colour) -> Result<ImageFolder, DataError> {
        let folder = folder.as_ref();
        let (mut files, mut classes) = (Vec::new(), Vec::new());
        for class in listed(folder)?.into_iter().filter(|path| path.is_dir()) {
            let images = listed(&class)?.into_iter().filter(|path| is_image(path));
            let before = files.len();
            files.extend(images.map(|path| (path, classes.len())));
            if files.len() > before {
                classes.push(name(&class));
            }
        }
        if files.is_empty() {
            let what = format!(
                "{} (images are expected as CLASS/NAME.png, .jpg or .jpeg in it)",
                folder.display()
            );
            return Err(DataError::Empty(what));
        }
        Ok(ImageFolder {
            files,
            classes,
            colour,
            folder: folder.to_owned(),
        })
    }

    /// The classes' names, by label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The files, each with its label.
    pub fn files(&self) -> &[(PathBuf, usize)] {
        &self.files
    }

    /// All images decoded into memory.
    ///
    /// # Errors
    /// When an image is damaged or of another size than the first.
    pub fn load(&self) -> Result<ImageDataset, DataError> {
        let mut collected = Collected::new(self.colour);
        for (path, label) in &self.files {
            let pixels = pixels_of_file(path, self.colour)?;
            collected.add(pixels, *label, path, || Place::File)?;
        }
        collected.dataset(&self.folder)
    }
}

impl Dataset for ImageFolder {
    type Example = (Tensor, Tensor);

    fn len(&self) -> usize {
        self.files.len()
    }

    fn get(&self, index: usize) -> Result<(Tensor, Tensor), DataError> {
        let len = self.len();
        let (path, label) = self
            .files
            .get(index)
            .ok_or(DataError::Index { index, len })?;
        Ok((read(path, self.colour)?, Tensor::from(*label as i64)))
    }
}

/// Images of one size, one after the other.
pub(super) struct Collected {
    colour: Colour,
    size: Option<(usize, usize)>,
    bytes: Vec<u8>,
    labels: Vec<i64>,
}

impl Collected {
    pub(super) fn new(colour: Colour) -> Collected {
        Collected {
            colour,
            size: None,
            bytes: Vec::new(),
            labels: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        pixels: super::image::Pixels,
        label: usize,
        path: &Path,
        place: impl Fn() -> Place,
    ) -> Result<(), DataError> {
        let found = (pixels.height, pixels.width);
        let (height, width) = *self.size.get_or_insert(found);
        if found != (height, width) {
            let problem = format!(
                "the image is {} x {}, those before are {width} x {height}; images in memory are of one size",
                pixels.width, pixels.height
            );
            return Err(DataError::damaged(path, place(), problem));
        }
        self.bytes.extend(pixels.bytes);
        self.labels.push(label as i64);
        Ok(())
    }

    /// The data set of what was collected from `path`.
    pub(super) fn dataset(self, path: &Path) -> Result<ImageDataset, DataError> {
        let Some((height, width)) = self.size else {
            return Err(DataError::Empty(path.display().to_string()));
        };
        let shape = [self.labels.len(), self.colour.channels(), height, width];
        ImageDataset::new(
            Tensor::from_vec(self.bytes, shape),
            Tensor::from(self.labels),
        )
    }
}

/// What is in a folder, in alphabetical order.
pub(super) fn listed(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let error = |error| DataError::io(folder, error);
    let entries = std::fs::read_dir(folder).map_err(error)?;
    let paths: Result<Vec<PathBuf>, std::io::Error> =
        entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(error)?;
    paths.sort();
    Ok(paths)
}

pub(super) fn is_image(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        ["png", "jpg", "jpeg"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
