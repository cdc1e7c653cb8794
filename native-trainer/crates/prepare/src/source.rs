//! Reads image-text pairs from every form that [`dermake_sources`] knows.

use crate::aspects::{self, MaskOrder};
use crate::row::{Pair, Reason};
use anyhow::Result;
use dermake_data::mask::parse_mask;
use dermake_data::{KNOWLEDGE_MASK_COLUMN, ONTOLOGY_COLUMN, VISUAL_COLUMN};
use dermake_files::missing::{is_missing, missing_words_in};
use dermake_sources::columns::{CAPTION_COLUMN, SPLIT_COLUMN};
use dermake_sources::{Dataset, Images, RowFault, caption_of};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Names of the columns to read; without one, usual names are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    pub image: Option<String>,
    pub caption: Option<String>,
    /// Column of the patient or another group whose rows stay together.
    pub group: Option<String>,
}

/// What was read.
pub struct Source {
    pub pairs: Vec<Pair>,
    /// Says what was read, for people.
    pub description: String,
    /// The files of the images that are there, by pair.
    pub images: Vec<Option<PathBuf>>,
    /// The order of the masks, if the data have them already and their rows tell.
    pub mask_order: Option<MaskOrder>,
    /// Whether the data say which part a row is of.
    pub has_parts: bool,
}

/// Reads pairs; images inside Parquet and tar files become files of their own in the user's cache.
///
/// - `roots`: folders where image names start; by default the data's folder and usual ones near it
///
/// # Errors
/// When the data cannot be read, lack a column or have no rows.
pub fn read(path: &Path, columns: &Columns, roots: Option<&[PathBuf]>) -> Result<Source> {
    let mut data = Dataset::read(path)?;
    data.unpack(None)?;
    let image = data.image_column(columns.image.as_deref())?;
    let caption = match (&columns.caption, data.column(CAPTION_COLUMN)) {
        (None, Ok(column)) => column,
        (named, _) => data.caption_column(named.as_deref())?,
    };
    let group = columns.group.as_ref().map(|name| data.column(name)).transpose()?;
    data.notes().iter().chain(&data.several_captions_note(caption)).for_each(|note| tracing::warn!("{note}"));
    let split = data.column(SPLIT_COLUMN).ok();
    let places = Places { image, caption, split, group };
    say_missing(&data, &places);
    let images = data.images(image, roots);
    let problems = problems(&data, &places);
    let mut source = Source {
        pairs: Vec::with_capacity(data.len()),
        description: data.description(),
        images: Vec::with_capacity(data.len()),
        mask_order: mask_order(&data),
        has_parts: split.is_some(),
    };
    for row in 0..data.len() {
        source.pairs.push(pair(&data, row, &places, problems.get(&row).copied()));
        source.images.push(file(&images, row));
    }
    Ok(source)
}

/// Where the cells of a pair are.
struct Places {
    image: Option<usize>,
    caption: usize,
    split: Option<usize>,
    group: Option<usize>,
}

/// The text of a cell, empty if it is a word for a missing value.
fn present(data: &Dataset, row: usize, column: usize) -> &str {
    let cell = data.cell(row, column);
    if is_missing(cell) { "" } else { cell }
}

/// Says which columns have words for missing values.
fn say_missing(data: &Dataset, places: &Places) {
    for column in [places.image, Some(places.caption), places.split, places.group].into_iter().flatten() {
        if let Some(words) = missing_words_in((0..data.len()).map(|row| data.cell(row, column))) {
            tracing::warn!("cells of the column {} that count as empty: {words}", data.columns()[column]);
        }
    }
}

fn pair(data: &Dataset, row: usize, places: &Places, problem: Option<Reason>) -> Pair {
    let cell = |column: usize| present(data, row, column);
    let known = data.known_image(row).map(dermake_sources::Image::name);
    Pair {
        row: row as u64 + 1,
        image: known.unwrap_or_else(|| places.image.map(cell).unwrap_or_default().to_owned()),
        caption: caption_of(cell(places.caption)).into_owned(),
        split: places.split.map(cell).unwrap_or_default().trim().to_owned(),
        group: places.group.map(cell).unwrap_or_default().trim().to_owned(),
        problem,
    }
}

fn file(images: &Images<'_>, row: usize) -> Option<PathBuf> {
    images.get(row).ok()?.path().map(Path::to_path_buf)
}

/// Rows whose image name or caption cannot be used.
fn problems(data: &Dataset, places: &Places) -> HashMap<usize, Reason> {
    let reason = |fault: &RowFault| match fault {
        RowFault::NotUtf8 { column } if Some(*column) == places.image || *column == places.caption => {
            Some(Reason::NotUtf8)
        }
        RowFault::Unreadable { .. } => Some(Reason::Unreadable),
        // Its caption may have been cut at a comma.
        RowFault::TooManyCells { .. } => Some(Reason::TooManyCells),
        RowFault::NotUtf8 { .. } | RowFault::TooFewCells { .. } => None,
    };
    data.problems().iter().filter_map(|problem| Some((problem.row, reason(&problem.fault)?))).collect()
}

