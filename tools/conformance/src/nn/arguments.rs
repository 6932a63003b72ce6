//! Arguments by their names, taken one by one: whatever nobody took makes the case one that is not supported.

use crate::case::Argument;
use chainrule::{Reduction, Tensor};

/// Why a case cannot be expressed here.
#[derive(Debug)]
pub struct Refused(pub String);

/// What reading an argument gives.
pub type Read<T> = Result<T, Refused>;

/// Refuses with a reason.
pub fn refuse<T>(reason: impl Into<String>) -> Read<T> {
    Err(Refused(reason.into()))
}

/// The arguments of a constructor or a call that were not taken yet.
#[derive(Clone, Default)]
pub struct Arguments {
    /// Positional arguments whose names are not known yet.
    unnamed: Vec<Argument>,
    named: Vec<(String, Argument)>,
}

impl Arguments {
    pub fn new(unnamed: Vec<Argument>, named: Vec<(String, Argument)>) -> Arguments {
        Arguments { unnamed, named }
    }

    /// Gives the positional arguments the names of a signature; a value given twice or a position too many stays unnamed.
    pub fn name(&mut self, signature: &[&str]) {
        let count = signature.len().min(self.unnamed.len());
        for (name, value) in signature.iter().zip(self.unnamed.drain(..count)) {
            self.named.push(((*name).to_owned(), value));
        }
    }

    /// Takes the argument called `name`; `None` where it is not given.
    pub fn take(&mut self, name: &str) -> Option<Argument> {
        let at = self.named.iter().position(|(known, _)| known == name)?;
        Some(self.named.remove(at).1)
    }

    /// Takes every argument that is left, in order: for calls with any number of tensors.
    pub fn take_all(&mut self) -> Vec<Argument> {
        let named = self.named.drain(..).map(|(_, value)| value);
        self.unnamed.drain(..).chain(named).collect()
    }

    /// Whether the argument is given, and not as None.
    pub fn gives(&self, name: &str) -> bool {
        let given = self.named.iter().find(|(known, _)| known == name);
        given.is_some_and(|(_, value)| !matches!(value, Argument::None))
    }

    /// Refuses what was not taken.
    pub fn finish(&self, of: &str) -> Read<()> {
        match (self.unnamed.len(), self.named.first()) {
            (0, None) => Ok(()),
            (_, Some((name, _))) => refuse(format!("argument `{name}` of the {of}")),
            (count, None) => refuse(format!("{count} positional arguments of the {of}")),
        }
    }

    /// Takes `name` where it is given and not None, and has `of` read it.
    fn optional<T>(
        &mut self,
        name: &str,
        of: impl FnOnce(Argument) -> Option<T>,
    ) -> Read<Option<T>> {
        match self.take(name) {
            None | Some(Argument::None) => Ok(None),
            Some(value) => match of(value) {
                Some(value) => Ok(Some(value)),
                None => refuse(format!("the value of argument `{name}`")),
            },
        }
    }

    /// Refuses where a needed argument is missing or None.
    fn needed<T>(value: Option<T>, name: &str) -> Read<T> {
        value.map_or_else(|| refuse(format!("argument `{name}` is missing")), Ok)
    }

    pub fn optional_tensor(&mut self, name: &str) -> Read<Option<Tensor>> {
        self.optional(name, |value| match value {
            Argument::Tensor(tensor) => Some(tensor),
            _ => None,
        })
    }

    pub fn tensor(&mut self, name: &str) -> Read<Tensor> {
        Self::needed(self.optional_tensor(name)?, name)
    }

    pub fn optional_integer(&mut self, name: &str) -> Read<Option<i64>> {
        self.optional(name, |value| match value {
            Argument::Integer(number) => Some(number),
            _ => None,
        })
    }

    pub fn integer(&mut self, name: &str) -> Read<i64> {
        Self::needed(self.optional_integer(name)?, name)
    }

    /// A number of things: an integer that is not negative.
    pub fn count(&mut self, name: &str) -> Read<usize> {
        usize::try_from(self.integer(name)?)
            .or_else(|_| refuse(format!("the value of argument `{name}`")))
    }

    pub fn count_or(&mut self, name: &str, default: usize) -> Read<usize> {
        if self.gives(name) {
            self.count(name)
        } else {
            self.take(name);
            Ok(default)
        }
    }

    pub fn integer_or(&mut self, name: &str, default: i64) -> Read<i64> {
        Ok(self.optional_integer(name)?.unwrap_or(default))
    }

    pub fn optional_number(&mut self, name: &str) -> Read<Option<f64>> {
        self.optional(name, |value| match value {
            Argument::Integer(number) => Some(number as f64),
            Argument::Number(number) => Some(number),
            _ => None,
        })
    }

