//! Arguments of constructors that come from a configuration file.

use chainrule_core::error::nearest;
use std::collections::BTreeMap;
use std::fmt;

/// A value in a configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// Several values.
    List(Vec<Value>),
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => write!(out, "{value}"),
            Value::Integer(value) => write!(out, "{value}"),
            Value::Float(value) => write!(out, "{value}"),
            Value::Text(value) => write!(out, "\"{value}\""),
            Value::List(values) => {
                out.write_str("[")?;
                for (position, value) in values.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(out, "{comma}{value}")?;
                }
                out.write_str("]")
            }
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Value {
        Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

/// What is wrong with an argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{owner}: {message}")]
pub struct ArgumentError {
    /// What the argument was given to, such as `conv2d`.
    pub owner: String,
    /// The argument's name: a caller that knows the file shows its line.
    pub argument: String,
    /// What was given, what was expected.
    pub message: String,
    /// The known name that was probably meant, if the given one is not known.
    pub suggestion: Option<String>,
}

/// Named arguments of a constructor. What asks for them declares them: names that nobody asked for are mistakes.
///
/// ```
/// use chainrule_nn::{Arguments, Value};
/// let mut arguments = Arguments::new("conv2d")
///     .with("outputs", Value::Integer(8))
///     .with("strid", Value::Integer(2));
/// assert_eq!(arguments.required::<usize>("outputs"), Ok(8));
/// assert_eq!(arguments.optional("stride", [1_usize, 1]), Ok([1, 1]));
/// let error = arguments.finish().unwrap_err();
/// assert_eq!(error.to_string(), "conv2d: there is no argument `strid`; did you mean `stride`?");
/// ```
#[derive(Clone, Debug)]
pub struct Arguments {
    owner: String,
    values: BTreeMap<String, Value>,
    asked: Vec<&'static str>,
}

impl Arguments {
    /// No arguments for `owner`.
    pub fn new(owner: impl Into<String>) -> Arguments {
        Arguments {
            owner: owner.into(),
            values: BTreeMap::new(),
            asked: Vec::new(),
        }
    }

    /// With the argument `name`.
    pub fn with(mut self, name: impl Into<String>, value: Value) -> Arguments {
        self.values.insert(name.into(), value);
        self
    }

    /// What the arguments are for.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The argument `name`.
    ///
    /// # Errors
    /// When it is not there, or not a `T`.
    pub fn required<T: FromValue>(&mut self, name: &'static str) -> Result<T, ArgumentError> {
        match self.given(name)? {
            Some(value) => Ok(value),
            None => Err(self.problem(name, format!("the argument `{name}` is missing"))),
        }
    }

    /// The argument `name`, or `default` if it is not there.
    ///
    /// # Errors
    /// When it is there and not a `T`.
    pub fn optional<T: FromValue>(
        &mut self,
        name: &'static str,
        default: T,
    ) -> Result<T, ArgumentError> {
        Ok(self.given(name)?.unwrap_or(default))
    }

    /// The argument `name`, if it is there.
    ///
    /// # Errors
    /// When it is there and not a `T`.
    pub fn given<T: FromValue>(&mut self, name: &'static str) -> Result<Option<T>, ArgumentError> {
        self.asked.push(name);
        let Some(value) = self.values.get(name) else {
            return Ok(None);
        };
        match T::from_value(value) {
            Some(value) => Ok(Some(value)),
            None => Err(self.problem(
                name,
                format!("`{name}` is {value}; expected {}", T::expected()),
            )),
        }
    }

    /// An error about the argument `name`.
    pub fn problem(&self, name: &str, message: impl Into<String>) -> ArgumentError {
        ArgumentError {
            owner: self.owner.clone(),
            argument: name.to_owned(),
            message: message.into(),
            suggestion: None,
        }
    }

    /// The error for a `what` called `name` that there is not, with the nearest of those that there are.
    pub fn unknown(&self, what: &str, name: &str, known: &[&'static str]) -> ArgumentError {
        let suggestion = nearest(name, known.iter().copied());
        let hint = match suggestion {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        let mut error = self.problem("type", format!("there is no {what} `{name}`; {hint}"));
        error.suggestion = suggestion.map(str::to_owned);
        error
    }

    /// The names that were asked for.
    pub fn known(&self) -> &[&'static str] {
        &self.asked
    }

    /// Says that all arguments have been asked for.
    ///
    /// # Errors
    /// When an argument is left over, with the known name that was probably meant.
    pub fn finish(&self) -> Result<(), ArgumentError> {
        let mut names = self.values.keys();
        let Some(unknown) = names.find(|name| !self.asked.contains(&name.as_str())) else {
            return Ok(());
        };
        let suggestion = nearest(unknown, self.asked.iter().copied());
        let hint = match suggestion {
            Some(known) => format!("did you mean `{known}`?"),
            None if self.asked.is_empty() => "it takes none".to_owned(),
            None => format!("it takes {}", self.asked.join(", ")),
        };
        let mut error = self.problem(unknown, format!("there is no argument `{unknown}`; {hint}"));
        error.suggestion = suggestion.map(str::to_owned);
        Err(error)
    }
}

/// A type that an argument can have.
pub trait FromValue: Sized {
    /// The value, if it is one of this type.
    fn from_value(value: &Value) -> Option<Self>;
    /// What is expected, in words.
    fn expected() -> String;
}

macro_rules! from_value {
    ($($type:ty, $expected:literal, $pattern:pat => $result:expr;)*) => {$(
        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<$type> {
                match value {
                    $pattern => $result,
                    _ => None,
                }
            }

            fn expected() -> String {
                $expected.to_owned()
            }
        }
    )*};
}

from_value! {
    bool, "true or false", Value::Bool(value) => Some(*value);
    usize, "a whole number, not negative", Value::Integer(value) => usize::try_from(*value).ok();
    i64, "a whole number", Value::Integer(value) => Some(*value);
    isize, "a whole number", Value::Integer(value) => isize::try_from(*value).ok();
    String, "a text", Value::Text(value) => Some(value.clone());
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<f64> {
        match value {
            Value::Float(value) => Some(*value),
            Value::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    fn expected() -> String {
        "a number".to_owned()
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: &Value) -> Option<Vec<T>> {
        match value {
            Value::List(values) => values.iter().map(T::from_value).collect(),
            _ => None,
        }
    }

    fn expected() -> String {
        format!("a list, each entry {}", T::expected())
    }
}

/// One for each axis: a list of that length, or one value for all.
impl<T: FromValue + Clone, const N: usize> FromValue for [T; N] {
    fn from_value(value: &Value) -> Option<[T; N]> {
        match value {
            Value::List(_) => Vec::from_value(value)?.try_into().ok(),
            one => {
                let one = T::from_value(one)?;
                Some(std::array::from_fn(|_| one.clone()))
            }
        }
    }

    fn expected() -> String {
        format!("{}, or a list of {N}", T::expected())
    }
}
