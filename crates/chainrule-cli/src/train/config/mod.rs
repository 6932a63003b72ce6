//! Configurations of runs: TOML files of which every mistake is shown at its line.

mod problem;
mod section;

pub use problem::Problem;
pub use section::{File, Section};

use chainrule::error::nearest;
use std::ops::Range;
use std::rc::Rc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The tables of a configuration.
#[derive(Debug)]
pub struct Config {
    pub data: Section,
    pub model: Section,
    /// `[[model.layers]]`, in order.
    pub layers: Vec<Section>,
    pub optimiser: Section,
    pub schedule: Option<Section>,
    pub regulariser: Option<Section>,
    pub run: Section,
    /// The file as it was written.
    pub text: String,
}

const TABLES: [&str; 6] = [
    "data",
    "model",
    "optimiser",
    "schedule",
    "regulariser",
    "run",
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
            if !TABLES.contains(&key_text) {
                let hint = match nearest(key_text, TABLES) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("there are {}", TABLES.join(", ")),
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
            Section::read(&file, name, key.span(), table).map(Some)
        };
        let required = |name: &str| {
            let missing = || at(0..0, format!("the table `[{name}]` is missing"));
            optional(name)?.ok_or_else(missing)
        };
        let (model, layers) = match find("model") {
            Some((key, value)) => read_model(&file, key.span(), value)?,
            None => return Err(at(0..0, "the table `[model]` is missing".to_owned())),
        };
        Ok(Config {
            data: required("data")?,
            model,
            layers,
            optimiser: required("optimiser")?,
            schedule: optional("schedule")?,
            regulariser: optional("regulariser")?,
            run: optional("run")?.unwrap_or_else(|| Section::empty(&file, "run", 0..0)),
            text: text.to_owned(),
        })
    }
}

/// The table `model` and the layers in it.
fn read_model(
    file: &Rc<File>,
    span: Range<usize>,
    value: &Spanned<DeValue<'_>>,
) -> Result<(Section, Vec<Section>), Problem> {
    let mut table = value.get_ref().as_table().expect("checked before").clone();
    let Some(listed) = table.remove("layers") else {
        return Ok((Section::read(file, "model", span, &table)?, Vec::new()));
    };
    let wrong = |span: Range<usize>| {
        let message = "layers are tables: write `[[model.layers]]` before each".to_owned();
        Problem::at(&file.name, &file.text, span, message)
    };
    let list = listed
        .get_ref()
        .as_array()
        .ok_or_else(|| wrong(listed.span()))?;
    let layers = list.iter().enumerate().map(|(number, layer)| {
        let table = layer
            .get_ref()
            .as_table()
            .ok_or_else(|| wrong(layer.span()))?;
        Section::read(file, &format!("layer {number}"), layer.span(), table)
    });
    let layers = layers.collect::<Result<Vec<Section>, Problem>>()?;
    Ok((Section::read(file, "model", span, &table)?, layers))
}
