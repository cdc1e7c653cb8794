//! NumPy's file format, version 1.0: all numbers and vectors of a table as one f32 matrix.
//!
//! Beside `scores.npy`, `scores.rows.csv` has the texts of the rows, and `scores.columns.txt` the names of the columns.
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use crate::delimited;
use crate::format::{columns_beside, rows_beside};
use crate::sheet::{Sheet, Values};
use anyhow::Result;
use dermake_files::output::replace_file;
use std::path::Path;

/// Sizes of headers are multiples of this.
const ALIGNMENT: usize = 64;
/// Magic string, version, and length of the header.
const PREFIX_BYTES: usize = 10;

pub(crate) fn write(sheet: &Sheet, path: &Path) -> Result<()> {
    let is_text = |values: &Values| matches!(values, Values::Texts(_));
    let (texts, numbers): (Vec<_>, Vec<_>) =
        sheet.columns.iter().cloned().partition(|column| is_text(&column.values));
    let mut names = String::new();
    for column in &numbers {
        match column.values {
            Values::Vectors { width, .. } => (0..width).for_each(|at| names += &format!("{}_{at}\n", column.name)),
            _ => names += &format!("{}\n", column.name),
        }
    }
    let n_columns = names.lines().count();
    let mut bytes = header(sheet.n_rows(), n_columns);
    for row in 0..sheet.n_rows() {
        for column in &numbers {
            match &column.values {
                Values::Texts(_) => {}
                Values::Numbers(numbers) => {
                    let number = numbers[row].map_or(f32::NAN, |number| number as f32);
                    bytes.extend(number.to_le_bytes());
                }
                Values::Vectors { width, values } => {
                    bytes.extend(
                        values[row * width..(row + 1) * width].iter().flat_map(|value| value.to_le_bytes()),
                    );
                }
            }
        }
    }
    delimited::write(&Sheet { columns: texts }, &rows_beside(path), b',')?;
    replace_file(&columns_beside(path), names.as_bytes())?;
    replace_file(path, &bytes)
}

fn header(n_rows: usize, n_columns: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n_rows}, {n_columns}), }}");
    let length = (PREFIX_BYTES + text.len() + 1).next_multiple_of(ALIGNMENT) - PREFIX_BYTES;
    text += &" ".repeat(length - text.len() - 1);
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}
