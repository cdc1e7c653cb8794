//! transformers' `SiglipTokenizer`
//! (<https://github.com/huggingface/transformers/blob/v5.0.0/src/transformers/models/siglip/tokenization_siglip.py>).

use super::sentence_piece::{SPACE_SYMBOL, SentencePieces, Token};
use super::special::{Part, SpecialTokens};
use crate::text_cleaning::{collapse_white_space, remove_punctuation};

/// SigLIP's canonical texts in SentencePiece's pieces.
pub(super) struct SiglipEncoder {
    pieces: SentencePieces,
    special: SpecialTokens,
    is_lower_case: bool,
    /// The unknown piece as it is written. It precedes every text, so that the model's own prefix is put before it.
    prefix: String,
    prefix_len: usize,
}

impl SiglipEncoder {
    pub(super) fn new(pieces: SentencePieces, special: SpecialTokens, prefix: &str, is_lower_case: bool) -> Self {
        let prefix_len = pieces.encode(prefix).len();
        Self { pieces, special, is_lower_case, prefix: prefix.into(), prefix_len }
    }

    /// Appends the ids of a text.
    pub(super) fn push_ids(&self, text: &str, ids: &mut Vec<u32>) {
        let text = format!("{SPACE_SYMBOL}{}", text.replace(SPACE_SYMBOL, " "));
        let first_id = ids.len();
        let mut starts_with_space = false;
        for part in self.special.parts(&text) {
            match part {
                Part::Special(id) => {
                    if starts_with_space && ids.len() == first_id + 1 {
                        ids.pop();
                    }
                    ids.push(id);
                }
                Part::Text(text) => {
                    let tokens = self.tokens(text);
                    if ids.len() == first_id {
                        starts_with_space = tokens.first().is_some_and(|token| token.text == SPACE_SYMBOL);
                    }
                    ids.extend(tokens.iter().map(|token| token.id));
                }
            }
        }
    }

    fn tokens(&self, text: &str) -> Vec<Token> {
        let lowered;
        let text = match self.is_lower_case {
            true => {
                lowered = text.to_lowercase();
                &lowered
            }
            false => text,
        };
        let canonical = collapse_white_space(&remove_punctuation(text));
        let mut tokens = self.pieces.encode(&format!("{}{canonical}", self.prefix));
        if tokens.len() >= self.prefix_len {
            tokens.drain(..self.prefix_len);
        }
        tokens
    }
}
