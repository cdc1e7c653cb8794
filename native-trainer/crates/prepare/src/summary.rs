//! Counts of a run: `prepare.json`.

use crate::aspects::MaskOrder;
use crate::cleaning::Removed;
use crate::flags::Flag;
use crate::hygiene::HygieneCounts;
use crate::llm::LlmCounts;
use crate::row::{Line, Reason};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was extracted from a table.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Version of the program.
    pub dermake: &'static str,
    /// Order of the entries of `knowledge_masks`.
    pub mask_order: MaskOrder,
    /// The order in which the input has its masks, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_mask_order: Option<MaskOrder>,
    pub n_rows: u64,
    /// Rows that are not in the table, by reason.
    pub left_out: BTreeMap<Reason, u64>,
    /// Rows of `val.csv`.
    pub n_validation: u64,
    pub images: HygieneCounts,
    pub n_with_condition: u64,
    pub n_with_concepts: u64,
    pub n_with_both: u64,
    /// Rows whose caption names conditions without asserting one.
    pub n_only_uncertain: u64,
    pub n_with_negated: u64,
    pub n_subcaptions: u64,
    /// Captions longer than the text tower's context.
    pub n_truncated: u64,
    /// Parts of captions behind the eighth sub-caption.
    pub n_parts_left_out: u64,
    /// Rows from whose caption something was removed, by kind.
    pub removed: BTreeMap<Removed, u64>,
    /// Rows that a person should look at, by reason.
    pub flags: BTreeMap<Flag, u64>,
    /// What a language model was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm: Option<LlmCounts>,
    pub conditions: BTreeMap<String, u64>,
    pub concepts: BTreeMap<String, u64>,
    /// The SHA-256 of each file that was written, and of the one that it replaced: a file with another one was changed.
    pub files: BTreeMap<String, Vec<String>>,
}

impl Summary {
    pub fn new(mask_order: MaskOrder) -> Self {
        Self { dermake: env!("CARGO_PKG_VERSION"), mask_order, ..Self::default() }
    }

    /// Rows that are not in the table.
    pub fn n_left_out(&self) -> u64 {
        self.left_out.values().sum()
    }

    /// Counts a row.
    pub fn count(&mut self, line: &Line, cells: Option<&[String]>) {
        self.n_rows += 1;
        if let Some(reason) = line.left_out {
            *self.left_out.entry(reason).or_default() += 1;
            return;
        }
        self.n_validation += u64::from(line.is_validation);
        for &kind in &line.removed {
            *self.removed.entry(kind).or_default() += 1;
        }
        for &flag in &line.flags {
            *self.flags.entry(flag).or_default() += 1;
        }
        self.n_truncated += u64::from(line.truncated);
        self.n_parts_left_out += line.parts_left_out as u64;
        let subcaptions = cells.into_iter().flat_map(|cells| cells[6..14].iter());
        self.n_subcaptions += subcaptions.filter(|cell| !cell.is_empty()).count() as u64;
        let found = &line.extraction;
        let (has_condition, has_concepts) = (found.condition.is_some(), !found.concepts.is_empty());
        self.n_with_condition += u64::from(has_condition);
        self.n_with_concepts += u64::from(has_concepts);
        self.n_with_both += u64::from(has_condition && has_concepts);
        self.n_only_uncertain += u64::from(!has_condition && !found.uncertain.is_empty());
        self.n_with_negated += u64::from(!found.negated.is_empty());
        if let Some(name) = &found.condition {
            *self.conditions.entry(name.clone()).or_default() += 1;
        }
        for name in &found.concepts {
            *self.concepts.entry(name.clone()).or_default() += 1;
        }
    }

    /// The summary for people.
    pub fn to_text(&self) -> String {
        let n_kept = self.n_rows - self.n_left_out();
        let share = |n: u64| format!("{n} ({:.0} %)", 100.0 * n as f64 / n_kept.max(1) as f64);
        let mut text = format!(
            "{} rows, {n_kept} in the table\nwith a condition: {}\nwith concepts: {}\nwith both: {}\n\
             condition named but not asserted: {}\nsub-captions: {}, {:.1} a row\n",
            self.n_rows,
            share(self.n_with_condition),
            share(self.n_with_concepts),
            share(self.n_with_both),
            share(self.n_only_uncertain),
            self.n_subcaptions,
            self.n_subcaptions as f64 / n_kept.max(1) as f64,
        );
        if self.n_validation > 0 {
            text += &format!("rows of val.csv: {}\n", share(self.n_validation));
        }
        if self.images.n_images > 0 {
            let HygieneCounts { n_images, n_missing, n_unreadable, n_near, .. } = self.images;
            text += &format!(
                "images: {n_images}; rows without their image: {n_missing}; unreadable images: {n_unreadable}; copies in \
                 another size or form: {n_near}\n"
            );
        }
        if self.n_truncated > 0 {
            text += &format!("captions cut to the context behind a sentence: {}\n", share(self.n_truncated));
        }
        if self.n_parts_left_out > 0 {
            text += &format!("parts of captions for which no sub-caption was left: {}\n", self.n_parts_left_out);
        }
        for (flag, n) in &self.flags {
            text += &format!("to look at, {}: {n}\n", flag.in_words());
        }
        if let Some(llm) = &self.llm {
            text += &format!(
                "the model: {} requests, {} kept answers; {} answers refused ({} terms), {} captions read by the \
                 lexicon\n",
                llm.n_requests, llm.n_kept, llm.n_refused_answers, llm.n_refused_terms, llm.n_by_lexicon
            );
        }
        for (reason, n) in &self.left_out {
            text += &format!("left out, {}: {n}\n", reason.in_words());
        }
        text
    }
}

impl Reason {
    /// The reason for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NoImageName => "no image name",
            Self::NoCaption => "no caption",
            Self::NotUtf8 => "a cell is not UTF-8",
            Self::Unreadable => "the row cannot be read",
            Self::TooManyCells => "more cells than the header, as where a caption with commas is not quoted",
            Self::JoinedWithEarlierRow => "the image of an earlier row, which has the caption too",
            Self::CopyOfEarlierRow => "a copy of an earlier row's image, which has the caption too",
            Self::InEvaluation => "an image of the evaluation",
        }
    }
}

impl Flag {
    /// The reason to look at a row, for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NotEnglish => "not in English",
            Self::AnotherImage => "names the case of another image",
            Self::SeveralPanels => "describes several panels",
            Self::NotAPhoto => "describes no photo of the skin",
            Self::Face => "the image shows a face",
            Self::TextInImage => "text in the image",
        }
    }
}

impl Removed {
    /// What was removed, for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Html => "HTML",
            Self::Link => "links",
            Self::FigureCall => "figure calls",
            Self::Citation => "citations",
            Self::Copyright => "notes on copyright",
        }
    }
}
