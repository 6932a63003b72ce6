//! Writing an event file.

use super::buckets::histogram;
use super::frame::write_record;
use super::message::{
    Content, Dimension, Event, Image, PluginData, SessionLog, Summary, SummaryMetadata,
    SummaryValue, TensorProto, TensorShape, What,
};
use chainrule_core::{Error, ErrorKind, Tensor};
use prost::Message;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What TensorBoard understands as the beginning of a file.
const FILE_VERSION: &str = "brain.Event:2";

/// Writes what happens in a run for TensorBoard: `tensorboard --logdir DIRECTORY` shows it while it grows.
///
/// Every writer makes a file of its own, so a resumed run adds to its directory; TensorBoard joins the files of one.
/// What was written is on its way to the file after [`flush`](EventWriter::flush), when the writer is dropped, and by
/// itself every ten seconds or so.
///
/// ```
/// use chainrule_train::events::EventWriter;
/// let directory = std::env::temp_dir().join(format!("events-{}", std::process::id()));
/// let mut events = EventWriter::create(&directory)?;
/// for step in 0..100 {
///     events.scalar("train/loss", step, 1.0 / (step + 1) as f64)?;
/// }
/// events.flush()?;
/// # drop(events);
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), chainrule_core::Error>(())
/// ```
pub struct EventWriter {
    to: BufWriter<File>,
    path: PathBuf,
    flushed: SystemTime,
}

impl EventWriter {
    /// Begins a new event file in `directory`, which is made if necessary.
    ///
    /// # Errors
    /// When the directory or the file cannot be made.
    pub fn create(directory: impl AsRef<Path>) -> Result<EventWriter, Error> {
        let directory = directory.as_ref();
        fs::create_dir_all(directory).map_err(|error| failed("making", directory, &error))?;
        let now = SystemTime::now();
        let (file, path) = loop {
            let path = directory.join(file_name(now));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => break (file, path),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("making", &path, &error)),
            }
        };
        let mut writer = EventWriter {
            to: BufWriter::new(file),
            path,
            flushed: now,
        };
        writer.write(0, What::FileVersion(FILE_VERSION.to_owned()))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Begins a new event file for a run that goes on from a checkpoint after `step` steps: TensorBoard forgets what earlier
    /// files of the directory say about step `step` and those after it.
    ///
    /// # Errors
    /// When the directory or the file cannot be made.
    pub fn resume(directory: impl AsRef<Path>, step: u64) -> Result<EventWriter, Error> {
        const START: i32 = 1;
        let mut writer = EventWriter::create(directory)?;
        writer.write(step, What::SessionLog(SessionLog { status: START }))?;
        writer.flush()?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a number under the name `tag`, such as `train/loss`. The format stores it as 32 bits.
    ///
    /// # Errors
    /// When writing fails.
    pub fn scalar(&mut self, tag: &str, step: u64, number: f64) -> Result<(), Error> {
        self.value(tag, step, None, Content::Scalar(number as f32))
    }

    /// Writes how the numbers of a tensor are distributed, such as weights or gradients. NaN and infinities are left out.
    ///
    /// # Errors
    /// When the tensor is not of a floating dtype, or writing fails.
    pub fn histogram(&mut self, tag: &str, step: u64, tensor: &Tensor) -> Result<(), Error> {
        if !tensor.dtype().is_floating() {
            let message = format!(
                "event file: the histogram `{tag}` is asked of a tensor of {}, expected a floating dtype\n    help: convert \
                 it first, with `.cast(DType::F32)`",
                tensor.dtype()
            );
            return Err(Error::new(ErrorKind::DType, message));
        }
        let content = Content::Histogram(histogram(tensor.to_vec::<f64>()));
        self.value(tag, step, None, content)
    }

    /// Writes a text, which TensorBoard shows as Markdown.
    ///
    /// # Errors
    /// When writing fails.
    pub fn text(&mut self, tag: &str, step: u64, text: &str) -> Result<(), Error> {
        const STRING: i32 = 7;
        let content = Content::Tensor(TensorProto {
            dtype: STRING,
            tensor_shape: Some(TensorShape {
                dim: vec![Dimension { size: 1 }],
            }),
            string_val: vec![text.as_bytes().to_vec()],
        });
        self.value(tag, step, Some("text"), content)
    }

    /// Writes a picture: a tensor `[height, width]` (grey), `[1, height, width]` or `[3, height, width]` (RGB) with
    /// values from 0 to 1; what lies outside is cut off.
    ///
    /// # Errors
    /// When the tensor is no picture, or writing fails.
    pub fn image(&mut self, tag: &str, step: u64, picture: &Tensor) -> Result<(), Error> {
        let picture = crate::picture::Picture::of_tensor(picture)?;
        let content = Content::Image(Image {
            height: picture.height() as i32,
            width: picture.width() as i32,
            colorspace: picture.channels() as i32,
            encoded_image_string: picture.to_png(),
        });
        self.value(tag, step, None, content)
    }

    /// Hands everything written so far to the operating system.
    ///
    /// # Errors
    /// When writing fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.flushed = SystemTime::now();
        self.to
            .flush()
            .map_err(|error| failed("writing", &self.path, &error))
    }

    fn value(
        &mut self,
        tag: &str,
        step: u64,
        plugin: Option<&str>,
        content: Content,
    ) -> Result<(), Error> {
        let metadata = plugin.map(|name| SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: name.to_owned(),
            }),
        });
        let value = SummaryValue {
            tag: tag.to_owned(),
            metadata,
            content: Some(content),
        };
        let summary = Summary { value: vec![value] };
        self.write(step, What::Summary(summary))
    }

    fn write(&mut self, step: u64, what: What) -> Result<(), Error> {
        const FLUSH_AFTER: Duration = Duration::from_secs(10);
        let now = SystemTime::now();
        let event = Event {
            wall_time: seconds(now),
            step: step as i64,
            what: Some(what),
        };
        write_record(&mut self.to, &event.encode_to_vec())
            .map_err(|error| failed("writing", &self.path, &error))?;
        // A clock that was set back counts as no time.
        if now.duration_since(self.flushed).unwrap_or_default() > FLUSH_AFTER {
            self.flush()?;
        }
        Ok(())
    }
}

/// `events.out.tfevents.SECONDS.HOST.PROCESS.NUMBER`: TensorBoard looks for the word `tfevents` and reads the files of a
/// directory in alphabetical order, hence the padded seconds first.
fn file_name(now: SystemTime) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!(
        "events.out.tfevents.{:010}.chainrule.{}.{}",
        seconds(now) as u64,
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed)
    )
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

fn failed(doing: &str, path: &Path, error: &std::io::Error) -> Error {
    let message = format!("event file: {doing} {} failed: {error}", path.display());
    Error::new(ErrorKind::File, message)
}
