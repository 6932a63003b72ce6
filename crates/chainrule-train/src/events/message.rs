//! The messages in an event file: the parts of TensorFlow's `event.proto`, `summary.proto` and `tensor.proto` that
//! TensorBoard's scalars, histograms, texts and images need.

use prost::{Message, Oneof};

/// One record of an event file.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The training step.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// What the record says.
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub what: Option<What>,
}

/// What a record says.
#[derive(Clone, PartialEq, Oneof)]
pub enum What {
    /// The version of the format, the first record of every file.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Values.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// A run that begins again: readers forget the steps after this one's.
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// What became of a run.
#[derive(Clone, PartialEq, Message)]
pub struct SessionLog {
    /// 1 for a start.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// Values of one step.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<SummaryValue>,
}

/// A value with its name.
#[derive(Clone, PartialEq, Message)]
pub struct SummaryValue {
    /// The name, such as `train/loss`; what stands before the first `/` makes a group.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// Which part of TensorBoard shows it.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<SummaryMetadata>,
    /// The value.
    #[prost(oneof = "Content", tags = "2, 4, 5, 8")]
    pub content: Option<Content>,
}

/// The value behind a name.
#[derive(Clone, PartialEq, Oneof)]
pub enum Content {
    /// A number.
    #[prost(float, tag = "2")]
    Scalar(f32),
    /// A picture.
    #[prost(message, tag = "4")]
    Image(Image),
    /// A distribution.
    #[prost(message, tag = "5")]
    Histogram(HistogramProto),
    /// A tensor; texts are tensors of strings.
    #[prost(message, tag = "8")]
    Tensor(TensorProto),
}

/// Which part of TensorBoard shows a value.
#[derive(Clone, PartialEq, Message)]
pub struct SummaryMetadata {
    /// The part.
    #[prost(message, optional, tag = "1")]
    pub plugin_data: Option<PluginData>,
}

/// A part of TensorBoard.
#[derive(Clone, PartialEq, Message)]
pub struct PluginData {
    /// Its name, such as `text`.
    #[prost(string, tag = "1")]
    pub plugin_name: String,
}

/// A picture in a file format.
#[derive(Clone, PartialEq, Message)]
pub struct Image {
    /// Rows of pixels.
    #[prost(int32, tag = "1")]
    pub height: i32,
    /// Pixels in a row.
    #[prost(int32, tag = "2")]
    pub width: i32,
    /// 1 grey, 2 grey with opacity, 3 RGB, 4 RGBA.
    #[prost(int32, tag = "3")]
    pub colorspace: i32,
    /// The PNG file.
    #[prost(bytes = "vec", tag = "4")]
    pub encoded_image_string: Vec<u8>,
}

/// Many numbers, counted in buckets.
#[derive(Clone, PartialEq, Message)]
pub struct HistogramProto {
    /// The least number.
    #[prost(double, tag = "1")]
    pub min: f64,
    /// The largest number.
    #[prost(double, tag = "2")]
    pub max: f64,
    /// How many there are.
    #[prost(double, tag = "3")]
    pub num: f64,
    /// Their sum.
    #[prost(double, tag = "4")]
    pub sum: f64,
    /// The sum of their squares.
    #[prost(double, tag = "5")]
    pub sum_squares: f64,
    /// The upper ends of the buckets, ascending.
    #[prost(double, repeated, tag = "6")]
    pub bucket_limit: Vec<f64>,
    /// The count in each bucket.
    #[prost(double, repeated, tag = "7")]
    pub bucket: Vec<f64>,
}

/// A tensor of strings.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    /// 7 for strings.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// The shape.
    #[prost(message, optional, tag = "2")]
    pub tensor_shape: Option<TensorShape>,
    /// The strings.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub string_val: Vec<Vec<u8>>,
}

/// A shape.
#[derive(Clone, PartialEq, Message)]
pub struct TensorShape {
    /// The extents.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dimension>,
}

/// An extent.
#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    /// How many.
    #[prost(int64, tag = "1")]
    pub size: i64,
}
