//! A table of a configuration: values that are asked for by name, each with its place in the file.

use super::Problem;
use chainrule::error::nearest;
use chainrule::nn::{ArgumentError, Arguments, FromValue, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file, for messages.
#[derive(Debug)]
pub struct File {
    pub name: String,
    pub text: String,
}

/// A table: what asks for its values declares them, so that a misspelt one is found.
#[derive(Clone, Debug)]
pub struct Section {
    file: Rc<File>,
    /// Where the table begins.
    span: Range<usize>,
    pub arguments: Arguments,
    /// Where the keys and the values stand.
    places: BTreeMap<String, (Range<usize>, Range<usize>)>,
    /// The tables listed in it, such as `[[model.layers]]`.
    pub parts: Vec<Section>,
}

impl Section {
    /// The table called `name`, which may list tables called `parts`. Others in it are mistakes.
    pub fn read(
        file: &Rc<File>,
        name: &str,
        span: Range<usize>,
        table: &DeTable<'_>,
        parts: Option<&str>,
    ) -> Result<Section, Problem> {
        let mut section = Section::empty(file, name, span);
        for (key, value) in table {
            if let Some(parts) = parts.filter(|&parts| key.get_ref().as_ref() == parts) {
                section.parts = read_parts(file, name, parts, value)?;
                continue;
            }
            let name = key.get_ref().to_string();
            let places = (key.span(), value.span());
            let value = read_value(value).map_err(|(span, problem)| {
                Problem::at(&file.name, &file.text, span, format!("`{name}` {problem}"))
            })?;
            section.arguments = section.arguments.with(name.clone(), value);
            section.places.insert(name, places);
        }
        Ok(section)
    }

    /// A table that is not there.
    pub fn empty(file: &Rc<File>, name: &str, span: Range<usize>) -> Section {
        Section {
            file: Rc::clone(file),
            span,
            arguments: Arguments::new(name),
            places: BTreeMap::new(),
            parts: Vec::new(),
        }
    }

    pub fn required<T: FromValue>(&mut self, name: &'static str) -> Result<T, Problem> {
        let found = self.arguments.required(name);
        found.map_err(|error| self.explain(&error))
    }

    pub fn optional<T: FromValue>(&mut self, name: &'static str, default: T) -> Result<T, Problem> {
        let found = self.arguments.optional(name, default);
        found.map_err(|error| self.explain(&error))
    }

    pub fn given<T: FromValue>(&mut self, name: &'static str) -> Result<Option<T>, Problem> {
        let found = self.arguments.given(name);
        found.map_err(|error| self.explain(&error))
    }

    /// A number from 1 on.
    pub fn positive(&mut self, name: &'static str) -> Result<Option<usize>, Problem> {
        match self.given(name)? {
            Some(0) => Err(self.problem(name, format!("`{name}` is 0; expected at least 1"))),
            number => Ok(number),
        }
    }

    /// Says that everything has been asked for.
    pub fn finish(&self) -> Result<(), Problem> {
        self.arguments
            .finish()
            .map_err(|error| self.explain(&error))
    }

    /// A mistake in the value called `name`, or in the table if it is not there.
    pub fn problem(&self, name: &str, message: impl Into<String>) -> Problem {
        let place = self.places.get(name).map(|(_, value)| value);
        self.mark(place.unwrap_or(&self.span).clone(), message.into())
    }

    /// A mistake in the table as a whole.
    pub fn whole(&self, message: impl Into<String>) -> Problem {
        self.mark(self.span.clone(), message.into())
    }

    /// The place of an error that a constructor found: a key that nobody asked for, or the value of one.
    pub fn explain(&self, error: &ArgumentError) -> Problem {
        let asked = self.arguments.known();
        let (span, message) = match self.places.get(&error.argument) {
            Some((_, value)) if asked.contains(&error.argument.as_str()) => {
                (value, error.to_string())
            }
            Some((_, value)) if error.argument == "type" => (value, error.to_string()),
            Some((key, _)) => (key, error.to_string()),
            None => match self.misspelt(&error.argument) {
                Some((key, span)) => (
                    span,
                    format!(
                        "{}: there is no argument `{key}`; did you mean `{}`?",
                        error.owner, error.argument
                    ),
                ),
                None => (&self.span, error.to_string()),
            },
        };
        self.mark(span.clone(), message)
    }

    /// The key that was probably meant to be `name`, which is missing.
    fn misspelt(&self, name: &str) -> Option<(&str, &Range<usize>)> {
        let asked = self.arguments.known();
        let unknown = self
            .places
            .iter()
            .filter(|(key, _)| !asked.contains(&key.as_str()));
        let mut close = unknown.filter(|(key, _)| nearest(key, [name]).is_some());
        close.next().map(|(key, (span, _))| (key.as_str(), span))
    }

    fn mark(&self, span: Range<usize>, message: String) -> Problem {
        Problem::at(&self.file.name, &self.file.text, span, message)
    }
}

/// The tables of a list.
fn read_parts(
    file: &Rc<File>,
    owner: &str,
    name: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<Section>, Problem> {
    let wrong = |span: Range<usize>| {
        let message = format!("{name} are tables: write `[[{owner}.{name}]]` before each");
        Problem::at(&file.name, &file.text, span, message)
    };
    let list = value.get_ref().as_array();
    let list = list.ok_or_else(|| wrong(value.span()))?;
    let parts = list.iter().enumerate().map(|(number, part)| {
        let table = part.get_ref().as_table();
        let table = table.ok_or_else(|| wrong(part.span()))?;
        let name = format!("{} {number}", name.trim_end_matches('s'));
        Section::read(file, &name, part.span(), table, None)
    });
    parts.collect()
}

type Misread = (Range<usize>, String);

fn read_value(value: &Spanned<DeValue<'_>>) -> Result<Value, Misread> {
    let wrong = |problem: &str| (value.span(), problem.to_owned());
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::Integer)
            .map_err(|_| wrong("is too large a number"))?,
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map(Value::Float)
            .map_err(|_| wrong("is not a number"))?,
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Array(values) => {
            Value::List(values.iter().map(read_value).collect::<Result<_, _>>()?)
        }
        DeValue::Datetime(_) => return Err(wrong("is a date; nothing takes one")),
        DeValue::Table(_) => return Err(wrong("is a table; expected a value")),
    })
}
