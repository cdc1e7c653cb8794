//! The table as a file: CSV for spreadsheets, JSON for programs.

use super::row::{Outcome, Row};
use super::{Batch, N_ANSWERS};
use crate::report::DISCLAIMER;
use crate::verdict::Verdict;
use serde_json::{Value, json};
use shared_model::zero_shot::Prediction;

/// The value of `format` in the JSON file.
const FORMAT: &str = "dermake-table/1";
/// Tells spreadsheets that the file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// A cell that begins with one of these is a formula to a spreadsheet, which could send the table somewhere.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

impl Batch {
    /// The whole table as CSV: a row for each file, also for those without an answer. While it is searched, with the
    /// similarities.
    pub fn to_csv(&self) -> String {
        let answers = (1..=N_ANSWERS).map(|rank| format!(",label_{rank},probability_{rank}"));
        let similarity = if self.is_searched() { ",similarity" } else { "" };
        let header = format!("file,problem,certainty{}{similarity}", answers.collect::<String>());
        let lines = std::iter::once(header).chain(self.rows.iter().map(|row| csv_row(row, self.is_searched())));
        std::iter::once(BYTE_ORDER_MARK.to_string()).chain(lines.map(|line| line + "\r\n")).collect()
    }

    /// The whole table as JSON, with the model and the labels that it is of.
    pub fn to_json(&self, answered_at: &str) -> String {
        let (model, labels) = self.answered_by.as_ref().map(|(model, labels)| (model, &labels.title)).unzip();
        let photos: Vec<Value> = self.rows.iter().map(json_row).collect();
        let mut table = json!({
            "format": FORMAT,
            "disclaimer": DISCLAIMER,
            "saved_at": answered_at,
            "program": format!("Dermake {}", env!("CARGO_PKG_VERSION")),
            "model": model,
            "labels": labels,
            "photos": photos,
        });
        if let Some(searched) = self.searched() {
            let kind = if self.searched_photo().is_some() { "like" } else { "words" };
            table["search"] = json!({ kind: searched });
        }
        format!("{table:#}\n")
    }
}

fn csv_row(row: &Row, is_searched: bool) -> String {
    let answers = match &row.outcome {
        Some(Outcome::Answered(answer)) => answer.predictions.as_slice(),
        _ => &[],
    };
    let answers = (0..N_ANSWERS).map(|rank| match answers.get(rank) {
        Some(answer) => format!(",{},{}", csv_cell(&answer.label), answer.probability),
        None => ",,".into(),
    });
    let problem = row.error().map(|error| csv_cell(&error.to_string())).unwrap_or_default();
    let verdict = row.verdict().map(Verdict::name).unwrap_or_default();
    let similarity = row.similarity.map(|similarity| similarity.to_string()).unwrap_or_default();
    let similarity = if is_searched { format!(",{similarity}") } else { String::new() };
    format!("{},{problem},{verdict}{}{similarity}", csv_cell(&row.name), answers.collect::<String>())
}

/// Puts `'` before what a spreadsheet would compute, and quotes a cell where RFC 4180 requires it.
fn csv_cell(text: &str) -> String {
    let text = if text.starts_with(FORMULA_STARTS) { format!("'{text}") } else { text.into() };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

fn json_row(row: &Row) -> Value {
    let mut value = match &row.outcome {
        None => json!({ "file": row.name }),
        Some(Outcome::Refused(error)) => json!({ "file": row.name, "problem": error.to_string() }),
        Some(Outcome::Answered(answer)) => {
            let ranked = |found: &Prediction| json!({ "label": found.label, "probability": found.probability });
            let answers: Vec<Value> = answer.predictions.iter().map(ranked).collect();
            json!({ "file": row.name, "certainty": answer.certainty, "answers": answers })
        }
    };
    if let Some(similarity) = row.similarity {
        value["similarity"] = similarity.into();
    }
    value
}
