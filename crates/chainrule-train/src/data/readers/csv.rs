//! Tables in CSV files.

use super::source::Source;
use crate::data::{DataError, Place, TensorDataset};
use chainrule_core::{DType, Tensor};
use std::collections::BTreeSet;
use std::path::Path;

/// A column, by its name in the header or its number from 0; negative numbers count from the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By name; the file has a header.
    Named(String),
    /// By number.
    Numbered(isize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Column {
        Column::Named(name.to_owned())
    }
}

impl From<isize> for Column {
    fn from(number: isize) -> Column {
        Column::Numbered(number)
    }
}

/// How a table is read: what the columns are.
///
/// ```
/// use chainrule_train::data::readers::csv::Csv;
/// let file = b"width,height,kind\n1.5,2,round\n0.5,1,flat\n2.5,3,round\n";
/// let table = Csv::new().label("kind").decode("things.csv", file)?;
/// assert_eq!(table.columns, ["width", "height"]);
/// assert_eq!(table.inputs.to_vec::<f32>(), [1.5, 2.0, 0.5, 1.0, 2.5, 3.0]);
/// assert_eq!(table.classes, ["flat", "round"]);
/// assert_eq!(table.labels.as_ref().unwrap().to_vec::<i64>(), [1, 0, 1]);
/// let _data = table.classification()?;
/// let error = Csv::new().decode("things.csv", file).unwrap_err();
/// assert_eq!(error.to_string(), "things.csv, line 2, column kind: \"round\" is not a number");
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Csv {
    header: bool,
    skipped: usize,
    delimiter: u8,
    inputs: Option<Vec<Column>>,
    targets: Vec<Column>,
    label: Option<Column>,
    classes: Option<Vec<String>>,
    dtype: DType,
}

impl Default for Csv {
    fn default() -> Csv {
        Csv::new()
    }
}

impl Csv {
    /// A header with the columns' names, commas between them, all columns inputs, f32.
    pub fn new() -> Csv {
        Csv {
            header: true,
            skipped: 0,
            delimiter: b',',
            inputs: None,
            targets: Vec::new(),
            label: None,
            classes: None,
            dtype: DType::F32,
        }
    }

    /// Whether the first line has the columns' names.
    pub fn header(mut self, header: bool) -> Csv {
        self.header = header;
        self
    }

    /// Leaves out so many lines at the beginning, before the header if there is one.
    pub fn skip(mut self, lines: usize) -> Csv {
        self.skipped = lines;
        self
    }

    /// What stands between columns, such as `b';'` or `b'\t'`.
    pub fn delimiter(mut self, delimiter: u8) -> Csv {
        self.delimiter = delimiter;
        self
    }

