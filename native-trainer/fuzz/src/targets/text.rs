//! A caption or a label: cleaned and tokenized.

use super::check::{self, Check};
use shared_model::text_cleaning::clean;
use shared_model::tokenizer::{CLIP_CONTEXT_LENGTH, CLIP_MERGES_GZ, CLIP_VOCAB_SIZE, Tokenizer};

/// A check with a tokenizer, which is made once.
pub(super) fn prepare() -> Check {
    let tokenizer =
        Tokenizer::from_merges_gz(CLIP_MERGES_GZ, CLIP_CONTEXT_LENGTH).expect("the program's own merges");
    Box::new(move |input| run(&tokenizer, input))
}

fn run(tokenizer: &Tokenizer, input: &[u8]) {
    let text = check::text(input);
    let Ok(cleaned) = clean(text) else { return };
    assert!(!cleaned.contains("  ") && cleaned.trim() == cleaned, "{cleaned:?}");
    let input_ids = tokenizer.encode(text).expect("what can be cleaned can be tokenized");
    assert_eq!(input_ids.len(), CLIP_CONTEXT_LENGTH);
    assert!(input_ids.iter().all(|&id| (id as usize) < CLIP_VOCAB_SIZE));
}