    pub fn number(&mut self, name: &str) -> Read<f64> {
        Self::needed(self.optional_number(name)?, name)
    }

    pub fn number_or(&mut self, name: &str, default: f64) -> Read<f64> {
        Ok(self.optional_number(name)?.unwrap_or(default))
    }

    pub fn optional_truth(&mut self, name: &str) -> Read<Option<bool>> {
        self.optional(name, |value| match value {
            Argument::Truth(truth) => Some(truth),
            _ => None,
        })
    }

    pub fn truth_or(&mut self, name: &str, default: bool) -> Read<bool> {
        Ok(self.optional_truth(name)?.unwrap_or(default))
    }

    pub fn text_or(&mut self, name: &str, default: &str) -> Read<String> {
        let text = self.optional(name, |value| match value {
            Argument::Text(text) => Some(text),
            _ => None,
        })?;
        Ok(text.unwrap_or_else(|| default.to_owned()))
    }

    /// A list of numbers.
    pub fn numbers(&mut self, name: &str) -> Read<Vec<f64>> {
        let entry = |entry: Argument| match entry {
            Argument::Integer(number) => Some(number as f64),
            Argument::Number(number) => Some(number),
            _ => None,
        };
        let list = self.optional(name, |value| match value {
            Argument::List(list) => list.into_iter().map(entry).collect(),
            _ => None,
        })?;
        Self::needed(list, name)
    }

    /// Two numbers.
    pub fn pair(&mut self, name: &str) -> Read<(f64, f64)> {
        match self.numbers(name)?[..] {
            [first, second] => Ok((first, second)),
            _ => refuse(format!("the value of argument `{name}`")),
        }
    }

    /// One integer or a list of integers, of which some may be None.
    pub fn integers_or_none(&mut self, name: &str) -> Read<Option<Vec<Option<i64>>>> {
        let entry = |entry: Argument| match entry {
            Argument::Integer(number) => Some(Some(number)),
            Argument::None => Some(None),
            _ => None,
        };
        self.optional(name, |value| match value {
            Argument::List(list) => list.into_iter().map(entry).collect(),
            Argument::Integer(number) => Some(vec![Some(number)]),
            _ => None,
        })
    }

    /// One integer or a list of integers.
    pub fn integers(&mut self, name: &str) -> Read<Option<Vec<i64>>> {
        let Some(list) = self.integers_or_none(name)? else {
            return Ok(None);
        };
        let whole: Option<Vec<i64>> = list.into_iter().collect();
        Self::needed(whole, name).map(Some)
    }

    /// `axes` integers that are not negative; one given alone holds for every axis.
    pub fn counts<const N: usize>(&mut self, name: &str) -> Read<Option<[usize; N]>> {
        let Some(mut list) = self.integers(name)? else {
            return Ok(None);
        };
        if list.len() == 1 {
            list = vec![list[0]; N];
        }
        let counts: Option<Vec<usize>> = list.iter().map(|&n| usize::try_from(n).ok()).collect();
        match counts.and_then(|counts| counts.try_into().ok()) {
            Some(counts) => Ok(Some(counts)),
            None => refuse(format!("the value of argument `{name}`")),
        }
    }

    /// Takes `device` and `dtype`, which change nothing where they ask for the CPU and for float64.
    pub fn ignore_place(&mut self) -> Read<()> {
        match self.take("dtype") {
            None | Some(Argument::None) => {}
            Some(Argument::DType(name)) if name == "float64" => {}
            _ => return refuse("argument `dtype`"),
        }
        match self.take("device") {
            None | Some(Argument::None) => Ok(()),
            Some(Argument::Text(device)) if device == "cpu" => Ok(()),
            _ => refuse("argument `device`"),
        }
    }

    /// `reduction`, or what the older `size_average` and `reduce` mean where one of them is given.
    pub fn reduction(&mut self) -> Read<Reduction> {
        Ok(match self.reduction_name()?.as_str() {
            "mean" => Reduction::Mean,
            "sum" => Reduction::Sum,
            "none" => Reduction::None,
            other => return refuse(format!("reduction {other:?}")),
        })
    }

    /// The reduction's name, for losses that know more than three.
    pub fn reduction_name(&mut self) -> Read<String> {
        let average = self.optional_truth("size_average")?;
        let reduce = self.optional_truth("reduce")?;
        let name = self.text_or("reduction", "mean")?;
        if average.is_none() && reduce.is_none() {
            return Ok(name);
        }
        let older = match (reduce.unwrap_or(true), average.unwrap_or(true)) {
            (false, _) => "none",
            (true, true) => "mean",
            (true, false) => "sum",
        };
        Ok(older.to_owned())
    }
}
