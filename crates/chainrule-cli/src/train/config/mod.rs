//! Configurations of runs: TOML files of which every mistake is shown at its line.

mod problem;
mod section;

pub use problem::Problem;
pub use section::{File, Section};

use chainrule::error::nearest;
use std::ops::Range;
use std::rc::Rc;
use toml::de::DeTable;

/// The tables of a configuration.
#[derive(Debug)]
pub struct Config {
    pub data: Section,
    pub model: Section,
    pub loss: Option<Section>,
    pub optimiser: Section,
    pub schedule: Option<Section>,
    pub regulariser: Option<Section>,
    pub run: Section,
    /// The file as it was written.
    pub text: String,
}

/// The tables that there are, and what each may list.
const TABLES: [(&str, Option<&str>); 7] = [
    ("data", Some("augment")),
    ("model", Some("layers")),
    ("loss", None),
    ("optimiser", Some("groups")),
    ("schedule", Some("stages")),
    ("regulariser", Some("groups")),
    ("run", None),
];

impl Config {
    /// Reads a configuration; `name` is what messages call it.
    pub fn parse(name: &str, text: &str) -> Result<Config, Problem> {
        let file = Rc::new(File {
            name: name.to_owned(),
            text: text.to_owned(),
        });
        let at = |span: Range<usize>, message: String| Problem::at(name, text, span, message);
        let document = DeTable::parse(text)
            .map_err(|error| at(error.span().unwrap_or(0..0), error.message().to_owned()))?;
        let tables = document.get_ref();
        for (key, value) in tables {
            let key_text: &str = key.get_ref();
            let known = TABLES.map(|(name, _)| name);
            if !known.contains(&key_text) {
                let hint = match nearest(key_text, known) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("there are {}", known.join(", ")),
                };
                return Err(at(
                    key.span(),
                    format!("there is no table `{key_text}`; {hint}"),
                ));
            }
            if value.get_ref().as_table().is_none() {
                return Err(at(
                    value.span(),
                    format!("`{key_text}` is a table: write `[{key_text}]`"),
                ));
            }
        }
        let find = |name: &str| {
            tables
                .iter()
                .find(|(key, _)| key.get_ref().as_ref() == name)
        };
        let optional = |name: &str| -> Result<Option<Section>, Problem> {
            let Some((key, value)) = find(name) else {
                return Ok(None);
            };
            let table = value.get_ref().as_table().expect("checked above");
            let parts = TABLES.iter().find(|(known, _)| *known == name);
            let parts = parts.and_then(|(_, parts)| *parts);
            Section::read(&file, name, key.span(), table, parts).map(Some)
        };
        let required = |name: &str| {
            let missing = || at(0..0, format!("the table `[{name}]` is missing"));
            optional(name)?.ok_or_else(missing)
        };
        Ok(Config {
            data: required("data")?,
            model: required("model")?,
            loss: optional("loss")?,
            optimiser: required("optimiser")?,
            schedule: optional("schedule")?,
            regulariser: optional("regulariser")?,
            run: optional("run")?.unwrap_or_else(|| Section::empty(&file, "run", 0..0)),
            text: text.to_owned(),
        })
    }
}
