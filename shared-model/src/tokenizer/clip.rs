//! transformers' `CLIPTokenizer`
//! (<https://github.com/huggingface/transformers/blob/v5.0.0/src/transformers/models/clip/tokenization_clip.py>).

use super::byte_pairs::BytePairs;
use super::special::{Part, SpecialTokens};
use super::split::Pattern;
use crate::Result;
use tokenizers::NormalizedString;

/// CLIP's byte-pair encoding with a vocabulary from a file; no text is repaired.
pub(super) struct ClipEncoder {
    byte_pairs: BytePairs,
    special: SpecialTokens,
}

impl ClipEncoder {
    pub(super) fn new(byte_pairs: BytePairs, mut special: SpecialTokens) -> Self {
        special.normalize(normalize);
        Self { byte_pairs, special }
    }

    /// Appends the ids of a text, until there are more than `limit`.
    pub(super) fn push_ids(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> Result<()> {
        for part in self.special.parts(text) {
            match part {
                Part::Special(id) => ids.push(id),
                Part::Text(text) => self.push_normalized(&normalize(text), limit, ids)?,
            }
            if ids.len() > limit {
                break;
            }
        }
        Ok(())
    }

    fn push_normalized(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> Result<()> {
        for part in self.special.normalized_parts(text) {
            match part {
                Part::Special(id) => ids.push(id),
                Part::Text(text) => {
                    for piece in Pattern::Transformers.pieces(text) {
                        self.push_piece(piece, ids)?;
                        if ids.len() > limit {
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn push_piece(&self, piece: &str, ids: &mut Vec<u32>) -> Result<()> {
        // Byte-level encoding splits once more, by GPT-2's pattern. That matters only for the name of a special token
        // that is not the token, because it was written in upper case.
        match piece {
            "<|startoftext|>" | "<|endoftext|>" => {
                let name = &piece[2..piece.len() - 2];
                ["<|", name, "|>"].into_iter().try_for_each(|piece| self.byte_pairs.push_ids(piece, ids))
            }
            _ => self.byte_pairs.push_ids(piece, ids),
        }
    }
}

/// NFC, and lower case character by character; white space separates pieces whatever it is.
fn normalize(text: &str) -> String {
    let mut normalized = NormalizedString::from(text);
    normalized.nfc().lowercase();
    normalized.get().into()
}
