//! The journal: photos and answers that the visitor keeps on this device, and the one file that has all of them.

use crate::error::Error;
use crate::report::{Report, ReportAnswer};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// The value of `format` in an exported file.
const FORMAT: &str = "dermake-journal/1";
/// The first bytes of the pictures that a journal has, JPEG and PNG.
const SIGNATURES: [&[u8]; 2] = [&[0xff, 0xd8, 0xff], &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]];
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
}

/// A journal as a file.
#[derive(Deserialize)]
struct JournalFile {
    format: String,
    entries: Vec<FileEntry>,
}

#[derive(Serialize, Deserialize)]
struct FileEntry {
    #[serde(flatten)]
    entry: Entry,
    /// The photo, a JPEG or PNG file, in base64.
    photo: String,
}

/// An entry and its photo, a JPEG or PNG file.
pub type EntryAndPhoto = (Entry, Vec<u8>);

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

    /// By how much the probability of each of these labels is higher in `later`; `None` for labels that it has not.
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

/// What is before the first entry of a file.
pub fn file_start() -> String {
    format!("{{\"format\":\"{FORMAT}\",\"entries\":[")
}

/// An entry of a file. Entries are written one after the other, so that only one photo is in memory.
pub fn file_entry(entry: &Entry, photo: &[u8], is_first: bool) -> String {
    let entry = FileEntry { entry: entry.clone(), photo: BASE64_STANDARD.encode(photo) };
    let json = serde_json::to_string(&entry).expect("an entry has only texts and finite numbers");
    if is_first { json } else { format!(",\n{json}") }
}

/// What is after the last entry of a file.
pub const FILE_END: &str = "]}\n";

/// Reads a journal from a file. Takes all of it or nothing.
///
/// # Errors
/// [`Error::JournalDamaged`] with the first thing that is wrong.
pub fn from_file(text: &str) -> Result<Vec<EntryAndPhoto>, Error> {
    let file: JournalFile = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(damaged)?;
    if file.format != FORMAT {
        return Err(damaged(format!("expected the format {FORMAT}, found {:?}", file.format)));
    }
    let read = |FileEntry { entry, photo }| {
        let entry = check(entry)?;
        let photo = BASE64_STANDARD.decode(&photo).unwrap_or_default();
        match SIGNATURES.iter().any(|signature| photo.starts_with(signature)) {
            true => Ok((entry, photo)),
            false => Err(damaged(format!("the photo of {} is no JPEG or PNG file", entry.date()))),
        }
    };
    file.entries.into_iter().map(read).collect()
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

    fn entry(id: &str, answers: &[(&str, f32)]) -> Entry {
        let answer = |&(label, probability): &(&str, f32)| ReportAnswer { label: label.into(), probability };
        Entry {
            id: id.into(),
            text: EntryText { spot: "left, \"below\"".into(), body_site: "back".into(), note: "itches\n".into() },
            answered_at: "2026-11-27T10:00:00.000Z".into(),
            photo_name: "x.jpg".into(),
            labels: "PAD".into(),
            model: "m".into(),
            answers: answers.iter().map(answer).collect(),
        }
    }

    fn to_file(entries: &[EntryAndPhoto]) -> String {
        let entries =
            entries.iter().enumerate().map(|(index, (entry, photo))| file_entry(entry, photo, index == 0));
        format!("{}{}{FILE_END}", file_start(), entries.collect::<String>())
    }

    #[test]
    fn an_exported_journal_is_imported_as_it_was() {
        let png = [SIGNATURES[1], &[0, 255, 7]].concat();
        let jpeg = [SIGNATURES[0], &[1]].concat();
        let entries = vec![(entry("2026-a", &[("mole", 0.25)]), png.clone()), (entry("2026-b", &[]), jpeg)];
        let file = to_file(&entries);
        assert_eq!(from_file(&file).unwrap(), entries);
        assert_eq!(from_file(&format!("\u{feff}{file}")).unwrap(), entries);
        assert_eq!(from_file(&to_file(&[])).unwrap(), []);
    }

    #[test]
    fn a_broken_journal_is_refused_as_a_whole() {
        let file = to_file(&[(entry("a", &[]), SIGNATURES[1].to_vec())]);
        let broken = [
            file[..file.len() - 9].to_string(),
            file.replace(FORMAT, "dermake-journal/9"),
            file.replace("\"a\"", "\"../a\""),
            file.replace("\"a\"", "\"\""),
            file.replace("iVBOR", "AAAAA"),
            "[]".into(),
            String::new(),
        ];
        for text in broken {
            assert!(matches!(from_file(&text), Err(Error::JournalDamaged { .. })), "{text}");
        }
    }

    #[test]
    fn two_photos_are_compared_label_by_label() {
        let (before, after) = (entry("a", &[("mole", 0.7), ("acne", 0.2)]), entry("b", &[("mole", 0.4)]));
        let changes: Vec<_> = before.changes_to(&after).collect();
        assert_eq!(changes, [("mole", 0.7, Some(0.4)), ("acne", 0.2, None)]);
    }
}
