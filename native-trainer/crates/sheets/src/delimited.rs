//! CSV and TSV. A vector is a column for each of its values: `feature_0`, `feature_1`, ...

use crate::sheet::{Sheet, Values};
use anyhow::Result;
use dermake_files::output::replace_file;
use std::path::Path;

pub(crate) fn write(sheet: &Sheet, path: &Path, delimiter: u8) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(sheet.columns.iter().flat_map(|column| match &column.values {
        Values::Vectors { width, .. } => (0..*width).map(|at| format!("{}_{at}", column.name)).collect(),
        _ => vec![column.name.clone()],
    }))?;
    for row in 0..sheet.n_rows() {
        for column in &sheet.columns {
            match &column.values {
                Values::Texts(texts) => writer.write_field(&texts[row])?,
                Values::Numbers(numbers) => {
                    writer.write_field(numbers[row].map_or(String::new(), |number| number.to_string()))?;
                }
                Values::Vectors { width, values } => {
                    for value in &values[row * width..(row + 1) * width] {
                        writer.write_field(value.to_string())?;
                    }
                }
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    replace_file(path, &writer.into_inner().map_err(|err| err.into_error())?)
}