    /// Which columns are inputs, in this order; without it all that are neither label nor target.
    pub fn inputs<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Csv {
        self.inputs = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Which columns are targets of a regression.
    pub fn targets<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Csv {
        self.targets = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Which column is the class.
    ///
    /// When all its cells are whole numbers from 0 on, these are the labels; else its texts are numbered in alphabetical
    /// order.
    pub fn label(mut self, column: impl Into<Column>) -> Csv {
        self.label = Some(column.into());
        self
    }

    /// The classes' names: cells of the label column are one of these or the number of one.
    pub fn classes<S: Into<String>>(mut self, classes: impl IntoIterator<Item = S>) -> Csv {
        self.classes = Some(classes.into_iter().map(Into::into).collect());
        self
    }

    /// The dtype of inputs and targets, f32 or f64.
    pub fn dtype(mut self, dtype: DType) -> Csv {
        self.dtype = dtype;
        self
    }

    /// Reads a file, packed by gzip or not.
    ///
    /// # Errors
    /// When the file cannot be read, has no rows, a column is missing, rows differ in length, or a cell is not what it
    /// should be; the error names the line and the column.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table, DataError> {
        self.table(Source::open(path.as_ref())?)
    }

    /// Reads the content of a file; `name` is used in messages.
    ///
    /// # Errors
    /// As [`read`](Csv::read).
    pub fn decode(&self, name: &str, bytes: &[u8]) -> Result<Table, DataError> {
        self.table(Source::of_bytes(Path::new(name), bytes))
    }

    fn table(&self, source: Source<'_>) -> Result<Table, DataError> {
        let path = source.path().to_owned();
        let mut rows = Rows::new(&path, self, source);
        let mut roles = None;
        let (mut inputs, mut targets, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(line) = rows.next()? {
            if roles.is_none() {
                roles = Some(self.roles(&path, line, &rows)?);
            }
            let Some(roles) = &roles else { continue };
            for &column in &roles.inputs {
                inputs.push(rows.number(line, column)?);
            }
            for &column in &roles.targets {
                targets.push(rows.number(line, column)?);
            }
            if let Some(column) = roles.label {
                labels.push((line, rows.text(line, column)?.to_owned()));
            }
        }
        let Some(roles) = roles else {
            return Err(DataError::Empty(path.display().to_string()));
        };
        let label_name = roles.label.map(|column| rows.name(column));
        let count = rows.count;
        let (labels, classes) = match label_name {
            None => (None, Vec::new()),
            Some(name) => {
                let (numbers, classes) = self.numbered(&path, &name, labels)?;
                (Some(Tensor::from(numbers)), classes)
            }
        };
        Ok(Table {
            columns: roles
                .inputs
                .iter()
                .map(|&column| rows.name(column))
                .collect(),
            inputs: self.tensor(inputs, count, roles.inputs.len()),
            targets: (!roles.targets.is_empty())
                .then(|| self.tensor(targets, count, roles.targets.len())),
            labels,
            classes,
        })
    }

    fn tensor(&self, numbers: Vec<f64>, rows: usize, columns: usize) -> Tensor {
        Tensor::from_vec(numbers, [rows, columns]).cast(self.dtype)
    }

    /// Which columns are what.
    fn roles(&self, path: &Path, line: u64, rows: &Rows<'_>) -> Result<Roles, DataError> {
        let find = |column: &Column| {
            let width = rows.record.len();
            let found = match column {
                Column::Named(name) => rows.names.iter().position(|known| known == name),
                Column::Numbered(number) => {
                    let from_start = if *number < 0 {
                        *number + width as isize
                    } else {
                        *number
                    };
                    usize::try_from(from_start).ok().filter(|&at| at < width)
                }
            };
            found.ok_or_else(|| {
                let problem = match column {
                    Column::Named(name) if rows.names.is_empty() => {
                        format!("there is no column {name:?}: the file is read without a header")
                    }
                    Column::Named(name) => {
                        let known = rows.names.iter().take(40).cloned().collect::<Vec<_>>();
                        format!(
                            "there is no column {name:?}; there are {}",
                            known.join(", ")
                        )
                    }
                    Column::Numbered(number) => {
                        format!("there is no column {number}; there are {width}, numbered from 0")
                    }
                };
                DataError::damaged(path, Place::Line(line), problem)
            })
        };
        let label = self.label.as_ref().map(find).transpose()?;
        let targets: Vec<usize> = self.targets.iter().map(find).collect::<Result<_, _>>()?;
        let inputs = match &self.inputs {
            Some(columns) => columns.iter().map(find).collect::<Result<_, _>>()?,
            None => (0..rows.record.len())
                .filter(|at| !targets.contains(at) && label != Some(*at))
                .collect(),
        };
        Ok(Roles {
            inputs,
            targets,
            label,
        })
    }

    /// Labels from the cells of the label column, and the classes' names.
    fn numbered(
        &self,
        path: &Path,
        column: &str,
        cells: Vec<(u64, String)>,
    ) -> Result<(Vec<i64>, Vec<String>), DataError> {
        let place = |line: u64| Place::Column(line, column.to_owned());
        let whole = |cell: &str| cell.parse::<i64>().ok().filter(|&number| number >= 0);
        if let Some(classes) = &self.classes {
            let label = |(line, cell): (u64, String)| {
                if let Some(at) = classes.iter().position(|class| *class == cell) {
                    return Ok(at as i64);
                }
                match cell.parse::<i64>() {
                    Ok(label) if (0..classes.len() as i64).contains(&label) => Ok(label),
                    Ok(label) => Err(DataError::Label {
                        path: path.to_owned(),
                        place: place(line),
                        label,
                        classes: classes.len(),
                    }),
                    Err(_) => {
                        let problem = format!("{cell:?} is none of the classes {classes:?}");
                        Err(DataError::damaged(path, place(line), problem))
                    }
                }
            };
            let labels: Result<Vec<i64>, DataError> = cells.into_iter().map(label).collect();
            return Ok((labels?, classes.clone()));
        }
        let numbers: Option<Vec<i64>> = cells.iter().map(|(_, cell)| whole(cell)).collect();
        if let Some(numbers) = numbers {
            /// More classes than this are a mistake of the column.
            const MOST_CLASSES: i64 = 1 << 20;
            if let Some(at) = numbers.iter().position(|&number| number >= MOST_CLASSES) {
                let problem = format!("{} is not a class number: it is too large", numbers[at]);
                return Err(DataError::damaged(path, place(cells[at].0), problem));
            }
            let count = numbers.iter().max().map_or(0, |most| most + 1);
            return Ok((numbers, (0..count).map(|class| class.to_string()).collect()));
        }
        let classes: BTreeSet<&str> = cells.iter().map(|(_, cell)| cell.as_str()).collect();
        let classes: Vec<String> = classes.into_iter().map(str::to_owned).collect();
        let label = |(_, cell): &(u64, String)| classes.binary_search(cell).unwrap_or(0) as i64;
        let labels = cells.iter().map(label).collect();
        Ok((labels, classes))
    }
}

struct Roles {
    inputs: Vec<usize>,
    targets: Vec<usize>,
    label: Option<usize>,
}

/// The rows of a file, one at a time.
struct Rows<'a> {
    path: &'a Path,
    reader: csv::Reader<Source<'a>>,
    names: Vec<String>,
    record: csv::StringRecord,
    /// Lines to leave out, and whether the names are still to come.
    before: (usize, bool),
    width: Option<usize>,
    count: usize,
}

impl<'a> Rows<'a> {
    fn new(path: &'a Path, options: &Csv, source: Source<'a>) -> Rows<'a> {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(options.delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(source);
        Rows {
            path,
            reader,
            names: Vec::new(),
            record: csv::StringRecord::new(),
            before: (options.skipped, options.header),
            width: None,
            count: 0,
        }
    }

