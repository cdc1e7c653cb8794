//! Reads image-text pairs from a table.

use crate::row::{Pair, Reason};
use anyhow::{Context, Result, bail};
use csv::ByteRecord;
use dermake_files::table_file::{self, IMAGE_COLUMNS, TableText, find_column};
use dermake_files::text_file;
use std::path::Path;

/// Usual names of the caption's column, the most usual first.
const CAPTION_COLUMNS: [&str; 10] = [
    "caption",
    "truncated_caption",
    "text",
    "description",
    "caption_text",
    "title",
    "captions",
    "caption_zh_polish_en",
    "sentence",
    "texts",
];

/// Names of the columns to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// For the default, other usual names are accepted too.
    pub image: String,
    pub caption: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self { image: IMAGE_COLUMNS[0].into(), caption: CAPTION_COLUMNS[0].into() }
    }
}

/// A table in memory, from which pairs are read one after the other.
pub struct Source {
    bytes: Vec<u8>,
    columns: Columns,
}

impl Source {
    /// Reads a table.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(path: &Path, columns: Columns) -> Result<Self> {
        Ok(Self { bytes: text_file::read_table(path)?, columns })
    }

    /// Passes each pair to `take`, in order, with the byte where its row ends.
    ///
    /// # Errors
    /// When the table lacks a column or has no rows, and those of `take`.
    pub fn each(&self, path: &Path, mut take: impl FnMut(Pair, u64) -> Result<()>) -> Result<()> {
        let text = TableText::recognize(&self.bytes).with_context(|| format!("cannot read {}", path.display()))?;
        let mut reader = text.reader();
        let damaged = || format!("the table is damaged: {}", path.display());
        let header = table_file::column_names(reader.byte_headers().with_context(damaged)?);
        let image = column(&header, &self.columns.image, &IMAGE_COLUMNS, "--image-column", path)?;
        let caption = column(&header, &self.columns.caption, &CAPTION_COLUMNS, "--caption-column", path)?;
        let mut record = ByteRecord::new();
        let (mut row, mut start) = (0, 0);
        while reader.read_byte_record(&mut record).with_context(damaged)? {
            start = record.position().map_or(0, csv::Position::byte);
            if table_file::is_empty(&record) {
                continue;
            }
            row += 1;
            take(pair(row, &record, image, caption), reader.position().byte())?;
        }
        if text.has_open_quote(start) {
            bail!("a quotation mark in row {row} is never closed: {}", path.display());
        }
        if row == 0 {
            bail!("the table has no rows: {}", path.display());
        }
        Ok(())
    }

    /// Size of the table.
    pub fn len_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

fn pair(row: u64, record: &ByteRecord, image: usize, caption: usize) -> Pair {
    let cell = |at: usize| std::str::from_utf8(record.get(at).unwrap_or_default());
    let lossy = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default()).into_owned();
    match (cell(image), cell(caption)) {
        (Ok(image), Ok(caption)) => Pair { row, image: image.into(), caption: caption.into(), problem: None },
        _ => Pair { row, image: lossy(image), caption: lossy(caption), problem: Some(Reason::NotUtf8) },
    }
}

/// Place of a column; for the default name, of the first of the usual ones.
fn column(header: &[String], name: &str, usual: &[&str], option: &str, path: &Path) -> Result<usize> {
    let is_default = name == usual[0];
    let found = find_column(header, name)
        .or_else(|| usual.iter().filter(|_| is_default).find_map(|name| find_column(header, name)));
    found.with_context(|| {
        let columns = header.join(", ");
        format!("the table has no column {name}, it has {columns}; {option} names another one: {}", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(table: &[u8], columns: Columns) -> Result<Vec<Pair>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, table).unwrap();
        let mut pairs = Vec::new();
        Source::open(&path, columns)?.each(&path, |pair, _| {
            pairs.push(pair);
            Ok(())
        })?;
        Ok(pairs)
    }

    #[test]
    fn tables_are_read_as_programs_save_them() {
        for table in [
            &b"filename,caption\na.png,\"red, scaly\"\n\n"[..],
            b"\xEF\xBB\xBFCaption;Image_Path\r\nred, scaly;a.png\r\n",
            b"text\tfile\nred, scaly\ta.png\n",
        ] {
            let found = pairs(table, Columns::default()).unwrap();
            let expected = Pair { row: 1, image: "a.png".into(), caption: "red, scaly".into(), problem: None };
            assert_eq!(found, [expected], "{}", String::from_utf8_lossy(table));
        }
        let latin = pairs(b"filename,caption\na.png,na\xEFve\n", Columns::default()).unwrap();
        assert_eq!(latin[0].problem, Some(Reason::NotUtf8));
    }

    #[test]
    fn a_missing_column_is_named_with_those_that_are_there() {
        let message = |table: &[u8], columns| format!("{:#}", pairs(table, columns).unwrap_err());
        let other = message(b"filename,note\na,b\n", Columns::default());
        assert!(other.contains("no column caption, it has filename, note") && other.contains("--caption-column"));
        let columns = Columns { caption: "txt".into(), ..Columns::default() };
        assert!(message(b"filename,text\na,b\n", columns).contains("no column txt"));
        assert!(message(b"filename,caption\n", Columns::default()).contains("no rows"));
        assert!(message(b"filename,caption\na,\"b\n c,d\n", Columns::default()).contains("never closed"));
    }
}
