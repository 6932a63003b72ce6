//! Pictures out of tensors, as PNG files.

use chainrule_core::{Error, ErrorKind, Tensor, untracked};

/// A grey or coloured picture of 8 bits a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    channels: usize,
    /// Row by row, the channels of a pixel side by side.
    bytes: Vec<u8>,
}

impl Picture {
    /// The picture in a tensor `[height, width]` (grey), `[1, height, width]` or `[3, height, width]` (RGB) with values
    /// from 0 to 1. What lies outside is cut off; NaN is black.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_train::picture::Picture;
    /// let picture = Picture::of_tensor(&tensor![[0.0, 0.5], [1.0, 2.0]])?;
    /// assert_eq!(picture.bytes(), [0, 128, 255, 255]);
    /// # Ok::<(), chainrule_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the tensor has another shape, is empty or not of a floating dtype.
    pub fn of_tensor(tensor: &Tensor) -> Result<Picture, Error> {
        let (channels, height, width) = match tensor.shape()[..] {
            [height, width] => (1, height, width),
            [channels @ (1 | 3), height, width] => (channels, height, width),
            _ => return Err(no_picture(tensor)),
        };
        if tensor.elements() == 0 || !tensor.dtype().is_floating() {
            return Err(no_picture(tensor));
        }
        let pixels = untracked(|| tensor.reshape([channels as isize, -1]).t());
        let byte = |value: f64| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        Ok(Picture {
            width,
            height,
            channels,
            bytes: pixels.to_vec::<f64>().into_iter().map(byte).collect(),
        })
    }

    /// A picture of pixels that are already there.
    pub(crate) fn of_bytes(
        width: usize,
        height: usize,
        channels: usize,
        bytes: Vec<u8>,
    ) -> Picture {
        debug_assert_eq!(bytes.len(), width * height * channels);
        Picture {
            width,
            height,
            channels,
            bytes,
        }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// 1 for grey, 3 for RGB.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The pixels row by row, the channels of a pixel side by side.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The picture as the content of a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(match self.channels {
            1 => png::ColorType::Grayscale,
            _ => png::ColorType::Rgb,
        });
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&self.bytes)?;
            writer.finish()
        });
        written.expect("the bytes are those of the header's size, and memory takes them");
        file
    }

    /// The picture as a `data:` address, to be put into a page.
    pub fn to_data_address(&self) -> String {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(self.to_png());
        format!("data:image/png;base64,{text}")
    }
}

fn no_picture(tensor: &Tensor) -> Error {
    let message = format!(
        "picture: a tensor of shape {} and {} (from `{}` at {}) is no picture\n    help: expected floating numbers from 0 to \
         1 of shape [height, width], [1, height, width] or [3, height, width]",
        tensor.shape(),
        tensor.dtype(),
        tensor.operation_name(),
        tensor.place()
    );
    Error::new(ErrorKind::Shape, message)
}
