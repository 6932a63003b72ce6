//! Small real data that comes with the crate.

use super::DataError;
use super::readers::csv::{Csv, Table};

const BREAST_CANCER: &[u8] = include_bytes!("../../data/breast_cancer.csv.gz");

/// The ten measurements of a nucleus.
const MEASUREMENTS: [&str; 10] = [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
];

/// Breast Cancer Wisconsin (Diagnostic) by Wolberg, Mangasarian, Street and Street (UCI, CC BY 4.0): 569 tumours, of each the
/// mean, the error and the worst of ten measurements of the nuclei of its cells; 212 malignant (0), 357 benign (1).
///
/// ```
/// use chainrule_train::data::breast_cancer;
/// let table = breast_cancer()?;
/// assert_eq!(table.inputs.shape().to_string(), "[569, 30]");
/// assert_eq!(table.columns[0], "mean radius");
/// assert_eq!(table.classes, ["malignant", "benign"]);
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
///
/// # Errors
/// Never, unless the crate was built from a damaged file.
pub fn breast_cancer() -> Result<Table, DataError> {
    let csv = Csv::new()
        .skip(1)
        .header(false)
        .label(-1)
        .classes(["malignant", "benign"]);
    let mut table = csv.decode("breast_cancer.csv.gz", BREAST_CANCER)?;
    table.columns = ["mean", "error of", "worst"]
        .iter()
        .flat_map(|kind| MEASUREMENTS.map(|measurement| format!("{kind} {measurement}")))
        .collect();
    Ok(table)
}
