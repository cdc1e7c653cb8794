//! The file that has a whole journal: JSON, each entry with its photo in base64.
//!
//! Entries are written and read one after the other, so that only one photo is in memory and every file that was saved can
//! be opened, however large it is.

use super::{Entry, check, damaged};
use crate::error::Error;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// The value of `format` in the file.
pub(super) const FORMAT: &str = "dermake-journal/1";
/// The first bytes of the pictures that a journal has, JPEG and PNG.
pub(super) const SIGNATURES: [&[u8]; 2] = [&[0xff, 0xd8, 0xff], &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]];

/// An entry and its photo, a JPEG or PNG file.
pub type EntryAndPhoto = (Entry, Vec<u8>);

#[derive(Serialize, Deserialize)]
struct FileEntry {
    #[serde(flatten)]
    entry: Entry,
    /// The photo, a JPEG or PNG file, in base64.
    photo: String,
}

/// What is before the first entry of a file.
pub fn file_start() -> String {
    format!("{{\"format\":\"{FORMAT}\",\"entries\":[")
}

/// An entry of a file.
pub fn file_entry(entry: &Entry, photo: &[u8], is_first: bool) -> String {
    let entry = FileEntry { entry: entry.clone(), photo: BASE64_STANDARD.encode(photo) };
    let json = serde_json::to_string(&entry).expect("an entry has only texts and finite numbers");
    if is_first { json } else { format!(",\n{json}") }
}

/// What is after the last entry of a file.
pub const FILE_END: &str = "]}\n";

/// Reads one entry of a file, which [`EntrySplitter`](super::EntrySplitter) found.
///
/// # Errors
/// [`Error::JournalDamaged`] with the first thing that is wrong.
pub fn read_entry(json: &[u8]) -> Result<EntryAndPhoto, Error> {
    let FileEntry { entry, photo } = serde_json::from_slice(json).map_err(damaged)?;
    let entry = check(entry)?;
    let photo = BASE64_STANDARD.decode(&photo).unwrap_or_default();
    match SIGNATURES.iter().any(|signature| photo.starts_with(signature)) {
        true => Ok((entry, photo)),
        false => Err(damaged(format!("the photo of {} is no JPEG or PNG file", entry.date()))),
    }
}
