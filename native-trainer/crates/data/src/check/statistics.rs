//! Figures of a table's captions: how many count, how long they are, how much repeats.

use crate::problem::{ProblemKind, RowProblem};
use crate::schema::N_KNOWLEDGE;
use crate::table::TrainingTable;
use rayon::prelude::*;
use serde::Serialize;
use shared_model::tokenizer::Tokenizer;
use std::collections::{HashMap, HashSet};

/// Figures of a whole table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Rows of the table, also those of other parts, which all other figures leave out.
    pub n_rows: usize,
    /// Rows that training would not skip.
    pub n_usable_rows: usize,
    /// Distinct image names.
    pub n_images: usize,
    /// Captions of all kinds, whether the mask counts them or not; an empty cell is none.
    pub n_captions: usize,
    /// Share of them that is distinct: what is left to encode where a repeated text is encoded once.
    pub distinct_share: Option<f64>,
    /// For each kind of caption: the caption, ontology, visual concepts, sub-captions (all together).
    pub captions: Vec<CaptionStatistics>,
}

/// Figures of one kind of caption; shares and means are `None` where there is nothing to divide by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaptionStatistics {
    /// Name of the column; `subcaption_1` means all sub-captions.
    pub column: String,
    /// Cells of the table.
    pub n_cells: usize,
    /// Cells whose mask is 1.
    pub n_valid: usize,
    /// Share of the cells that is empty.
    pub empty_share: Option<f64>,
    /// Share of the filled cells that is distinct.
    pub distinct_share: Option<f64>,
    /// Tokens of a filled cell, start and end not counted.
    pub mean_tokens: Option<f64>,
    pub max_tokens: Option<usize>,
    /// Cells whose tokens do not fit into the context.
    pub n_cut: usize,
}

/// Tokens of a text, or why it has none.
type TokenCount = Result<usize, String>;

impl Statistics {
    /// The figures, and the captions that do not fit; every row without a problem in the table counts as usable.
    pub(super) fn of(table: &TrainingTable, tokenizer: &Tokenizer) -> (Self, Vec<RowProblem>) {
        let counts = token_counts(table, tokenizer);
        let room = tokenizer.context_length() - 2;
        let mut tallies: Vec<Tally> =
            (0..table.n_captions().min(N_KNOWLEDGE + 1)).map(|_| Tally::default()).collect();
        let mut problems = Vec::new();
        for row in table.rows_of_part() {
            for (kind, is_valid) in table.mask(row).enumerate() {
                let caption = table.caption(row, kind);
                let count = caption.map(|text| (text, &counts[text]));
                if let Some(problem) = tallies[kind.min(N_KNOWLEDGE)].add(count, is_valid, room) {
                    problems.push(table.problem(row, table.caption_column(kind), problem));
                }
            }
        }
        let n_captions = tallies.iter().map(|tally| tally.n_filled).sum();
        let n_images = table.rows_of_part().map(|row| table.image(row)).collect::<HashSet<_>>().len();
        let captions = tallies.iter().enumerate().map(|(kind, tally)| tally.figures(table.caption_column(kind)));
        let statistics = Self {
            n_rows: table.len(),
            n_usable_rows: table.usable_rows().count(),
            n_images,
            n_captions,
            distinct_share: ratio(counts.len(), n_captions),
            captions: captions.collect(),
        };
        (statistics, problems)
    }
}

/// Sums over the cells of one kind.
#[derive(Default)]
struct Tally<'a> {
    n_cells: usize,
    n_valid: usize,
    n_filled: usize,
    n_counted: usize,
    n_tokens: usize,
    max_tokens: Option<usize>,
    n_cut: usize,
    distinct: HashSet<&'a str>,
}

impl<'a> Tally<'a> {
    /// Adds a cell, `None` if empty; returns its problem, if any.
    fn add(&mut self, count: Option<(&'a str, &TokenCount)>, is_valid: bool, room: usize) -> Option<ProblemKind> {
        self.n_cells += 1;
        self.n_valid += usize::from(is_valid);
        let (text, count) = count?;
        self.n_filled += 1;
        self.distinct.insert(text);
        let tokens = match count {
            Ok(tokens) => *tokens,
            Err(detail) => return Some(ProblemKind::CaptionRefused { detail: detail.clone() }),
        };
        self.n_counted += 1;
        self.n_tokens += tokens;
        self.max_tokens = self.max_tokens.max(Some(tokens));
        let is_cut = tokens > room;
        self.n_cut += usize::from(is_cut);
        is_cut.then_some(ProblemKind::CaptionCut { tokens, room })
    }

    fn figures(&self, column: &str) -> CaptionStatistics {
        CaptionStatistics {
            column: column.to_owned(),
            n_cells: self.n_cells,
            n_valid: self.n_valid,
            empty_share: ratio(self.n_cells - self.n_filled, self.n_cells),
            distinct_share: ratio(self.distinct.len(), self.n_filled),
            mean_tokens: ratio(self.n_tokens, self.n_counted),
            max_tokens: self.max_tokens,
            n_cut: self.n_cut,
        }
    }
}

/// Counts the tokens of every distinct text of the table, in parallel.
fn token_counts<'a>(table: &'a TrainingTable, tokenizer: &Tokenizer) -> HashMap<&'a str, TokenCount> {
    let cells = table.rows_of_part().flat_map(|row| (0..table.n_captions()).map(move |kind| (row, kind)));
    let texts: HashSet<&str> = cells.filter_map(|(row, kind)| table.caption(row, kind)).collect();
    texts.into_par_iter().map(|text| (text, tokenizer.n_tokens(text).map_err(|err| err.to_string()))).collect()
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
