//! The journal: photos and answers that the visitor keeps on this device, and the one file that has all of them.

mod figure;
mod file;
mod findings;
mod splitter;

pub use figure::{FIGURE_SIZE, FigureView, Region};
pub use file::{EntryAndPhoto, FILE_END, file_entry, file_start, read_entry};
pub use findings::FindingChange;
pub use splitter::EntrySplitter;

use crate::error::Error;
use crate::report::{Report, ReportAnswer};
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use shared_model::calibration::Certainty;
use shared_model::concepts::Presence;

/// Longest name of a spot and longest note, in characters.
pub const MAX_TEXT_CHARS: usize = 2_000;

/// The parts of the body that the page offers. A journal may have others.
pub const BODY_SITES: [&str; 16] = [
    "head",
    "face",
    "neck",
    "chest",
    "abdomen",
    "back",
    "buttocks",
    "genital area",
    "left arm",
    "right arm",
    "left hand",
    "right hand",
    "left leg",
    "right leg",
    "left foot",
    "right foot",
];

/// What the visitor says of a photo.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryText {
    /// Name of the spot, such as "mole below the left shoulder". Photos of one spot have the same name.
    pub spot: String,
    pub body_site: String,
    pub note: String,
}

/// A photo of the journal, without its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Name of its files.
    pub id: String,
    #[serde(flatten)]
    pub text: EntryText,
    /// When the model answered, in ISO 8601.
    pub answered_at: String,
    pub photo_name: String,
    pub labels: String,
    pub model: String,
    /// The first answers, the most likely first.
    pub answers: Vec<ReportAnswer>,
    /// Whether to believe them; `None` if the model was not calibrated for these labels.
    #[serde(default)]
    pub certainty: Option<Certainty>,
    /// Scores of the findings between 0 and 1; `None` if they were not scored.
    #[serde(default)]
    pub findings: Option<Vec<Presence>>,
}

impl Entry {
    /// An entry for the result that the page shows. `nonce` distinguishes entries of the same millisecond.
    pub fn new(report: &Report, text: EntryText, nonce: u32) -> Self {
        let time: String = report.answered_at.chars().filter(char::is_ascii_digit).collect();
        let clean = |text: String| text.trim().chars().take(MAX_TEXT_CHARS).collect::<String>();
        let EntryText { spot, body_site, note } = text;
        Self {
            id: format!("{time}-{nonce:08x}"),
            text: EntryText { spot: clean(spot), body_site, note: clean(note) },
            answered_at: report.answered_at.clone(),
            photo_name: report.photo.file_name.clone(),
            labels: report.labels.title.clone(),
            model: report.model.name.clone(),
            answers: report.answers.iter().take(Self::N_ANSWERS).cloned().collect(),
            certainty: report.certainty,
            findings: report.findings.clone(),
        }
    }

    /// Number of answers that are kept.
    const N_ANSWERS: usize = 20;

    /// Whether its id is the name of a file and nothing else.
    fn has_plain_id(&self) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=64).contains(&self.id.len()) && self.id.bytes().all(is_plain)
    }

    /// The date for people.
    pub fn date(&self) -> &str {
        self.answered_at.split('T').next().unwrap_or_default()
    }

    /// Whether its answers can be believed.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.certainty.as_ref())
    }

    /// Whether the probabilities of two entries mean the same: one model, the same labels, and one calibration or none, which
    /// is known by its threshold.
    pub fn is_comparable_to(&self, other: &Self) -> bool {
        let calibration = |entry: &Self| entry.certainty.map(|certainty| certainty.match_threshold);
        (&self.model, &self.labels, calibration(self)) == (&other.model, &other.labels, calibration(other))
    }

    /// The probability of each label in this entry and in `later`; `None` for labels that it has not.
    pub fn changes_to<'a>(&'a self, later: &'a Self) -> impl Iterator<Item = (&'a str, f32, Option<f32>)> {
        self.answers.iter().map(|answer| {
            let found = later.answers.iter().find(|other| other.label == answer.label);
            (answer.label.as_str(), answer.probability, found.map(|other| other.probability))
        })
    }
}

/// Parses an entry that the browser stored.
///
/// # Errors
/// [`Error::JournalDamaged`]
pub fn entry_from_json(json: &str) -> Result<Entry, Error> {
    let entry: Entry = serde_json::from_str(json).map_err(damaged)?;
    check(entry)
}

fn check(entry: Entry) -> Result<Entry, Error> {
    match entry.has_plain_id() {
        true => Ok(entry),
        false => Err(damaged(format!("{:?} is no id of an entry", entry.id))),
    }
}

fn damaged(detail: impl ToString) -> Error {
    Error::JournalDamaged { detail: detail.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry with these answers.
    pub(super) fn entry(id: &str, answers: &[(&str, f32)]) -> Entry {
        let answer = |&(label, probability): &(&str, f32)| ReportAnswer { label: label.into(), probability };
        Entry {
            id: id.into(),
            text: EntryText { spot: "left, \"below\"".into(), body_site: "back".into(), note: "itches\n".into() },
            answered_at: "2026-11-27T10:00:00.000Z".into(),
            photo_name: "x.jpg".into(),
            labels: "PAD".into(),
            model: "m".into(),
            answers: answers.iter().map(answer).collect(),
            certainty: None,
            findings: None,
        }
    }

    #[test]
    fn two_photos_are_compared_label_by_label() {
        let (before, after) = (entry("a", &[("mole", 0.7), ("acne", 0.2)]), entry("b", &[("mole", 0.4)]));
        let changes: Vec<_> = before.changes_to(&after).collect();
        assert_eq!(changes, [("mole", 0.7, Some(0.4)), ("acne", 0.2, None)]);
        let certainty = Certainty { unsure: false, none_of_these: true, match_score: -3.0, match_threshold: -2.0 };
        let calibrated = Entry { certainty: Some(certainty), ..after.clone() };
        assert!(before.is_comparable_to(&after) && !before.is_comparable_to(&calibrated));
        let again = Certainty { match_score: 1.0, none_of_these: false, ..certainty };
        let other = Certainty { match_threshold: -3.0, ..certainty };
        assert!(calibrated.is_comparable_to(&Entry { certainty: Some(again), ..after.clone() }));
        assert!(!calibrated.is_comparable_to(&Entry { certainty: Some(other), ..after.clone() }));
        assert_eq!((after.verdict(), calibrated.verdict()), (Verdict::NotCalibrated, Verdict::NoneOfThese));
    }

    #[test]
    fn an_entry_of_an_earlier_version_is_read() {
        let json = serde_json::to_string(&entry("a", &[])).unwrap();
        let json = json.replace(",\"certainty\":null", "").replace(",\"findings\":null", "");
        assert!(!json.contains("certainty") && !json.contains("findings"));
        assert_eq!(entry_from_json(&json).unwrap(), entry("a", &[]));
    }
}
