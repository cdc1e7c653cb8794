//! open_clip's `SimpleTokenizer`
//! (<https://github.com/mlfoundations/open_clip/blob/89fb801/src/open_clip/tokenizer.py>).
//!
//! It meets special tokens while it splits a text, where `tokenizers` would take them out before.

use super::byte_pairs::{BytePairs, END_OF_WORD, symbols_in_id_order};
use super::split::{END_OF_TEXT, Pattern, START_OF_TEXT};
use crate::{Error, Result};
use flate2::read::GzDecoder;
use std::io::Read;
use tokenizers::models::bpe::Vocab;

/// Merges the reference reads; a file may hold fewer, and what it holds beyond is not looked at.
pub const CLIP_MERGES: usize = 48_894;

/// Largest unpacked merges; OpenAI's complete file, of which a fifth is used, has 3 MB.
pub(super) const MAX_MERGES_BYTES: u64 = 8 << 20;

/// CLIP's merges, and the two tokens that are written between `<` and `>`.
pub(super) struct OpenClipEncoder {
    byte_pairs: BytePairs,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl OpenClipEncoder {
    /// Reads CLIP's merges, gzipped.
    pub(super) fn from_merges_gz(bytes: &[u8]) -> Result<Self> {
        let merges = parse_merges(&unpack(bytes)?)?;
        let mut vocab = Vocab::default();
        let symbols = symbols_in_id_order();
        let whole_words = symbols.iter().map(|symbol| format!("{symbol}{END_OF_WORD}"));
        let merged = merges.iter().map(|(left, right)| format!("{left}{right}"));
        let tokens = symbols.iter().map(char::to_string).chain(whole_words).chain(merged);
        vocab.extend(tokens.zip(0u32..));
        // At most CLIP_VOCAB_SIZE - 2.
        let start = (2 * symbols.len() + merges.len()) as u32;
        Ok(Self { byte_pairs: BytePairs::new(vocab, merges, None)?, start, end: start + 1 })
    }

    /// Appends the ids of a cleaned text, until there are more than `limit`.
    pub(super) fn push_ids(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> Result<()> {
        for piece in Pattern::OpenClip.pieces(text) {
            match piece {
                START_OF_TEXT => ids.push(self.start),
                END_OF_TEXT => ids.push(self.end),
                _ => self.byte_pairs.push_ids(piece, ids)?,
            }
            if ids.len() > limit {
                break;
            }
        }
        Ok(())
    }
}

fn unpack(bytes: &[u8]) -> Result<String> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes)
        .take(MAX_MERGES_BYTES + 1)
        .read_to_end(&mut unpacked)
        .map_err(|err| Error::Vocabulary { detail: format!("the merges do not unpack: {err}") })?;
    if unpacked.len() as u64 > MAX_MERGES_BYTES {
        return Err(Error::Vocabulary {
            detail: format!("the merges unpack to more than {MAX_MERGES_BYTES} bytes"),
        });
    }
    String::from_utf8(unpacked)
        .map_err(|err| Error::Vocabulary { detail: format!("the merges are not text: {err}") })
}

fn parse_merges(text: &str) -> Result<Vec<(String, String)>> {
    let mut lines = text.lines().zip(1..);
    if !lines.next().is_some_and(|(header, _)| header.contains("#version")) {
        return Err(Error::Vocabulary { detail: "the merges lack their header line".into() });
    }
    let parse = |(line, number): (&str, usize)| {
        pair_of_symbols(line).ok_or_else(|| Error::Vocabulary {
            detail: format!("line {number} of the merges is not a pair of symbols"),
        })
    };
    lines.take(CLIP_MERGES).map(parse).collect()
}

/// The two symbols of one line of merges.
pub(super) fn pair_of_symbols(line: &str) -> Option<(String, String)> {
    let mut symbols = line.split_whitespace();
    match (symbols.next(), symbols.next(), symbols.next()) {
        (Some(left), Some(right), None) => Some((left.to_owned(), right.to_owned())),
        _ => None,
    }
}
