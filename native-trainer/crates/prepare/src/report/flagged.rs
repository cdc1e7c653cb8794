//! The first rows of each flag, by name.

use crate::flags::Flag;
use crate::row::Line;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Rows of a flag that are shown.
const N_ROWS: usize = 20;

/// The first rows of each flag.
#[derive(Default)]
pub struct FlaggedRows {
    /// Number and image of each row.
    rows: BTreeMap<Flag, Vec<(u64, String)>>,
}

impl FlaggedRows {
    /// Keeps a row under its flags, if it is among the first.
    pub fn offer(&mut self, line: &Line) {
        for &flag in &line.flags {
            let rows = self.rows.entry(flag).or_default();
            if rows.len() < N_ROWS {
                rows.push((line.row, line.image.clone()));
            }
        }
    }
}

/// Returns the section of the report; nothing if no row has a flag.
pub fn section(flagged: &FlaggedRows, counts: &BTreeMap<Flag, u64>) -> Markup {
    html! {
        @if !flagged.rows.is_empty() {
            section {
                h2 { "To look at" }
                @for (flag, rows) in &flagged.rows {
                    h3 { (flag.in_words()) ": " (counts.get(flag).copied().unwrap_or_default()) }
                    ol.flagged {
                        @for (row, image) in rows { li value=(row) { (image) } }
                    }
                }
                p.quiet {
                    "The first " (N_ROWS) " rows of each, with the numbers of the rows. extracted.jsonl has all, under flags."
                }
            }
        }
    }
}
