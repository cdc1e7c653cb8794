//! Captions of a table to tokens: each is tokenized once in a run, by the first thread that needs it.

use super::table::TrainingTable;
use shared_model::text_length;
use shared_model::tokenizer::Tokenizer;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Number of texts that are looked up by their letters. Ontology captions and missing ones repeat, and share memory.
const CAPACITY: usize = 65_536;

/// The tokens of one caption: up to its end token, without padding. CLIP's ids have 16 bits.
pub(super) type Tokens = Arc<[u16]>;

/// The tokens of a table's captions, kept from their first use on: 2 bytes a token and 24 a caption.
pub(super) struct CaptionTokens {
    tokenizer: Tokenizer,
    n_kinds: usize,
    /// Row by row, N a row.
    cells: Vec<OnceLock<Tokens>>,
    texts: Mutex<HashMap<Box<str>, Tokens>>,
    capacity: usize,
}

impl CaptionTokens {
    pub fn new(tokenizer: Tokenizer, table: &TrainingTable) -> Self {
        let n_kinds = table.n_captions();
        let cells = std::iter::repeat_with(OnceLock::new).take(table.len() * n_kinds).collect();
        Self { tokenizer, n_kinds, cells, texts: Mutex::default(), capacity: CAPACITY }
    }

    /// Context length L.
    pub fn context_length(&self) -> usize {
        self.tokenizer.context_length()
    }

    /// The tokens of caption `kind` of a row, whose text is `text`.
    ///
    /// # Errors
    /// When the text cannot be tokenized, in words.
    pub fn of(&self, row: usize, kind: usize, text: &str) -> Result<Tokens, String> {
        let cell = &self.cells[row * self.n_kinds + kind];
        if let Some(tokens) = cell.get() {
            return Ok(Arc::clone(tokens));
        }
        let tokens = self.of_text(text)?;
        Ok(Arc::clone(cell.get_or_init(|| tokens)))
    }

    fn of_text(&self, text: &str) -> Result<Tokens, String> {
        // A thread that panicked inside left a map that is whole, or lacks one entry.
        if let Some(tokens) = self.texts.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(Arc::clone(tokens));
        }
        let ids = self.tokenizer.encode(text).map_err(|err| err.to_string())?;
        let narrow = |&id: &u32| u16::try_from(id).map_err(|_| format!("token id {id} has more than 16 bits"));
        let tokens: Tokens = ids[..text_length(&ids)].iter().map(narrow).collect::<Result<_, _>>()?;
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() >= self.capacity {
            // What repeats soon comes back; keeping track of use would cost more than it saves.
            texts.clear();
        }
        texts.insert(text.into(), Arc::clone(&tokens));
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::TableOptions;
    use shared_model::tokenizer::CLIP_MERGES_GZ;
    use std::path::Path;

    fn tokenizer() -> Tokenizer {
        Tokenizer::from_merges_gz(CLIP_MERGES_GZ, 16).unwrap()
    }

    fn tokens() -> CaptionTokens {
        let csv = "filename,truncated_caption,ontology_caption,visual_concept_caption,knowledge_masks\n\
                   a.png,nevus,scale,,\"[1, 1, 0]\"\nb.png,papule and scale,nevus,,\"[1, 1, 0]\"\n";
        let options = TableOptions { n_subcaptions: 0, ..TableOptions::default() };
        let table = TrainingTable::from_bytes(csv.as_bytes(), Path::new("t.csv"), &options).unwrap();
        CaptionTokens::new(tokenizer(), &table)
    }

    #[test]
    fn kept_tokens_are_those_of_the_tokenizer_without_padding() {
        let tokens = tokens();
        for (row, kind, text) in [(0, 0, "nevus"), (0, 1, "scale"), (1, 0, "papule and scale"), (0, 2, "nan")] {
            let expected = tokenizer().encode(text).unwrap();
            let kept: Vec<u32> = tokens.of(row, kind, text).unwrap().iter().map(|&id| id.into()).collect();
            assert_eq!(kept, expected[..text_length(&expected)], "{text}");
            assert!(kept.len() < 16 && expected[kept.len()..].iter().all(|&id| id == 0));
        }
    }

    #[test]
    fn a_caption_is_tokenized_once_and_equal_ones_share_their_tokens() {
        let mut tokens = tokens();
        tokens.capacity = 1;
        let first = tokens.of(0, 0, "nevus").unwrap();
        assert!(Arc::ptr_eq(&first, &tokens.of(1, 1, "nevus").unwrap()), "one text of two cells");
        tokens.of(1, 0, "papule and scale").unwrap();
        assert_eq!(tokens.texts.lock().unwrap().len(), 1);
        // The text of a known cell is not looked at again.
        assert!(Arc::ptr_eq(&first, &tokens.of(0, 0, "another text").unwrap()));
    }
}