/// The order of the masks that the data have, if any.
fn mask_order(data: &Dataset) -> Option<MaskOrder> {
    let place = |name| data.column(name).ok();
    let (mask, ontology) = (place(KNOWLEDGE_MASK_COLUMN)?, place(ONTOLOGY_COLUMN)?);
    let visual = place(VISUAL_COLUMN)?;
    let has = |row: usize, column: usize| !is_missing(data.cell(row, column));
    let rows: Vec<(Vec<bool>, bool, bool)> = (0..data.len())
        .filter_map(|row| Some((parse_mask(data.cell(row, mask)).ok()?, has(row, ontology), has(row, visual))))
        .collect();
    aspects::mask_order_of(rows.iter().map(|(mask, ontology, visual)| (mask.as_slice(), *ontology, *visual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, content: &[u8], columns: &Columns) -> Result<Source> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        read(&path, columns, None)
    }

    #[test]
    fn pairs_are_read_in_every_form() {
        for (name, content) in [
            ("t.csv", &b"filename,caption\na.png,\"red, scaly\"\n\n"[..]),
            ("t.csv", b"\xEF\xBB\xBFCaption;Image_Path\r\nred, scaly;a.png\r\n"),
            ("t.tsv", b"text\tfile\nred, scaly\ta.png\n"),
            ("t.csv", b"filename,truncated_caption,caption\na.png,red,\"red, scaly\"\n"),
            ("t.jsonl", b"{\"image\": \"a.png\", \"caption\": \"red, scaly\"}\n"),
            ("t.jsonl", b"{\"image\": \"a.png\", \"captions\": [\"red, scaly\", \"a rash\"]}\n"),
        ] {
            let found = source(name, content, &Columns::default()).unwrap().pairs;
            let (image, caption) = ("a.png".to_owned(), "red, scaly".to_owned());
            let expected =
                Pair { row: 1, image, caption, split: String::new(), group: String::new(), problem: None };
            assert_eq!(found, [expected], "{}", String::from_utf8_lossy(content));
        }
        let latin = source("t.csv", b"filename,caption\na.png,na\xEFve\n", &Columns::default()).unwrap();
        assert_eq!(latin.pairs[0].problem, Some(Reason::NotUtf8));
    }

    #[test]
    fn cells_that_pandas_writes_for_a_missing_value_are_empty() {
        let content = b"filename,caption,split,patient\na.png,nan,NA,None\nnull,red,test,none\n";
        let columns = Columns { group: Some("patient".into()), ..Columns::default() };
        let found = source("t.csv", content, &columns).unwrap().pairs;
        let texts = |pair: &Pair| [&pair.image, &pair.caption, &pair.split, &pair.group].map(String::clone);
        assert_eq!(texts(&found[0]), ["a.png", "", "", ""]);
        assert_eq!(texts(&found[1]), ["", "red", "test", "none"]);
    }

    #[test]
    fn the_part_of_a_row_is_kept() {
        let content = b"filename,caption,Split\na.png,red, Test \nb.png,blue,\n";
        let found = source("t.csv", content, &Columns::default()).unwrap();
        let parts: Vec<&str> = found.pairs.iter().map(|pair| pair.split.as_str()).collect();
        assert_eq!((parts, found.has_parts), (vec!["Test", ""], true));
        assert!(!source("t.csv", b"filename,caption\na.png,red\n", &Columns::default()).unwrap().has_parts);
    }

    #[test]
    fn images_with_sidecars_are_pairs() {
        let folder = tempfile::tempdir().unwrap();
        image(&folder.path().join("a.png"));
        std::fs::write(folder.path().join("a.txt"), "A scaly plaque").unwrap();
        let found = read(folder.path(), &Columns::default(), None).unwrap();
        assert_eq!((found.pairs[0].caption.as_str(), found.images[0].is_some()), ("A scaly plaque", true));
    }

    /// The smallest PNG.
    fn image(path: &Path) {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82";
        std::fs::write(path, PNG).unwrap();
    }

    #[test]
    fn a_missing_column_is_named_with_those_that_are_there() {
        let message = |content: &[u8], columns| format!("{:#}", source("t.csv", content, &columns).err().unwrap());
        let other = message(b"filename,note\na,b\n", Columns::default());
        assert!(other.contains("note") && other.contains("--caption-column"), "{other}");
        let columns = Columns { caption: Some("txt".into()), ..Columns::default() };
        assert!(message(b"filename,text\na,b\n", columns).contains("txt"));
    }

    #[test]
    fn the_order_of_masks_that_a_table_has_is_seen() {
        for (mask, expected) in [
            ("\"[1, 1, 0]\"", Some(MaskOrder::CaptionOntologyVisual)),
            ("\"[1, 0, 1]\"", Some(MaskOrder::CaptionVisualOntology)),
            ("", None),
        ] {
            let header = "filename,caption,visual_concept_caption,ontology_caption,knowledge_masks";
            let content = format!("{header}\na.png,A nevus,,a nevus,{mask}\n");
            assert_eq!(source("t.csv", content.as_bytes(), &Columns::default()).unwrap().mask_order, expected);
        }
    }
}
