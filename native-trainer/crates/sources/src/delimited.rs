//! CSV, TSV and their relatives, as spreadsheets and pandas save them.

use crate::Result;
use crate::builder::Builder;
use crate::error::SourceError;
use crate::lines::LineCounter;
use crate::problem::RowFault;
use csv::ByteRecord;
use dermake_files::table_file::{self, LooseMark, TableText};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// Reads a table with a header. Rows without a text in any cell are left out.
///
/// # Errors
/// When the bytes are not text, or a quotation mark is never closed.
pub(crate) fn read(bytes: &[u8], builder: &mut Builder) -> Result<()> {
    let path = builder.path().to_path_buf();
    let damaged = |source| SourceError::Damaged { path: path.clone(), source };
    let text = TableText::recognize(bytes).map_err(|source| SourceError::Text { path: path.clone(), source })?;
    let bytes = text.with_marks_at_starts();
    let text = TableText { bytes: &bytes, ..text };
    let mut reader = text.reader();
    let mut names = table_file::column_names(reader.byte_headers().map_err(damaged)?);
    let n_fields = names.len();
    // Spreadsheets leave empty names at the end.
    let n_named = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    names.truncate(n_named);
    let mut known = HashSet::new();
    let is_first: Vec<bool> = names.iter().map(|name| name.is_empty() || known.insert(name)).collect();
    let repeated: BTreeSet<&String> =
        names.iter().zip(&is_first).filter(|(_, first)| !**first).map(|(name, _)| name).collect();
    for name in repeated {
        let detail = format!("the column {name} is there more than once; the first is read");
        builder.notes.push(format!("{detail}: {}", path.display()));
    }
    let columns = builder.header(&names);
    let mut lines = LineCounter::new(text.bytes, text.first_line);
    let loose_marks = text.loose_marks();
    let has_open_cell = loose_marks.iter().any(|mark| mark.closing.is_none() && mark.spans_lines);
    let mut loose_marks = loose_marks.into_iter().peekable();
    let header_end = reader.position().byte();
    while let Some(mark) = loose_marks.next_if(|mark| (mark.at as u64) < header_end) {
        builder.notes.push(format!("in the header, {}: {}", loose_detail(mark, &mut lines), path.display()));
    }
    let (mut record, mut last_line, mut n_empty) = (ByteRecord::new(), 1, 0);
    while reader.read_byte_record(&mut record).map_err(damaged)? {
        last_line = lines.line_of(record.position().map_or(0, csv::Position::byte));
        let end = reader.position().byte();
        while let Some(mark) = loose_marks.next_if(|mark| (mark.at as u64) < end) {
            builder.problem(RowFault::Unreadable { detail: loose_detail(mark, &mut lines) });
        }
        if table_file::is_empty(&record) {
            n_empty += 1;
            continue;
        }
        if let Some(fault) = length_fault(&record, n_named, n_fields, text.delimiter) {
            builder.problem(fault);
        }
        let mut cells = Vec::with_capacity(columns.len());
        for ((cell, &column), _) in record.iter().zip(&columns).zip(&is_first).filter(|(_, first)| **first) {
            let cell = String::from_utf8_lossy(cell);
            if matches!(cell, Cow::Owned(_)) {
                builder.problem(RowFault::NotUtf8 { column });
            }
            cells.push((column, cell));
        }
        builder.push(last_line, &cells, None);
    }
    if has_open_cell {
        // The mark takes the rest of the table into one cell.
        return Err(SourceError::OpenQuote { row: builder.n_rows_of_file(), line: last_line, path });
    }
    if n_empty > 0 {
        builder.notes.push(format!("{n_empty} empty rows are left out: {}", path.display()));
    }
    Ok(())
}

