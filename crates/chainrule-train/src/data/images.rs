//! Images in memory as bytes, a quarter of what they would take as numbers.

use super::{DataError, Dataset};
use chainrule_core::{DType, Tensor};

/// Labelled images of one size in memory, kept as bytes.
///
/// An example is an image `[channels, height, width]`, f32 from 0 to 1, and a label, i64.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_train::data::{Dataset, ImageDataset};
/// let images = Tensor::from_vec(vec![0u8, 51, 255, 102], [2, 1, 1, 2]);
/// let data = ImageDataset::new(images, Tensor::from(vec![7i64, 8]))?;
/// let (x, y) = data.batch(&[1])?;
/// assert_eq!(x.to_vec::<f32>(), [1.0, 0.4]);
/// assert_eq!(y.to_vec::<i64>(), [8]);
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageDataset {
    images: Tensor,
    labels: Tensor,
}

impl ImageDataset {
    /// Images `[count, channels, height, width]` u8, labels `[count]` i64.
    ///
    /// # Errors
    /// When the shapes or dtypes are others.
    pub fn new(images: Tensor, labels: Tensor) -> Result<ImageDataset, DataError> {
        let fits = images.rank() == 4
            && images.dtype() == DType::U8
            && labels.rank() == 1
            && labels.dtype() == DType::I64
            && images.shape()[0] == labels.shape()[0];
        if !fits {
            return Err(DataError::Argument(format!(
                "ImageDataset: images are {} {} and labels {} {}; [count, channels, height, width] u8 and [count] \
                 i64 are expected",
                images.shape(),
                images.dtype(),
                labels.shape(),
                labels.dtype()
            )));
        }
        Ok(ImageDataset { images, labels })
    }

    /// All images, `[count, channels, height, width]` u8.
    pub fn images(&self) -> &Tensor {
        &self.images
    }

    /// All labels, `[count]` i64.
    pub fn labels(&self) -> &Tensor {
        &self.labels
    }
}

impl Dataset for ImageDataset {
    type Example = (Tensor, Tensor);

    fn len(&self) -> usize {
        self.labels.shape()[0]
    }

    fn get(&self, index: usize) -> Result<(Tensor, Tensor), DataError> {
        let (image, label) = self.batch(&[index])?;
        Ok((image.squeeze(0), label.squeeze(0)))
    }

    fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor), DataError> {
        let len = self.len();
        if let Some(&index) = indices.iter().find(|&&index| index >= len) {
            return Err(DataError::Index { index, len });
        }
        let rows: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
        let rows = Tensor::from(rows);
        let pixels = self.images.index_select(0, &rows).cast(DType::F32);
        Ok((pixels / 255.0, self.labels.index_select(0, &rows)))
    }
}
