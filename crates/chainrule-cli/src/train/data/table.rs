//! Tables: `csv` and what is shipped.

use super::{Changes, Data, Halves, Reading, Task};
use crate::train::TrainProblem;
use crate::train::config::{Problem, Section};
use chainrule::Tensor;
use chainrule::data::TensorDataset;
use chainrule::data::readers::csv::{Column, Csv, Table};
use chainrule::nn::{FromValue, Value};
use std::path::Path;

/// How the rows of a table become inputs.
#[derive(Clone, Debug)]
pub struct Rows {
    /// As the training data was read.
    csv: Csv,
    /// The names of the columns that are inputs.
    columns: Vec<String>,
    /// The means and deviations by which inputs are standardised.
    scale: Option<(Tensor, Tensor)>,
}

impl Rows {
    /// The inputs in a file, whose rows may lack the label or the targets.
    pub fn read(&self, file: &Path) -> Result<Tensor, TrainProblem> {
        let expected = self.columns.len();
        let of_width = |table: &Table| table.inputs.shape()[1] == expected;
        // By name the inputs are found wherever they stand; else a file may have nothing but them.
        let by_name = Csv::new().inputs(self.columns.iter().map(String::as_str));
        let table = match by_name.read(file) {
            Ok(table) => table,
            Err(named) => match self.csv.read(file) {
                Ok(table) if of_width(&table) => table,
                _ => match Csv::new().header(false).read(file) {
                    Ok(table) if of_width(&table) => table,
                    _ => return Err(named.into()),
                },
            },
        };
        Ok(match &self.scale {
            Some((mean, deviation)) => (table.inputs - mean) / deviation,
            None => table.inputs,
        })
    }
}

/// A column by its name or its number.
struct ColumnName(Column);

impl FromValue for ColumnName {
    fn from_value(value: &Value) -> Option<ColumnName> {
        match value {
            Value::Text(name) => Some(ColumnName(Column::Named(name.clone()))),
            Value::Integer(number) => {
                Some(ColumnName(Column::Numbered(isize::try_from(*number).ok()?)))
            }
            _ => None,
        }
    }

    fn expected() -> String {
        "the name or the number of a column".to_owned()
    }
}

pub fn csv_of(section: &mut Section) -> Result<Csv, Problem> {
    let mut csv = Csv::new().header(section.optional("header", true)?);
    let label: Option<ColumnName> = section.given("label")?;
    let targets: Option<Vec<ColumnName>> = section.given("targets")?;
    match (label, targets) {
        (Some(label), None) => csv = csv.label(label.0),
        (None, Some(targets)) => csv = csv.targets(targets.into_iter().map(|column| column.0)),
        _ => {
            return Err(section.whole(
                "a table needs `label`, the column of the class, or `targets`, those of numbers",
            ));
        }
    }
    if let Some(inputs) = section.given::<Vec<ColumnName>>("inputs")? {
        csv = csv.inputs(inputs.into_iter().map(|column| column.0));
    }
    Ok(csv)
}

/// The rows of a table in two parts, standardised by the first.
pub fn table(
    section: &mut Section,
    table: Table,
    csv: Csv,
    seed: u64,
) -> Result<Data, TrainProblem> {
    let fraction: f64 = section.optional("test", 0.2)?;
    let standardise = section.optional("standardise", true)?;
    let (targets, task) = match (&table.labels, &table.targets) {
        (Some(labels), _) => (labels, Task::Classes(table.classes.clone())),
        (None, Some(targets)) => (targets, Task::Numbers(targets.shape()[1])),
        (None, None) => {
            return Err(section
                .whole("the table has neither labels nor targets")
                .into());
        }
    };
    let rows = table.inputs.shape()[0];
    let halves = Halves::of(rows, fraction, seed);
    let (mut training, mut test) = halves.of_tensor(&table.inputs);
    let mut scale = None;
    if standardise && !halves.training.is_empty() {
        let (mean, deviation) = moments(&training);
        training = (training - &mean) / &deviation;
        test = (test - &mean) / &deviation;
        scale = Some((mean, deviation));
    }
    let (of_training, of_test) = halves.of_tensor(targets);
    Ok(Data {
        training: Box::new(TensorDataset::new((training, of_training))?),
        test: Box::new(TensorDataset::new((test, of_test))?),
        task,
        reading: Reading::Rows(Rows {
            csv,
            columns: table.columns,
            scale,
        }),
        changes: Changes::default(),
    })
}

/// The mean and the deviation of each column, 1 where a column does not vary.
fn moments(inputs: &Tensor) -> (Tensor, Tensor) {
    let mean = inputs.mean(0);
    let deviation = (inputs - &mean).square().mean(0).sqrt();
    let deviation = deviation.gt(0.0).where_(&deviation, 1.0);
    chainrule::evaluate(&[&mean, &deviation]);
    (mean, deviation)
}
