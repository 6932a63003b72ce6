//! The folder's format: `cases.json` and `tensors.safetensors`.

use chainrule::{DType, Shape, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde_json::{Map, Value};
use std::path::Path;

/// A folder of cases, read whole.
pub struct Folder {
    pub cases: Vec<Value>,
    pub tensors: Vec<u8>,
}

/// One case.
pub struct Case {
    pub name: String,
    pub operation: String,
    pub json: Value,
}

/// An argument in PyTorch's signature.
#[derive(Clone)]
pub enum Argument {
    Tensor(Tensor),
    Integer(i64),
    Number(f64),
    Truth(bool),
    Text(String),
    None,
    List(Vec<Argument>),
    DType(String),
    Other,
}

impl Folder {
    pub fn open(path: &Path) -> Result<Folder, String> {
        let read = |name: &str| {
            let file = path.join(name);
            std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
        };
        let json: Value = serde_json::from_slice(&read("cases.json")?)
            .map_err(|error| format!("cases.json: {error}"))?;
        let cases = json.get("cases").unwrap_or(&json).as_array().cloned();
        Ok(Folder {
            cases: cases.ok_or("cases.json holds no list of cases")?,
            tensors: read("tensors.safetensors")?,
        })
    }

    pub fn cases(&self) -> impl Iterator<Item = Case> + '_ {
        self.cases.iter().map(|json| Case {
            name: json["name"].as_str().unwrap_or("?").to_owned(),
            operation: json["op"].as_str().unwrap_or("?").to_owned(),
            json: json.clone(),
        })
    }

    /// The tensors of the file.
    pub fn file(&self) -> Result<SafeTensors<'_>, String> {
        SafeTensors::deserialize(&self.tensors)
            .map_err(|error| format!("tensors.safetensors: {error}"))
    }
}

/// The tensor that an entry such as `{"tensor": key, ..}` names.
pub fn tensor(file: &SafeTensors<'_>, entry: &Value) -> Option<Tensor> {
    let view = file.tensor(entry.get("tensor")?.as_str()?).ok()?;
    let shape = Shape::from(view.shape());
    fn numbers<T, const N: usize>(bytes: &[u8], number: fn([u8; N]) -> T) -> Vec<T> {
        bytes
            .chunks_exact(N)
            .map(|chunk| number(chunk.try_into().expect("chunks have N bytes")))
            .collect()
    }
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F64 => Tensor::from_vec(numbers(bytes, f64::from_le_bytes), &shape),
        Dtype::F32 => Tensor::from_vec(numbers(bytes, f32::from_le_bytes), &shape),
        Dtype::I64 => Tensor::from_vec(numbers(bytes, i64::from_le_bytes), &shape),
        Dtype::I32 => Tensor::from_vec(numbers(bytes, i32::from_le_bytes), &shape),
        Dtype::U8 => Tensor::from_vec(bytes.to_vec(), &shape),
        Dtype::BOOL => Tensor::from_vec(bytes.to_vec(), &shape).cast(DType::Bool),
        _ => return None,
    })
}

/// An argument as the operations see it.
pub fn argument(file: &SafeTensors<'_>, json: &Value) -> Argument {
    read(json, &|entry| tensor(file, entry))
}

/// An argument in which tensors do not occur.
pub fn plain_argument(json: &Value) -> Argument {
    read(json, &|_| None)
}

fn read(json: &Value, tensor: &dyn Fn(&Value) -> Option<Tensor>) -> Argument {
    match json {
        Value::Null => Argument::None,
        Value::Bool(truth) => Argument::Truth(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Argument::Integer(integer),
            None => Argument::Number(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Argument::Text(text.clone()),
        Value::Array(list) => {
            Argument::List(list.iter().map(|entry| read(entry, tensor)).collect())
        }
        Value::Object(object) => special(json, object, tensor),
    }
}

fn special(
    json: &Value,
    object: &Map<String, Value>,
    tensor: &dyn Fn(&Value) -> Option<Tensor>,
) -> Argument {
    if object.contains_key("tensor") {
        return tensor(json).map_or(Argument::Other, Argument::Tensor);
    }
    if let Some(text) = object.get("float").and_then(Value::as_str) {
        return match text {
            "inf" => Argument::Number(f64::INFINITY),
            "-inf" => Argument::Number(f64::NEG_INFINITY),
            "nan" => Argument::Number(f64::NAN),
            _ => Argument::Other,
        };
    }
    match object.get("dtype").and_then(Value::as_str) {
        Some(dtype) => Argument::DType(dtype.to_owned()),
        None => Argument::Other,
    }
}

/// PyTorch's name of a dtype.
pub fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F64 => "float64",
        DType::F32 => "float32",
        DType::I64 => "int64",
        DType::I32 => "int32",
        DType::U8 => "uint8",
        DType::Bool => "bool",
        DType::BF16 => "bfloat16",
        _ => "float16",
    }
}
