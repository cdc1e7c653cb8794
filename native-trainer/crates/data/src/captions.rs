//! Captions to `input_ids`, with a cache of distinct texts.

use shared_model::Result;
use shared_model::tokenizer::Tokenizer;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Number of cached texts; with 77 ids each they take about 30 MB.
const CAPACITY: usize = 65_536;

/// A tokenizer for several threads with a cache, since ontology captions and missing captions repeat.
pub(super) struct CaptionEncoder {
    tokenizer: Tokenizer,
    known: Mutex<HashMap<Box<str>, Arc<[u32]>>>,
    capacity: usize,
}

impl CaptionEncoder {
    pub fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer, known: Mutex::default(), capacity: CAPACITY }
    }

    /// Context length L.
    pub fn context_length(&self) -> usize {
        self.tokenizer.context_length()
    }

    /// The `input_ids` of a text, `[L]`.
    ///
    /// # Errors
    /// Those of [`Tokenizer::encode`].
    pub fn encode(&self, text: &str) -> Result<Arc<[u32]>> {
        // A thread that panicked inside left a map that is whole, or lacks one entry.
        if let Some(ids) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(Arc::clone(ids));
        }
        let ids: Arc<[u32]> = self.tokenizer.encode(text)?.into();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.capacity {
            // What repeats soon comes back; keeping track of use would cost more than it saves.
            known.clear();
        }
        known.insert(text.into(), Arc::clone(&ids));
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::tokenizer::CLIP_MERGES_GZ;

    #[test]
    fn remembered_ids_are_those_of_the_tokenizer_and_their_number_is_bounded() {
        let tokenizer = || Tokenizer::from_merges_gz(CLIP_MERGES_GZ, 16).unwrap();
        let mut encoder = CaptionEncoder::new(tokenizer());
        encoder.capacity = 2;
        for text in ["nevus", "", "scale", "nevus", "nevus", "", "papule and scale"] {
            assert_eq!(*encoder.encode(text).unwrap(), tokenizer().encode(text).unwrap()[..], "{text}");
            assert!(encoder.known.lock().unwrap().len() <= 2);
        }
        let (first, second) =
            (encoder.encode("papule and scale").unwrap(), encoder.encode("papule and scale").unwrap());
        assert!(Arc::ptr_eq(&first, &second));
    }
}
