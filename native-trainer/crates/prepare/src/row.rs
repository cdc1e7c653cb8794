//! One image-text pair, and what is written of it.

use crate::aspects::{self, MaskOrder};
use crate::cleaning::{self, Removed};
use crate::extraction::{Extraction, Extractor};
use crate::flags::{self, Flag};
use crate::lexicon::Lexicon;
use crate::units::{MAX_UNITS, TokenBudget, Units};
use anyhow::Result;
use dermake_data::{KNOWLEDGE_MASK_COLUMN, ONTOLOGY_COLUMN, SUBCAPTION_MASK_COLUMN, VISUAL_COLUMN};
use dermake_files::table_file::IMAGE_COLUMNS;
use dermake_sources::columns::{CAPTION_COLUMN, CAPTION_COLUMNS};
use serde::Serialize;

/// Columns of the table, in the order of MAKE's guide.
pub const COLUMNS: [&str; 16] = [
    IMAGE_COLUMNS[0],
    CAPTION_COLUMN,
    CAPTION_COLUMNS[0],
    VISUAL_COLUMN,
    ONTOLOGY_COLUMN,
    "sub_captions",
    "subcaption_1",
    "subcaption_2",
    "subcaption_3",
    "subcaption_4",
    "subcaption_5",
    "subcaption_6",
    "subcaption_7",
    "subcaption_8",
    SUBCAPTION_MASK_COLUMN,
    KNOWLEDGE_MASK_COLUMN,
];

/// An image and its caption, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Counted from 1, without the header.
    pub row: u64,
    pub image: String,
    pub caption: String,
    /// The part of the data, such as train or test, as written; empty if it is not known.
    pub split: String,
    /// The patient or other group, empty if unknown: rows of one are never split.
    pub group: String,
    /// Why the cells cannot be used, if so.
    pub problem: Option<Reason>,
}

/// Why a row is not in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    NoImageName,
    NoCaption,
    NotUtf8,
    /// The row or its text file cannot be read.
    Unreadable,
    /// The row has more cells than the header, as where a caption with commas is not quoted.
    TooManyCells,
    /// The image is the same file as an earlier row's, which has the caption too.
    JoinedWithEarlierRow,
    /// The image is a copy of an earlier row's in another size or form, which has the caption too.
    CopyOfEarlierRow,
    /// The image is in a folder of an evaluation.
    InEvaluation,
}

/// A line of `extracted.jsonl`.
#[derive(Debug, Serialize)]
pub struct Line {
    pub row: u64,
    pub image: String,
    /// Whether the row is in the validation table.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_validation: bool,
    /// Number of the first row with the same image, a copy of it, or the same patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<u64>,
    /// Empty if the row is left out.
    #[serde(flatten)]
    pub extraction: Extraction,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Reason>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Removed>,
    /// What a person should look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Parts of the caption behind the eighth sub-caption.
    #[serde(skip_serializing_if = "is_zero")]
    pub parts_left_out: usize,
    /// Whether `truncated_caption` is shorter than the caption.
    pub truncated: bool,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// A row of the table and its line of `extracted.jsonl`.
pub struct Prepared {
    pub cells: Option<Vec<String>>,
    pub line: Line,
}

/// What prepares pairs.
#[derive(Clone, Copy)]
pub struct Preparer<'a> {
    pub extractor: &'a dyn Extractor,
    pub lexicon: &'a Lexicon,
    pub budget: &'a TokenBudget,
    pub mask_order: MaskOrder,
    /// Whether the table has a column `split` behind the others.
    pub has_parts: bool,
}

/// Prepares one pair.
///
/// # Errors
/// Those of the extractor.
pub fn prepare(pair: Pair, with: Preparer<'_>) -> Result<Prepared> {
    let cleaned = cleaning::clean(&pair.caption);
    let mut line = Line {
        row: pair.row,
        image: pair.image,
        is_validation: false,
        cluster: None,
        extraction: Extraction::default(),
        left_out: pair.problem,
        removed: cleaned.removed,
        flags: Vec::new(),
        parts_left_out: 0,
        truncated: false,
    };
    if line.left_out.is_none() && line.image.trim().is_empty() {
        line.left_out = Some(Reason::NoImageName);
    }
    if line.left_out.is_none() && !cleaned.text.chars().any(char::is_alphanumeric) {
        line.left_out = Some(Reason::NoCaption);
    }
    if line.left_out.is_some() {
        return Ok(Prepared { cells: None, line });
    }
    line.flags = flags::flags(&cleaned.text, &with.lexicon.words(&cleaned.text));
    let extraction = with.extractor.extract(&cleaned.text)?;
    let units = with.budget.split(&cleaned.text);
    line.parts_left_out = units.n_left_out;
    line.truncated = units.truncated != cleaned.text;
    let mut cells = cells(&line.image, &cleaned.text, &units, &extraction, with.mask_order);
    cells.extend(with.has_parts.then_some(pair.split));
    line.extraction = extraction;
    Ok(Prepared { cells: Some(cells), line })
}

fn cells(image: &str, caption: &str, units: &Units, extraction: &Extraction, order: MaskOrder) -> Vec<String> {
    let n_units = units.subcaptions.len();
    let mut cells = vec![
        image.to_owned(),
        caption.to_owned(),
        units.truncated.clone(),
        aspects::visual_concept_caption(extraction),
        aspects::ontology_caption(extraction),
        n_units.to_string(),
    ];
    cells.extend(units.subcaptions.iter().cloned());
    cells.resize(6 + MAX_UNITS, String::new());
    let used: Vec<bool> = (0..MAX_UNITS).map(|at| at < n_units).collect();
    cells.push(aspects::mask_cell(&used));
    cells.push(aspects::mask_cell(&aspects::knowledge_mask(true, extraction, order)));
    cells
}
