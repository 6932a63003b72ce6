//! PNG and JPEG images.

use crate::data::{DataError, Place};
use chainrule_core::{Tensor, attempt};
use std::io::Cursor;
use std::path::Path;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The most pixels of an image: 8,192 by 8,192.
const MOST_PIXELS: u64 = 1 << 26;
/// The most pixels that one byte of a file can stand for: a block of 64 whose coefficients take a bit, or a byte of
/// deflate's longest match with a bit a pixel.
const MOST_PIXELS_OF_A_BYTE: u64 = 1032 * 8;

/// Which channels an image is read with. Transparency is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Red, green, blue: three channels; grey images have the same in each.
    #[default]
    Rgb,
    /// Brightness: one channel, 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601).
    Grey,
}

impl Colour {
    /// How many channels.
    pub fn channels(self) -> usize {
        match self {
            Colour::Rgb => 3,
            Colour::Grey => 1,
        }
    }
}

/// A decoded image, `[channels, height, width]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pixels {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Pixels {
    fn tensor(&self, colour: Colour) -> Tensor {
        let unit: Vec<f32> = self
            .bytes
            .iter()
            .map(|&byte| f32::from(byte) / 255.0)
            .collect();
        Tensor::from_vec(unit, [colour.channels(), self.height, self.width])
    }
}

/// Reads a PNG or JPEG file: `[channels, height, width]`, f32 from 0 to 1.
///
/// # Errors
/// When the file cannot be read, is neither, or is damaged.
pub fn read(path: impl AsRef<Path>, colour: Colour) -> Result<Tensor, DataError> {
    let path = path.as_ref();
    Ok(pixels_of_file(path, colour)?.tensor(colour))
}

/// Reads the content of a PNG or JPEG file; `name` is used in messages.
///
/// ```
/// use chainrule_train::data::readers::image::{decode, Colour};
/// let error = decode("cat.png", b"GIF89a", Colour::Rgb).unwrap_err();
/// assert_eq!(error.to_string(), "cat.png: neither a PNG nor a JPEG image");
/// ```
///
/// # Errors
/// When it is neither or damaged.
pub fn decode(name: &str, bytes: &[u8], colour: Colour) -> Result<Tensor, DataError> {
    let pixels = pixels(bytes, colour)
        .map_err(|problem| DataError::damaged(Path::new(name), Place::File, problem))?;
    Ok(pixels.tensor(colour))
}

pub(crate) fn pixels_of_file(path: &Path, colour: Colour) -> Result<Pixels, DataError> {
    let bytes = std::fs::read(path).map_err(|error| DataError::io(path, error))?;
    pixels(&bytes, colour).map_err(|problem| DataError::damaged(path, Place::File, problem))
}

/// Decodes an image; the error says what is wrong with it.
pub(crate) fn pixels(bytes: &[u8], colour: Colour) -> Result<Pixels, String> {
    let (height, width, channels, interleaved) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        png(bytes)?
    } else if bytes.starts_with(&[0xff, 0xd8]) {
        jpeg(bytes)?
    } else {
        return Err("neither a PNG nor a JPEG image".to_owned());
    };
    let area = height * width;
    if interleaved.len() != area * channels {
        return Err(format!(
            "{} bytes of pixels for {width} x {height} pixels of {channels} channels",
            interleaved.len()
        ));
    }
    // Grey, grey and transparency, or three colours with or without transparency.
    let coloured = channels >= 3;
    let mut bytes = Vec::with_capacity(area * colour.channels());
    let (pixels, plane) = (interleaved.chunks_exact(channels), |at: usize| {
        interleaved.iter().skip(at).step_by(channels).copied()
    });
    match (colour, coloured) {
        (Colour::Rgb, true) => (0..3).for_each(|channel| bytes.extend(plane(channel))),
        (Colour::Rgb, false) => (0..3).for_each(|_| bytes.extend(plane(0))),
        (Colour::Grey, false) => bytes.extend(plane(0)),
        (Colour::Grey, true) => bytes.extend(pixels.map(|pixel| {
            let [red, green, blue] = [0, 1, 2].map(|at| f32::from(pixel[at]));
            (0.299 * red + 0.587 * green + 0.114 * blue).round() as u8
        })),
    }
    Ok(Pixels {
        height,
        width,
        bytes,
    })
}

/// Height, width, channels, and the pixels one after the other.
type Interleaved = (usize, usize, usize, Vec<u8>);

/// Refuses sizes that the file cannot have, before memory is taken.
fn plausible(width: usize, height: usize, file: usize) -> Result<(), String> {
    let most = MOST_PIXELS.min((file as u64).saturating_mul(MOST_PIXELS_OF_A_BYTE));
    let pixels = (width as u64).saturating_mul(height as u64);
    if pixels == 0 || pixels > most {
        return Err(format!(
            "the header says {width} x {height} pixels; a file of {file} bytes can have at most {most}, and one"
        ));
    }
    Ok(())
}

fn png(bytes: &[u8]) -> Result<Interleaved, String> {
    let problem = |error: png::DecodingError| format!("not a whole PNG image: {error}");
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    let header = decoder.read_header_info().map_err(problem)?;
    let (width, height) = (header.width as usize, header.height as usize);
    plausible(width, height, bytes.len())?;
    let mut reader = decoder.read_info().map_err(problem)?;
    let size = reader.output_buffer_size();
    let size = size.filter(|&size| size as u64 <= MOST_PIXELS * 4);
    let mut pixels = vec![0; size.ok_or("the image is too large")?];
    let frame = reader.next_frame(&mut pixels).map_err(problem)?;
    pixels.truncate(frame.buffer_size());
    Ok((height, width, frame.color_type.samples(), pixels))
}

fn jpeg(bytes: &[u8]) -> Result<Interleaved, String> {
    let decoded = |colour: ColorSpace| -> Result<Option<Interleaved>, String> {
        let problem =
            |error: zune_jpeg::errors::DecodeErrors| format!("not a whole JPEG image: {error}");
        let options = DecoderOptions::new_safe()
            .set_strict_mode(true)
            .jpeg_set_out_colorspace(colour);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(problem)?;
        let (width, height) = decoder.dimensions().ok_or("the JPEG image has no size")?;
        plausible(width, height, bytes.len())?;
        // Grey images stay grey: their colours would only be made up.
        if decoder.input_colorspace() == Some(ColorSpace::Luma) && colour != ColorSpace::Luma {
            return Ok(None);
        }
        let pixels = decoder.decode().map_err(problem)?;
        Ok(Some((height, width, colour.num_components(), pixels)))
    };
    // The decoder's promise not to panic is not ours, and the file comes from anywhere.
    let whole = attempt(|| match decoded(ColorSpace::RGB)? {
        Some(image) => Ok(Some(image)),
        None => decoded(ColorSpace::Luma),
    });
    match whole {
        Ok(outcome) => outcome?.ok_or_else(|| "the JPEG image has no colours".to_owned()),
        Err(error) => Err(format!("not a whole JPEG image: {}", error.message())),
    }
}