/// Says what a quotation mark that opens a cell without an end means.
fn loose_detail(mark: LooseMark, lines: &mut LineCounter<'_>) -> String {
    let line = lines.line_of(mark.at as u64);
    match mark.closing {
        Some(closing) => format!(
            "the quotation mark that opens a cell in line {line} is closed in the middle of a text in line {}: a mark is \
             missing between them, and the rows there were read as part of the cell",
            lines.line_of(closing as u64)
        ),
        None => format!(
            "the quotation mark that opens a cell in line {line} is never closed: the file may have been cut off"
        ),
    }
}

/// What is wrong with the number of a row's cells.
fn length_fault(record: &ByteRecord, n_named: usize, n_fields: usize, delimiter: u8) -> Option<RowFault> {
    let (expected, found) = (n_named, record.len());
    let advice = || mismatch_advice(record, n_named, delimiter);
    if table_file::has_cells_behind(record, n_fields) {
        return Some(RowFault::TooManyCells { expected, found, advice: advice() });
    }
    (found < n_named).then(|| RowFault::TooFewCells { expected, found, advice: advice() })
}

/// Explains a row whose number of cells differs from the header's.
fn mismatch_advice(record: &ByteRecord, n_columns: usize, delimiter: u8) -> String {
    let is_long = record.len() > n_columns;
    let spans_lines = record.iter().any(|cell| cell.contains(&b'\n'));
    let starts_with = |mark: u8| record.get(0).is_some_and(|cell| cell.trim_ascii_start().first() == Some(&mark));
    match (is_long, n_columns) {
        _ if spans_lines => "it spans several lines: a quotation mark may be missing at the end of a cell".into(),
        _ if starts_with(b'#') => "a table has no remarks; remove the line".into(),
        (true, 1) => "if the first line is a title, remove it".into(),
        (true, _) => {
            let name = match delimiter {
                b',' => "a comma",
                b';' => "a semicolon",
                b'\t' => "a tab",
                _ => "a vertical bar",
            };
            format!("cells with {name} need quotation marks")
        }
        (false, _) => "cells are missing, or the line is no row".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The rows that have a problem, and what it is.
    fn problems(table: &str) -> Vec<(usize, String)> {
        let mut builder = Builder::default();
        builder.begin_file(Path::new("t.csv"), None);
        read(table.as_bytes(), &mut builder).unwrap();
        builder.problems.iter().map(|problem| (problem.row, problem.fault.to_string())).collect()
    }

    #[test]
    fn a_missing_quotation_mark_is_told_at_the_row_that_has_other_rows_in_it() {
        let rows = "image,text\na.jpg,one\nb.jpg,\"two\nc.jpg,\"three\"\nd.jpg,four\n";
        let found = problems(rows);
        let [(1, detail)] = &found[..] else { panic!("{found:?}") };
        assert!(detail.contains("opens a cell in line 3") && detail.contains("text in line 4"), "{detail}");
        let found = problems("image,text\na.jpg,\"one\ntwo\"\nb.jpg,\"three\n");
        let [(1, detail)] = &found[..] else { panic!("{found:?}") };
        assert!(detail.contains("line 4 is never closed: the file may have been cut off"), "{detail}");
        assert_eq!(problems("image,text\na.jpg,\"one\n\"\"two\"\"\" \nb.jpg,5\" scar\n"), []);
    }

    #[test]
    fn a_missing_quotation_mark_in_the_header_is_a_note() {
        let mut builder = Builder::default();
        builder.begin_file(Path::new("t.csv"), None);
        read(b"image,\"te\nxt\" b\na.jpg,one\nb.jpg,\"x\n", &mut builder).unwrap();
        let [note] = &builder.notes[..] else { panic!("{:?}", builder.notes) };
        assert!(note.starts_with("in the header, ") && note.contains("line 1 is closed in the middle"), "{note}");
        assert!(note.contains("text in line 2"), "{note}");
        let [problem] = &builder.problems[..] else { panic!("one row has a problem") };
        assert_eq!(problem.row, 1);
        assert!(problem.fault.to_string().contains("line 4 is never closed"), "{}", problem.fault);
    }
}
