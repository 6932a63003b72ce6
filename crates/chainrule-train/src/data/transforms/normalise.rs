//! Normalisation: by known numbers, or by numbers fitted on the training data.

use super::{Image, Transform};
use crate::data::{DataError, Random};
use chainrule_core::{DType, Tensor};

/// `(x - mean) / deviation`, with a mean and a deviation for each channel of an image.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_train::data::transforms::Normalise;
/// let images = Tensor::from(vec![0.0f32, 1.0, 4.0, 8.0]).reshape([2, 2, 1, 1]); // 2 images, 2 channels
/// let normalise = Normalise::fit(&images)?;
/// assert_eq!(normalise.mean(), [2.0, 4.5]);
/// assert_eq!(normalise.normalised(&images).to_vec::<f32>(), [-1.0, -1.0, 1.0, 1.0]);
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Normalise {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Normalise {
    /// These means and deviations, one for each channel.
    ///
    /// # Panics
    /// When there are not as many of both, or a deviation is not positive.
    #[track_caller]
    pub fn new(mean: Vec<f32>, deviation: Vec<f32>) -> Normalise {
        assert_eq!(
            mean.len(),
            deviation.len(),
            "Normalise: a mean and a deviation for each channel"
        );
        let positive = deviation.iter().all(|&deviation| deviation > 0.0);
        assert!(
            positive,
            "Normalise: the deviations are {deviation:?}; they are positive"
        );
        Normalise { mean, deviation }
    }

    /// The means and deviations of images `[count, channels, height, width]`, floating or u8 (then of values / 255).
    ///
    /// A channel that is the same everywhere gets deviation 1.
    ///
    /// # Errors
    /// When there are no pixels or the shape is another.
    pub fn fit(images: &Tensor) -> Result<Normalise, DataError> {
        let [count, channels, height, width] = images.shape()[..] else {
            return Err(DataError::Argument(format!(
                "Normalise::fit: images are [count, channels, height, width], not {}",
                images.shape()
            )));
        };
        let area = height * width;
        if count * area == 0 {
            return Err(DataError::Empty("the set of images".to_owned()));
        }
        let mut sums = vec![(0.0f64, 0.0f64); channels];
        let mut add = |values: &mut dyn Iterator<Item = f64>, channel: usize| {
            let sums = &mut sums[channel];
            values.for_each(|x| *sums = (sums.0 + x, sums.1 + x * x));
        };
        if images.dtype() == DType::U8 {
            let bytes: Vec<u8> = images.to_vec();
            for (plane, bytes) in bytes.chunks_exact(area).enumerate() {
                add(
                    &mut bytes.iter().map(|&x| f64::from(x) / 255.0),
                    plane % channels,
                );
            }
        } else {
            let values: Vec<f32> = images.cast(DType::F32).to_vec();
            for (plane, values) in values.chunks_exact(area).enumerate() {
                add(&mut values.iter().map(|&x| f64::from(x)), plane % channels);
            }
        }
        let total = (count * area) as f64;
        let moments = sums.into_iter().map(|(sum, squares)| {
            let mean = sum / total;
            let deviation = (squares / total - mean * mean).max(0.0).sqrt();
            (
                mean as f32,
                if deviation > 1e-12 {
                    deviation as f32
                } else {
                    1.0
                },
            )
        });
        let (mean, deviation) = moments.unzip();
        Ok(Normalise { mean, deviation })
    }

    /// The mean of each channel.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The deviation of each channel.
    pub fn deviation(&self) -> &[f32] {
        &self.deviation
    }

    /// Normalised images, `[.., channels, height, width]`, as ordinary tensor operations.
    ///
    /// # Panics
    /// When the number of channels is another.
    #[track_caller]
    pub fn normalised(&self, images: &Tensor) -> Tensor {
        let channels = |values: &[f32]| Tensor::from(values).reshape([-1, 1, 1]);
        (images - channels(&self.mean)) / channels(&self.deviation)
    }
}

impl Transform for Normalise {
    fn apply(&self, image: &mut Image, _random: &mut Random) {
        let known = self.mean.len();
        assert_eq!(
            image.channels, known,
            "Normalise: it knows {known} channels"
        );
        for (plane, (mean, deviation)) in image.planes().zip(self.mean.iter().zip(&self.deviation))
        {
            plane.iter_mut().for_each(|x| *x = (*x - mean) / deviation);
        }
    }
}

/// `(x - mean) / deviation` of each column of a table, fitted on the training part and applied to all parts.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::data::transforms::Standardise;
/// let training = tensor![[1.0, 10.0], [3.0, 10.0]];
/// let standardise = Standardise::fit(&training)?;
/// assert_eq!(standardise.apply(&training).to_vec::<f32>(), [-1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(standardise.apply(&tensor![[5.0, 11.0]]).to_vec::<f32>(), [3.0, 1.0]);
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Standardise {
    /// The mean of each column, `[columns]`.
    pub mean: Tensor,
    /// The deviation of each column, `[columns]`; 1 where a column is the same everywhere.
    pub deviation: Tensor,
}

impl Standardise {
    /// The means and deviations of the columns of `[rows, columns]`, computed in f64.
    ///
    /// # Errors
    /// When there are no rows, the shape is another, or a value is not finite.
    pub fn fit(table: &Tensor) -> Result<Standardise, DataError> {
        let [rows, columns] = table.shape()[..] else {
            return Err(DataError::Argument(format!(
                "Standardise::fit: a table is [rows, columns], not {}",
                table.shape()
            )));
        };
        if rows == 0 {
            return Err(DataError::Empty("the table".to_owned()));
        }
        let dtype = table.dtype();
        let values: Vec<f64> = table.cast(DType::F64).to_vec();
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(DataError::Argument(format!(
                "Standardise::fit: row {}, column {} is {}, not a finite number",
                at / columns,
                at % columns,
                values[at]
            )));
        }
        let column = |column: usize| values.iter().skip(column).step_by(columns);
        let moments = (0..columns).map(|at| {
            let mean = column(at).sum::<f64>() / rows as f64;
            let variance = column(at).map(|x| (x - mean).powi(2)).sum::<f64>() / rows as f64;
            let constant = variance.sqrt() <= 1e-12 * mean.abs().max(f64::MIN_POSITIVE);
            (mean, if constant { 1.0 } else { variance.sqrt() })
        });
        let (mean, deviation): (Vec<f64>, Vec<f64>) = moments.unzip();
        Ok(Standardise {
            mean: Tensor::from(mean).cast(dtype),
            deviation: Tensor::from(deviation).cast(dtype),
        })
    }

    /// The table, each column standardised by the fitted numbers.
    ///
    /// # Panics
    /// When the number of columns is another.
    #[track_caller]
    pub fn apply(&self, table: &Tensor) -> Tensor {
        (table - &self.mean) / &self.deviation
    }
}
