//! BERT's WordPiece encoding; normalization, split and model are those of Hugging Face's `tokenizers`.

use super::special::{Part, SpecialTokens};
use crate::{Error, Result};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

/// A WordPiece vocabulary, and how a text is taken apart before it is looked up.
pub(super) struct BertEncoder {
    normalizer: BertNormalizer,
    word_pieces: WordPiece,
    special: SpecialTokens,
}

impl BertEncoder {
    /// # Errors
    /// [`Error::Vocabulary`] if the vocabulary does not have its token for unknown words.
    pub(super) fn new(
        normalizer: BertNormalizer,
        word_pieces: WordPiece,
        mut special: SpecialTokens,
    ) -> Result<Self> {
        let unknown = &word_pieces.unk_token;
        if word_pieces.token_to_id(unknown).is_none() {
            return Err(Error::Vocabulary { detail: format!("the vocabulary has no {unknown}") });
        }
        special.normalize(|content| {
            let mut normalized = NormalizedString::from(content);
            match normalizer.normalize(&mut normalized) {
                Ok(()) => normalized.get().into(),
                Err(_) => content.into(),
            }
        });
        Ok(Self { normalizer, word_pieces, special })
    }

    /// Appends the ids of a text, until there are more than `limit`.
    pub(super) fn push_ids(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> Result<()> {
        for part in self.special.parts(text) {
            match part {
                Part::Special(id) => ids.push(id),
                Part::Text(text) => self.push_text(text, limit, ids).map_err(tokenizer_error)?,
            }
            if ids.len() > limit {
                break;
            }
        }
        Ok(())
    }

    fn push_text(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> tokenizers::Result<()> {
        let mut normalized = NormalizedString::from(text);
        self.normalizer.normalize(&mut normalized)?;
        for part in self.special.normalized_parts(normalized.get()) {
            match part {
                Part::Special(id) => ids.push(id),
                Part::Text(text) => self.push_words(text, limit, ids)?,
            }
        }
        Ok(())
    }

    fn push_words(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> tokenizers::Result<()> {
        let mut words = PreTokenizedString::from(text);
        BertPreTokenizer.pre_tokenize(&mut words)?;
        for (word, ..) in words.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            ids.extend(self.word_pieces.tokenize(word)?.iter().map(|token| token.id));
            if ids.len() > limit {
                break;
            }
        }
        Ok(())
    }
}

fn tokenizer_error(err: tokenizers::Error) -> Error {
    Error::Vocabulary { detail: err.to_string() }
}
