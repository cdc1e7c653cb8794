//! From texts to `input_ids`, by the tokenizers that models of the CLIP kind come with.
//!
//! Byte-pair encoding and WordPiece are those of Hugging Face's `tokenizers`; what goes before them is written out
//! here, because its text pipeline would bring a regex engine into the page.

mod bert;
mod byte_pairs;
mod clip;
mod definition;
mod files;
mod open_clip;
mod sentence_piece;
mod settings;
mod siglip;
mod special;
mod split;

pub use open_clip::CLIP_MERGES;

use crate::config::TextCleaning;
use crate::text_cleaning::clean_as;
use crate::{Error, Result};
use bert::BertEncoder;
use clip::ClipEncoder;
use open_clip::OpenClipEncoder;
use siglip::SiglipEncoder;

/// The byte-pair merges of every CLIP model, gzipped: what [`Tokenizer::from_merges_gz`] reads.
pub static CLIP_MERGES_GZ: &[u8] = include_bytes!("../../data/demo/clip_merges.bin");

/// Size of CLIP's vocabulary: the bytes, the bytes at the end of a word, the merges, start and end.
pub const CLIP_VOCAB_SIZE: usize = 2 * 256 + CLIP_MERGES + 2;

/// Context length L of OpenAI's models and nearly all others.
pub const CLIP_CONTEXT_LENGTH: usize = 77;

/// The id that fills `input_ids` up to the context length in open_clip's own tokenizer.
pub const PAD_ID: u32 = 0;

/// Longest context length that makes sense, and more than any model has.
const MAX_CONTEXT_LENGTH: usize = 65_536;

/// Turns captions into the `input_ids` of the text tower.
pub struct Tokenizer {
    encoder: Encoder,
    frame: Frame,
    cleaning: TextCleaning,
    context_length: usize,
    vocab_size: usize,
}

/// How a text becomes ids.
enum Encoder {
    OpenClip(OpenClipEncoder),
    Clip(ClipEncoder),
    Bert(BertEncoder),
    Siglip(SiglipEncoder),
}

/// What is put around the ids of a text.
struct Frame {
    start: Option<u32>,
    end: u32,
    pad: u32,
    /// Whether a text that ends with the end token gets no other.
    keeps_own_end: bool,
    /// An id that becomes padding.
    stripped: Option<u32>,
}

impl Tokenizer {
    /// Reads CLIP's merges, gzipped: a header line, then one `left right` a line, most frequent first.
    ///
    /// The ids follow from their number M: 256 bytes, 256 bytes that end a word, the M merges, start, end.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] if the data is damaged, unpacks to more than 8 MiB or is no list of merges, or if
    /// `context_length` leaves no room for start and end.
    pub fn from_merges_gz(bytes: &[u8], context_length: usize) -> Result<Self> {
        check_context_length(context_length)?;
        let encoder = OpenClipEncoder::from_merges_gz(bytes)?;
        let (start, end) = (encoder.start, encoder.end);
        Ok(Self {
            frame: Frame { start: Some(start), end, pad: PAD_ID, keeps_own_end: false, stripped: None },
            encoder: Encoder::OpenClip(encoder),
            cleaning: TextCleaning::Lower,
            context_length,
            vocab_size: end as usize + 1,
        })
    }

    /// Encodes one text: start, its tokens, end, then padding. What is too long is cut before the end.
    ///
    /// # Shapes
    /// - returns `[L]`
    ///
    /// # Errors
    /// [`Error::TextTooLong`] over [`MAX_TEXT_BYTES`](crate::text_cleaning::MAX_TEXT_BYTES), before any work.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let text = clean_as(text, self.cleaning)?;
        let Frame { start, end, pad, keeps_own_end, stripped } = self.frame;
        // All but the end.
        let room = self.context_length - 1;
        let mut input_ids = Vec::with_capacity(self.context_length);
        input_ids.extend(start);
        self.encoder.push_ids(&text, room - 1, &mut input_ids)?;
        input_ids.truncate(room);
        if !(keeps_own_end && input_ids.last() == Some(&end)) {
            input_ids.push(end);
        }
        input_ids.resize(self.context_length, pad);
        if let Some(stripped) = stripped {
            input_ids.iter_mut().filter(|id| **id == stripped).for_each(|id| *id = PAD_ID);
        }
        Ok(input_ids)
    }

    /// Encodes each of `texts` by [`encode`](Self::encode).
    ///
    /// # Shapes
    /// - returns `[B, L]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode), of the first text that has one.
    pub fn encode_batch(&self, texts: &[impl AsRef<str>]) -> Result<Vec<Vec<u32>>> {
        texts.iter().map(|text| self.encode(text.as_ref())).collect()
    }

    /// Number of tokens of a text, start and end not counted and nothing cut: what exceeds
    /// [`max_tokens`](Self::max_tokens) is lost.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn n_tokens(&self, text: &str) -> Result<usize> {
        let mut ids = Vec::new();
        self.encoder.push_ids(&clean_as(text, self.cleaning)?, usize::MAX, &mut ids)?;
        Ok(ids.len())
    }

    /// Returns whether a text has more tokens than fit: [`encode`](Self::encode) leaves out the last ones.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn cuts(&self, text: &str) -> Result<bool> {
        Ok(self.n_tokens(text)? > self.max_tokens())
    }

    /// Number of tokens that a text may have, start and end not counted.
    pub fn max_tokens(&self) -> usize {
        self.context_length - 1 - usize::from(self.frame.start.is_some())
    }

    /// Context length L.
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// Number of ids, which the text tower's embedding must have; [`CLIP_VOCAB_SIZE`] with all of CLIP's merges.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The id every text starts with, where there is one; 49,406 in CLIP's vocabulary.
    pub fn start_id(&self) -> Option<u32> {
        self.frame.start
    }

    /// The id every text ends with; 49,407 in CLIP's vocabulary, where CLIP's text tower reads its feature.
    pub fn end_id(&self) -> u32 {
        self.frame.end
    }

    /// The id that fills `input_ids` up to the context length; in some vocabularies that of the end token.
    pub fn pad_id(&self) -> u32 {
        self.frame.pad
    }
}

impl Encoder {
    /// Appends the ids of a cleaned text. Where it can, it stops when there are more than `limit`.
    fn push_ids(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> Result<()> {
        match self {
            Self::OpenClip(encoder) => encoder.push_ids(text, limit, ids),
            Self::Clip(encoder) => encoder.push_ids(text, limit, ids),
            Self::Bert(encoder) => encoder.push_ids(text, limit, ids),
            Self::Siglip(encoder) => {
                encoder.push_ids(text, ids);
                Ok(())
            }
        }
    }
}

fn check_context_length(context_length: usize) -> Result<()> {
    if !(2..=MAX_CONTEXT_LENGTH).contains(&context_length) {
        let detail = format!("context length {context_length} is not within 2 and {MAX_CONTEXT_LENGTH}");
        return Err(Error::Vocabulary { detail });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
