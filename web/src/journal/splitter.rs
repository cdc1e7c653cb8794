//! Splits a journal's file, which arrives in pieces, into its entries.

use super::damaged;
use super::file::FORMAT;
use crate::error::Error;
use serde::Deserialize;

/// Largest entry, in bytes. The page keeps photos of at most a few megabytes.
const MAX_ENTRY_BYTES: usize = 64 << 20;
/// Largest content around the entries, in bytes: a few for each entry.
const MAX_FRAME_BYTES: usize = 16 << 20;
/// Depth of nesting at which an entry begins: within the file's object and the list of entries.
const ENTRY_DEPTH: usize = 2;

/// Finds the entries in the pieces of a file. Only one entry is in memory.
#[derive(Default)]
pub struct EntrySplitter {
    /// What is around the entries; `null` in place of each.
    frame: Vec<u8>,
    /// The entry that has begun.
    entry: Vec<u8>,
    /// Objects and lists that are open.
    depth: usize,
    is_in_entry: bool,
    is_in_text: bool,
    is_escaped: bool,
}

/// The frame of a file, in which each entry is `null`.
#[derive(Deserialize)]
struct Frame {
    format: String,
    #[serde(rename = "entries")]
    _entries: Vec<()>,
}

impl EntrySplitter {
    /// Takes the next piece of the file; returns the JSON of each entry that ends in it.
    ///
    /// # Errors
    /// [`Error::JournalDamaged`] for a file that cannot be a journal.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let mut entries = Vec::new();
        for &byte in piece {
            if self.starts_entry(byte) {
                self.is_in_entry = true;
            }
            if self.is_in_entry { &mut self.entry } else { &mut self.frame }.push(byte);
            self.follow(byte)?;
            if self.is_in_entry && self.depth == ENTRY_DEPTH {
                self.is_in_entry = false;
                self.frame.extend(b"null");
                entries.push(std::mem::take(&mut self.entry));
            }
        }
        if self.entry.len() > MAX_ENTRY_BYTES || self.frame.len() > MAX_FRAME_BYTES {
            return Err(damaged("it has more than the photos of a journal"));
        }
        Ok(entries)
    }

    /// Checks what was around the entries, after the last piece.
    ///
    /// # Errors
    /// [`Error::JournalDamaged`] for a file that ends too early or is something else.
    pub fn finish(self) -> Result<(), Error> {
        let frame = self.frame.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.frame);
        let frame: Frame = serde_json::from_slice(frame).map_err(damaged)?;
        match frame.format == FORMAT {
            true => Ok(()),
            false => Err(damaged(format!("expected the format {FORMAT}, found {:?}", frame.format))),
        }
    }

    fn starts_entry(&self, byte: u8) -> bool {
        byte == b'{' && self.depth == ENTRY_DEPTH && !self.is_in_text && !self.is_in_entry
    }

    /// Follows the nesting: brackets within texts do not count.
    fn follow(&mut self, byte: u8) -> Result<(), Error> {
        if self.is_in_text {
            self.is_in_text = byte != b'"' || self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return Ok(());
        }
        match byte {
            b'"' => self.is_in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                let too_many = || damaged("it closes more brackets than it opens");
                self.depth = self.depth.checked_sub(1).ok_or_else(too_many)?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::SIGNATURES;
    use super::super::tests::entry;
    use super::super::{EntryAndPhoto, FILE_END, file_entry, file_start, read_entry};
    use super::*;

    fn to_file(entries: &[EntryAndPhoto]) -> String {
        let entries =
            entries.iter().enumerate().map(|(index, (entry, photo))| file_entry(entry, photo, index == 0));
        format!("{}{}{FILE_END}", file_start(), entries.collect::<String>())
    }

    /// Reads a file in pieces of this many bytes.
    fn from_file(text: &str, piece_bytes: usize) -> Result<Vec<EntryAndPhoto>, Error> {
        let mut splitter = EntrySplitter::default();
        let mut entries = Vec::new();
        for piece in text.as_bytes().chunks(piece_bytes) {
            for json in splitter.push(piece)? {
                entries.push(read_entry(&json)?);
            }
        }
        splitter.finish()?;
        Ok(entries)
    }

    #[test]
    fn an_exported_journal_is_imported_as_it_was() {
        let png = [SIGNATURES[1], &[0, 255, 7]].concat();
        let jpeg = [SIGNATURES[0], &[1]].concat();
        let mut odd = entry("2026-b", &[]);
        odd.text.note = "}] \\\" {[ \\".into();
        let entries = vec![(entry("2026-a", &[("mole", 0.25)]), png), (odd, jpeg)];
        let file = to_file(&entries);
        for piece_bytes in [1, 7, 1 << 20] {
            assert_eq!(from_file(&file, piece_bytes).unwrap(), entries);
            assert_eq!(from_file(&format!("\u{feff}{file}"), piece_bytes).unwrap(), entries);
            assert_eq!(from_file(&to_file(&[]), piece_bytes).unwrap(), []);
        }
        // Another program may write it in another form.
        let value: serde_json::Value = serde_json::from_str(&file).unwrap();
        let sorted = serde_json::json!({ "entries": value["entries"], "format": FORMAT });
        assert_eq!(from_file(&format!("{sorted:#}"), 100).unwrap(), entries);
    }

    #[test]
    fn a_broken_journal_is_refused() {
        let file = to_file(&[(entry("a", &[]), SIGNATURES[1].to_vec())]);
        let broken = [
            file[..file.len() - 9].to_string(),
            file[..file.len() - 3].to_string(),
            file.replace(FORMAT, "dermake-journal/9"),
            file.replace("\"a\"", "\"../a\""),
            file.replace("\"a\"", "\"\""),
            file.replace("iVBOR", "AAAAA"),
            format!("{file}]"),
            "[]".into(),
            "{}".into(),
            String::new(),
        ];
        for text in broken {
            for piece_bytes in [1, 1 << 20] {
                let read = from_file(&text, piece_bytes);
                assert!(matches!(read, Err(Error::JournalDamaged { .. })), "{text}: {read:?}");
            }
        }
        let endless = format!("{}{{\"id\":\"{}", file_start(), "a".repeat(MAX_ENTRY_BYTES));
        assert!(from_file(&endless, 1 << 20).is_err());
    }
}
