//! Tokenizer: cleaned texts, token counts and ids, all exactly the reference's.

use crate::fixtures;
use shared_model::text_cleaning::{MAX_TEXT_BYTES, clean};
use shared_model::tokenizer::{CLIP_CONTEXT_LENGTH, CLIP_MERGES_GZ, CLIP_VOCAB_SIZE, Tokenizer};
use shared_model::{Error, Result};
use wasm_bindgen_test::wasm_bindgen_test;

fn clip_tokenizer(context_length: usize) -> Tokenizer {
    Tokenizer::from_merges_gz(CLIP_MERGES_GZ, context_length).unwrap()
}

/// The fixture's cases: text, what it is cleaned to, number of tokens before truncation, ids.
struct Cases {
    context_length: usize,
    start: u32,
    end: u32,
    vocab_size: usize,
    cases: Vec<Case>,
}

struct Case {
    label: String,
    text: String,
    cleaned: String,
    n_tokens: usize,
    ids: Vec<u32>,
}

fn read_cases() -> Cases {
    let json = fixtures::json("tokenizer/cases.json");
    let number = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let string = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let ids = &fixtures::tensors("tokenizer/ids.safetensors")["ids"];
    let ids: Vec<Vec<i64>> = ids.to_dtype(candle_core::DType::I64).unwrap().to_vec2().unwrap();
    let cases = json["cases"].as_array().unwrap();
    assert_eq!(cases.len(), ids.len(), "texts and rows of ids");
    let cases = cases.iter().zip(ids).map(|(case, ids)| Case {
        label: format!("case {} ({})", case["i"], case["category"]),
        text: string(&case["text"]),
        cleaned: string(&case["cleaned"]),
        n_tokens: number(&case["n_tokens"]),
        ids: ids.into_iter().map(|id| u32::try_from(id).unwrap()).collect(),
    });
    Cases {
        context_length: number(&json["context_length"]),
        start: number(&json["sot"]) as u32,
        end: number(&json["eot"]) as u32,
        vocab_size: number(&json["vocab_size"]),
        cases: cases.collect(),
    }
}

/// Fails with every case that differs, not only the first.
fn assert_all_equal<T: PartialEq + std::fmt::Debug>(
    cases: &[Case],
    ours: impl Fn(&Case) -> T,
    theirs: impl Fn(&Case) -> T,
) {
    let differing: Vec<String> = cases
        .iter()
        .filter(|case| ours(case) != theirs(case))
        .map(|case| {
            format!("{}: {:?}\n  ours   {:?}\n  theirs {:?}", case.label, case.text, ours(case), theirs(case))
        })
        .collect();
    assert!(differing.is_empty(), "{} of {} differ\n{}", differing.len(), cases.len(), differing.join("\n"));
}

#[wasm_bindgen_test(unsupported = test)]
fn the_vocabulary_is_clips() {
    let cases = read_cases();
    let tokenizer = clip_tokenizer(CLIP_CONTEXT_LENGTH);
    assert_eq!(tokenizer.vocab_size(), CLIP_VOCAB_SIZE);
    assert_eq!(tokenizer.vocab_size(), cases.vocab_size);
    assert_eq!((tokenizer.start_id(), tokenizer.end_id()), (Some(cases.start), cases.end));
}

#[wasm_bindgen_test(unsupported = test)]
fn cleaned_texts_are_the_references() {
    assert_all_equal(&read_cases().cases, |case| clean(&case.text).unwrap(), |case| case.cleaned.clone());
}

#[wasm_bindgen_test(unsupported = test)]
fn token_counts_are_the_references() {
    let cases = read_cases();
    let tokenizer = clip_tokenizer(cases.context_length);
    assert_all_equal(&cases.cases, |case| tokenizer.n_tokens(&case.text).unwrap(), |case| case.n_tokens);
}

#[wasm_bindgen_test(unsupported = test)]
fn ids_are_the_references() {
    let cases = read_cases();
    let tokenizer = clip_tokenizer(cases.context_length);
    assert_all_equal(&cases.cases, |case| tokenizer.encode(&case.text).unwrap(), |case| case.ids.clone());
}

#[wasm_bindgen_test(unsupported = test)]
fn long_text_is_refused() {
    let tokenizer = clip_tokenizer(CLIP_CONTEXT_LENGTH);
    let longest = "ab ".repeat(MAX_TEXT_BYTES / 3);
    assert_eq!(tokenizer.encode(&longest).unwrap().len(), CLIP_CONTEXT_LENGTH);
    let too_long = "x".repeat(MAX_TEXT_BYTES + 1);
    let refused = |result: Result<()>| matches!(result, Err(Error::TextTooLong { .. }));
    assert!(refused(tokenizer.encode(&too_long).map(drop)));
    assert!(refused(tokenizer.n_tokens(&too_long).map(drop)));
    assert!(refused(tokenizer.encode_batch(&["ok", &too_long]).map(drop)));
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;
    use shared_model::tokenizer::PAD_ID;
    use std::sync::LazyLock;

    static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| clip_tokenizer(CLIP_CONTEXT_LENGTH));

    /// Any characters, and the ones cleaning looks at, which chance alone would rarely put together.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "[ -~]{0,20}",
            "[\u{80}-\u{ff}ŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™ ]{0,12}",
            "&#?[xX]?[0-9A-Za-z]{0,12};?",
            "\u{1b}\\[[0-9;]{0,4}[a-zA-Z]?",
            Just("<start_of_text>".to_owned()),
            Just("<end_of_text>".to_owned()),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_text_becomes_one_row(text in texts()) {
            let ids = TOKENIZER.encode(&text).unwrap();
            prop_assert_eq!(ids.len(), CLIP_CONTEXT_LENGTH);
            prop_assert_eq!(Some(ids[0]), TOKENIZER.start_id());
            prop_assert!(ids.iter().all(|&id| (id as usize) < CLIP_VOCAB_SIZE));
            let n_kept = TOKENIZER.n_tokens(&text).unwrap().min(CLIP_CONTEXT_LENGTH - 2);
            prop_assert_eq!(ids[1 + n_kept], TOKENIZER.end_id());
            prop_assert!(ids[2 + n_kept..].iter().all(|&id| id == PAD_ID));
        }

        #[test]
        fn cleaned_text_is_lower_case_with_single_spaces(text in texts()) {
            let cleaned = clean(&text).unwrap();
            prop_assert_eq!(&cleaned, &cleaned.to_lowercase());
            prop_assert_eq!(&cleaned, &cleaned.split_whitespace().collect::<Vec<_>>().join(" "));
        }

        #[test]
        fn damaged_merges_are_an_error_or_a_vocabulary(at in 0..CLIP_MERGES_GZ.len(), byte in any::<u8>()) {
            let mut damaged = CLIP_MERGES_GZ[..at.max(1)].to_vec();
            damaged[at / 2] = byte;
            let _ = Tokenizer::from_merges_gz(&damaged, CLIP_CONTEXT_LENGTH);
        }
    }
}
