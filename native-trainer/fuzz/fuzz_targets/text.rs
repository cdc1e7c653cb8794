//! A caption or a label: cleaned and tokenized.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_model::text_cleaning::clean;
use shared_model::tokenizer::{CLIP_CONTEXT_LENGTH, CLIP_MERGES_GZ, CLIP_VOCAB_SIZE, Tokenizer};
use std::sync::LazyLock;

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| {
    Tokenizer::from_merges_gz(CLIP_MERGES_GZ, CLIP_CONTEXT_LENGTH).expect("the program's own merges")
});

fuzz_target!(init: { LazyLock::force(&TOKENIZER); }, |text: &str| {
    let Ok(cleaned) = clean(text) else { return };
    assert!(!cleaned.contains("  ") && cleaned.trim() == cleaned, "{cleaned:?}");
    let input_ids = TOKENIZER.encode(text).expect("what can be cleaned can be tokenized");
    assert_eq!(input_ids.len(), CLIP_CONTEXT_LENGTH);
    assert!(input_ids.iter().all(|&id| (id as usize) < CLIP_VOCAB_SIZE));
});