    /// Goes to the next row and says in which line it is.
    fn next(&mut self) -> Result<Option<u64>, DataError> {
        loop {
            let there = self.reader.read_record(&mut self.record);
            let here = self.reader.position().line();
            let there = there.map_err(|error| {
                let line = error.position().map_or(here, csv::Position::line);
                let problem = format!("the row cannot be read: {error}");
                DataError::damaged(self.path, Place::Line(line), problem)
            })?;
            if !there {
                return Ok(None);
            }
            if self.before.0 > 0 {
                self.before.0 -= 1;
                continue;
            }
            let line = self.record.position().map_or(here, csv::Position::line);
            let found = self.record.len();
            let width = *self.width.get_or_insert(found);
            if found != width {
                let problem = format!("{found} columns; the rows before have {width}");
                return Err(DataError::damaged(self.path, Place::Line(line), problem));
            }
            if self.before.1 {
                self.before.1 = false;
                self.names = self.record.iter().map(str::to_owned).collect();
                continue;
            }
            self.count += 1;
            return Ok(Some(line));
        }
    }

    /// The column's name, or its number where there are no names.
    fn name(&self, column: usize) -> String {
        let name = self.names.get(column).cloned();
        name.unwrap_or_else(|| column.to_string())
    }

    fn damaged(&self, line: u64, column: usize, problem: String) -> DataError {
        DataError::damaged(self.path, Place::Column(line, self.name(column)), problem)
    }

    fn text(&self, line: u64, column: usize) -> Result<&str, DataError> {
        let cell = self.record.get(column).filter(|cell| !cell.is_empty());
        cell.ok_or_else(|| self.damaged(line, column, "the cell is empty".to_owned()))
    }

    fn number(&self, line: u64, column: usize) -> Result<f64, DataError> {
        let cell = self.text(line, column)?;
        let number = cell.parse::<f64>();
        let number =
            number.map_err(|_| self.damaged(line, column, format!("{cell:?} is not a number")))?;
        if !number.is_finite() {
            return Err(self.damaged(line, column, format!("{cell:?} is not a finite number")));
        }
        Ok(number)
    }
}

/// A table: inputs, and what is to be predicted from them.
#[derive(Clone, Debug)]
pub struct Table {
    /// The names of the input columns; their numbers where the file has no names.
    pub columns: Vec<String>,
    /// The inputs, `[rows, columns]`.
    pub inputs: Tensor,
    /// The targets of a regression, `[rows, targets]`.
    pub targets: Option<Tensor>,
    /// The labels, `[rows]` i64.
    pub labels: Option<Tensor>,
    /// What each label means.
    pub classes: Vec<String>,
}

impl Table {
    /// The data set of inputs `[columns]` and labels.
    ///
    /// # Errors
    /// When the table was read without a label.
    pub fn classification(&self) -> Result<TensorDataset<(Tensor, Tensor)>, DataError> {
        self.with(&self.labels, "label")
    }

    /// The data set of inputs `[columns]` and targets `[targets]`.
    ///
    /// # Errors
    /// When the table was read without targets.
    pub fn regression(&self) -> Result<TensorDataset<(Tensor, Tensor)>, DataError> {
        self.with(&self.targets, "targets")
    }

    fn with(
        &self,
        column: &Option<Tensor>,
        what: &str,
    ) -> Result<TensorDataset<(Tensor, Tensor)>, DataError> {
        match column {
            Some(column) => TensorDataset::new((self.inputs.clone(), column.clone())),
            None => {
                let message = format!("the table was read without `{what}`: name the column");
                Err(DataError::Argument(message))
            }
        }
    }
}
