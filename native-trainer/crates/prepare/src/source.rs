//! Reads image-text pairs from a table.

use crate::aspects::{self, MaskOrder};
use crate::row::{Pair, Reason};
use anyhow::{Context, Result, bail};
use csv::ByteRecord;
use dermake_data::mask::parse_mask;
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
    /// Column of the patient or another group whose rows stay together.
    pub group: Option<String>,
}

impl Default for Columns {
    fn default() -> Self {
        Self { image: IMAGE_COLUMNS[0].into(), caption: CAPTION_COLUMNS[0].into(), group: None }
    }
}

/// What was read of a table.
pub struct Source {
    pub pairs: Vec<Pair>,
    /// The order of the masks, if it has them already and their rows tell.
    pub mask_order: Option<MaskOrder>,
}

/// Reads the pairs of a table.
///
/// # Errors
/// When the table cannot be read, lacks a column or has no rows.
pub fn read(path: &Path, columns: &Columns) -> Result<Source> {
    let bytes = text_file::read_table(path)?;
    let text = TableText::recognize(&bytes).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = text.reader();
    let damaged = || format!("the table is damaged: {}", path.display());
    let header = table_file::column_names(reader.byte_headers().with_context(damaged)?);
    let places = Places {
        image: column(&header, &columns.image, &IMAGE_COLUMNS, "--image-column", path)?,
        caption: column(&header, &columns.caption, &CAPTION_COLUMNS, "--caption-column", path)?,
        group: match &columns.group {
            Some(name) => Some(column(&header, name, &[""], "--group-column", path)?),
            None => None,
        },
    };
    let masks = Masks::find(&header);
    let mut mask_rows = Vec::new();
    let mut record = ByteRecord::new();
    let (mut pairs, mut start) = (Vec::new(), 0);
    while reader.read_byte_record(&mut record).with_context(damaged)? {
        start = record.position().map_or(0, csv::Position::byte);
        if !table_file::is_empty(&record) {
            pairs.push(pair(pairs.len() as u64 + 1, &record, &places));
            mask_rows.extend(masks.as_ref().and_then(|masks| masks.row(&record)));
        }
    }
    if text.has_open_quote(start) {
        bail!("a quotation mark in row {} is never closed: {}", pairs.len(), path.display());
    }
    if pairs.is_empty() {
        bail!("the table has no rows: {}", path.display());
    }
    let rows = mask_rows.iter().map(|(mask, ontology, visual)| (mask.as_slice(), *ontology, *visual));
    Ok(Source { mask_order: aspects::mask_order_of(rows), pairs })
}

/// Where a table has the aspects that `dermake prepare` makes.
struct Masks {
    mask: usize,
    ontology: usize,
    visual: usize,
}

impl Masks {
    fn find(header: &[String]) -> Option<Self> {
        let place = |name| find_column(header, name);
        let (mask, ontology) = (place("knowledge_masks")?, place("ontology_caption")?);
        Some(Self { mask, ontology, visual: place("visual_concept_caption")? })
    }

    /// The mask of a row, and whether the row has an ontology caption and one of visual concepts.
    fn row(&self, record: &ByteRecord) -> Option<(Vec<bool>, bool, bool)> {
        let cell = |at: usize| std::str::from_utf8(record.get(at).unwrap_or_default()).unwrap_or_default().trim();
        let mask = parse_mask(cell(self.mask)).ok()?;
        Some((mask, !cell(self.ontology).is_empty(), !cell(self.visual).is_empty()))
    }
}

/// Where the cells of a pair are.
struct Places {
    image: usize,
    caption: usize,
    group: Option<usize>,
}

fn pair(row: u64, record: &ByteRecord, places: &Places) -> Pair {
    let cell = |at: usize| record.get(at).unwrap_or_default();
    let is_text = [places.image, places.caption].iter().all(|&at| std::str::from_utf8(cell(at)).is_ok());
    let text = |at: usize| String::from_utf8_lossy(cell(at)).into_owned();
    Pair {
        row,
        image: text(places.image),
        caption: text(places.caption),
        group: places.group.map(text).unwrap_or_default().trim().to_owned(),
        problem: (!is_text).then_some(Reason::NotUtf8),
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

    fn read(table: &[u8], columns: &Columns) -> Result<Vec<Pair>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, table).unwrap();
        Ok(super::read(&path, columns)?.pairs)
    }

    #[test]
    fn tables_are_read_as_programs_save_them() {
        for table in [
            &b"filename,caption\na.png,\"red, scaly\"\n\n"[..],
            b"\xEF\xBB\xBFCaption;Image_Path\r\nred, scaly;a.png\r\n",
            b"text\tfile\nred, scaly\ta.png\n",
        ] {
            let found = read(table, &Columns::default()).unwrap();
            let expected = Pair {
                row: 1,
                image: "a.png".into(),
                caption: "red, scaly".into(),
                group: String::new(),
                problem: None,
            };
            assert_eq!(found, [expected], "{}", String::from_utf8_lossy(table));
        }
        let latin = read(b"filename,caption\na.png,na\xEFve\n", &Columns::default()).unwrap();
        assert_eq!(latin[0].problem, Some(Reason::NotUtf8));
    }

    #[test]
    fn a_missing_column_is_named_with_those_that_are_there() {
        let message = |table: &[u8], columns| format!("{:#}", read(table, &columns).unwrap_err());
        let other = message(b"filename,note\na,b\n", Columns::default());
        assert!(other.contains("no column caption, it has filename, note") && other.contains("--caption-column"));
        let columns = Columns { caption: "txt".into(), ..Columns::default() };
        assert!(message(b"filename,text\na,b\n", columns).contains("no column txt"));
        assert!(message(b"filename,caption\n", Columns::default()).contains("no rows"));
        assert!(message(b"filename,caption\na,\"b\n c,d\n", Columns::default()).contains("never closed"));
    }

    #[test]
    fn the_order_of_masks_that_a_table_has_is_seen() {
        for (mask, expected) in [
            ("\"[1, 1, 0]\"", Some(MaskOrder::CaptionOntologyVisual)),
            ("\"[1, 0, 1]\"", Some(MaskOrder::CaptionVisualOntology)),
            ("", None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("t.csv");
            let header = "filename,caption,visual_concept_caption,ontology_caption,knowledge_masks";
            std::fs::write(&path, format!("{header}\na.png,A nevus,,a nevus,{mask}\n")).unwrap();
            assert_eq!(super::read(&path, &Columns::default()).unwrap().mask_order, expected);
        }
    }
}
