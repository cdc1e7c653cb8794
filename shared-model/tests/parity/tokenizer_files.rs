//! Tokenizers of transformers, from their files: every id exactly the reference's.

use crate::fixtures;
use crate::towers::{read_config, read_weights};
use bytes::Bytes;
use candle_core::{DType, Tensor};
use serde_json::{Value, json};
use shared_model::Error;
use shared_model::config::{TextCleaning, TokenizerConfig};
use shared_model::text_cleaning::MAX_TEXT_BYTES;
use shared_model::tokenizer::Tokenizer;
use std::collections::BTreeMap;

type Files = BTreeMap<String, Bytes>;

/// The tokenizer files of a folder, as a hub would serve them.
fn tokenizer_files(folder: &str) -> Files {
    let names = fixtures::names(folder).into_iter().filter(|name| Tokenizer::FILE_NAMES.contains(&name.as_str()));
    names.map(|name| (name.clone(), fixtures::read(&format!("{folder}/{name}")).into())).collect()
}

fn without(mut files: Files, names: &[&str]) -> Files {
    files.retain(|name, _| !names.contains(&name.as_str()));
    files
}

fn cleaned(cleaning: TextCleaning) -> TokenizerConfig {
    TokenizerConfig::Files { repository: None, cleaning, strips_separator: false }
}

fn build(files: &Files, cleaning: TextCleaning, context_length: usize) -> Tokenizer {
    Tokenizer::from_files(files, &cleaned(cleaning), context_length).unwrap_or_else(|err| panic!("{err}"))
}

fn texts(cases: &Value) -> Vec<String> {
    let cases = cases.as_array().expect("a list of cases");
    cases.iter().map(|case| case.get("text").unwrap_or(case).as_str().expect("a text").to_owned()).collect()
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("a list of ids")
}

fn rows(tensor: &Tensor) -> Vec<Vec<u32>> {
    tensor.to_dtype(DType::U32).unwrap().to_vec2().unwrap()
}

/// Says of every row that differs which text it is of.
fn assert_rows(name: &str, tokenizer: &Tokenizer, texts: &[String], expected: &[Vec<u32>]) {
    assert_eq!(texts.len(), expected.len(), "{name}");
    for (text, expected) in texts.iter().zip(expected) {
        assert_eq!(&tokenizer.encode(text).unwrap(), expected, "{name}: {text:?}");
    }
    assert_eq!(tokenizer.encode_batch(texts).unwrap(), expected, "{name}");
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn clip_of_transformers_has_the_ids_of_the_reference() {
    let cases = fixtures::json("towers/hf_clip/tokenizer/cases.json");
    let texts = texts(&cases["cases"]);
    let expected: Vec<_> = cases["cases"].as_array().unwrap().iter().map(|case| ids(&case["ids"])).collect();
    let files = tokenizer_files("towers/hf_clip/tokenizer");
    let two_files = without(files.clone(), &["tokenizer.json"]);
    let one_file = without(files.clone(), &["vocab.json", "merges.txt", "tokenizer_config.json"]);
    for (name, files) in [("all", files), ("vocab.json", two_files), ("tokenizer.json", one_file)] {
        let tokenizer = build(&files, TextCleaning::None, expected[0].len());
        assert_rows(name, &tokenizer, &texts, &expected);
        let found = json!([tokenizer.vocab_size(), tokenizer.start_id(), tokenizer.end_id(), tokenizer.pad_id()]);
        assert_eq!(found, json!([cases["vocab_size"], cases["start"], cases["end"], cases["pad"]]), "{name}");
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn bert_has_the_ids_of_the_reference_with_and_without_cleaning() {
    let cases = fixtures::json("towers/tokenizer_bert/cases.json");
    let expected = fixtures::tensors("towers/tokenizer_bert/ids.safetensors");
    let texts = texts(&cases["cases"]);
    let files = tokenizer_files("towers/tokenizer_bert");
    for (name, cleaning) in [
        ("ids", TextCleaning::Whitespace),
        ("ids_context77", TextCleaning::Whitespace),
        ("ids_without_cleaning", TextCleaning::None),
    ] {
        let expected = rows(&expected[name]);
        let tokenizer = build(&files, cleaning, expected[0].len());
        assert_rows(name, &tokenizer, &texts, &expected);
        let special = &cases["special_ids"];
        let found = json!([tokenizer.pad_id(), tokenizer.start_id(), tokenizer.end_id()]);
        assert_eq!(found, json!([special["pad"], special["cls"], special["sep"]]));
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn bert_counts_the_tokens_that_are_not_cut() {
    let cases = fixtures::json("towers/tokenizer_bert/cases.json");
    let context_length = cases["context_length"].as_u64().unwrap() as usize;
    let tokenizer = build(&tokenizer_files("towers/tokenizer_bert"), TextCleaning::Whitespace, context_length);
    for case in cases["cases"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let n_all = case["tokens_without_limit"].as_u64().unwrap() as usize;
        assert_eq!(tokenizer.n_tokens(text).unwrap(), n_all - 2, "{text:?}");
        let n_pads =
            tokenizer.encode(text).unwrap().iter().rev().take_while(|&&id| id == tokenizer.pad_id()).count();
        assert_eq!(n_pads, (tokenizer.max_tokens() + 2).saturating_sub(n_all), "{text:?}");
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_trained_bert_reads_the_same_ids() {
    let case = fixtures::json("towers/bert_real/case.json");
    let expected = rows(&fixtures::tensors("towers/bert_real/io.safetensors")["input_ids"]);
    let tokenizer = build(&tokenizer_files("towers/tokenizer_bert"), TextCleaning::None, expected[0].len());
    assert_rows("bert_real", &tokenizer, &texts(&case["texts"]), &expected);
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn siglip_has_the_ids_of_both_references() {
    let cases = fixtures::json("towers/siglip_tokenizer/cases.json");
    let files = tokenizer_files("towers/siglip_tokenizer");
    let texts = texts(&cases["cases"]);
    let context_length = cases["context"].as_u64().unwrap() as usize;
    for (key, cleaning) in [("ids_transformers", TextCleaning::None), ("ids_open_clip", TextCleaning::Canonicalize)]
    {
        let expected: Vec<_> = cases["cases"].as_array().unwrap().iter().map(|case| ids(&case[key])).collect();
        for files in [files.clone(), without(files.clone(), &["tokenizer_config.json"])] {
            let tokenizer = build(&files, cleaning, context_length);
            assert_rows(key, &tokenizer, &texts, &expected);
            assert_eq!((tokenizer.start_id(), tokenizer.max_tokens()), (None, context_length - 1));
        }
    }
}

/// Every case of a model that has texts, with the files of its tokenizer and what cleans its texts.
#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn models_have_the_ids_that_their_towers_were_given() {
    let mut n_cases = 0;
    for folder in fixtures::model_folders() {
        let case = fixtures::json(&format!("{folder}/case.json"));
        if case["texts"].is_null() {
            continue;
        }
        let config = read_config(&folder, &read_weights(&folder)).unwrap().tokenizer;
        let expected = rows(&fixtures::tensors(&format!("{folder}/io.safetensors"))["input_ids"]);
        let tokenizer = Tokenizer::from_files(&files_of(&folder, &case), &config, expected[0].len()).unwrap();
        // Rows with ids of no token are of towers alone.
        let is_known = |row: &Vec<u32>| row.iter().all(|&id| (id as usize) < tokenizer.vocab_size());
        let rows = texts(&case["texts"]).into_iter().zip(expected).filter(|(_, row)| is_known(row));
        let (texts, expected): (Vec<_>, Vec<_>) = rows.unzip();
        assert_rows(&folder, &tokenizer, &texts, &expected);
        assert!(texts.len() > 2, "{folder}: {} texts", texts.len());
        n_cases += 1;
    }
    assert!(n_cases > 4, "{n_cases} cases");
}

/// The tokenizer of a model: its own, or the one that its case names, or that of the real BERT.
fn files_of(folder: &str, case: &Value) -> Files {
    let own = tokenizer_files(folder);
    if own.keys().any(|name| !name.ends_with("_config.json")) {
        return own;
    }
    let Some(relative) = case["tokenizer"].as_str() else { return tokenizer_files("towers/tokenizer_bert") };
    let mut path: Vec<&str> = folder.split('/').collect();
    for part in relative.split('/') {
        match part {
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    tokenizer_files(&path.join("/"))
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn what_a_definition_says_of_lengths_is_overridden() {
    let folder = first_with_definition();
    let mut files = without(tokenizer_files(&folder), &["vocab.txt"]);
    let plain = build(&files, TextCleaning::Whitespace, 12);
    let mut definition: Value = serde_json::from_slice(&files["tokenizer.json"]).unwrap();
    definition["truncation"] =
        json!({"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0});
    definition["padding"] = json!({
        "strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    });
    files.insert("tokenizer.json".into(), definition.to_string().into());
    let text = "melanoma on the skin of a man";
    assert_eq!(build(&files, TextCleaning::Whitespace, 12).encode(text).unwrap(), plain.encode(text).unwrap());
    assert_eq!(plain.encode(text).unwrap().len(), 12);
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn vocabulary_and_definition_are_one_tokenizer() {
    let files = tokenizer_files(&first_with_definition());
    let texts = texts(&fixtures::json("towers/tokenizer_bert/cases.json")["cases"]);
    let by_vocabulary = build(&without(files.clone(), &["tokenizer.json"]), TextCleaning::None, 32);
    let by_definition = build(&without(files, &["vocab.txt"]), TextCleaning::None, 32);
    assert_eq!(by_vocabulary.encode_batch(&texts).unwrap(), by_definition.encode_batch(&texts).unwrap());
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn separators_are_stripped_where_the_config_says_so() {
    let files = tokenizer_files("towers/tokenizer_bert");
    let config =
        TokenizerConfig::Files { repository: None, cleaning: TextCleaning::Whitespace, strips_separator: true };
    let stripping = Tokenizer::from_files(&files, &config, 8).unwrap();
    let plain = build(&files, TextCleaning::Whitespace, 8);
    let expected: Vec<u32> = plain
        .encode("mole [SEP] scar")
        .unwrap()
        .into_iter()
        .map(|id| if id == plain.end_id() { 0 } else { id })
        .collect();
    assert_eq!(stripping.encode("mole [SEP] scar").unwrap(), expected);
}

/// The first model with a BERT tokenizer in both forms.
fn first_with_definition() -> String {
    let has = |folder: &str, file: &str| fixtures::names(folder).iter().any(|name| name == file);
    let mut folders = fixtures::model_folders().into_iter();
    folders.find(|folder| has(folder, "tokenizer.json") && has(folder, "vocab.txt")).expect("a model with both")
}

fn error_of(files: &Files) -> String {
    match Tokenizer::from_files(files, &cleaned(TextCleaning::None), 16) {
        Ok(_) => panic!("the files were accepted"),
        Err(Error::Vocabulary { detail }) => detail,
        Err(other) => other.to_string(),
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn files_that_are_missing_damaged_or_foreign_are_named() {
    assert!(error_of(&Files::new()).contains("has no tokenizer"));
    let bert = tokenizer_files("towers/tokenizer_bert");
    assert!(error_of(&without(bert.clone(), &["vocab.txt"])).contains("vocab.txt is missing"));
    let with = |files: &Files, name: &str, content: &str| {
        let mut files = files.clone();
        files.insert(name.into(), content.to_owned().into());
        error_of(&files)
    };
    assert!(with(&bert, "vocab.txt", "[PAD]\n[UNK]\n[SEP]\n").contains("[CLS]"));
    assert!(with(&bert, "vocab.txt", "<!DOCTYPE html><html>").contains("vocab.txt"));
    assert!(with(&bert, "tokenizer_config.json", "{").contains("tokenizer_config.json"));
    for (field, value) in [
        ("tokenizer_class", json!("RobertaTokenizer")),
        ("do_lower_case", json!("yes")),
        ("padding_side", json!("left")),
        ("truncation_side", json!("left")),
    ] {
        let found = with(&bert, "tokenizer_config.json", &json!({ field: value }).to_string());
        assert!(found.contains(field), "{found}");
    }
    let clip = without(tokenizer_files("towers/hf_clip/tokenizer"), &["tokenizer.json"]);
    assert!(with(&clip, "merges.txt", "#version: 0.2\ni n\n").contains("cut short"));
    let siglip = tokenizer_files("towers/siglip_tokenizer");
    assert!(with(&siglip, "spiece.model", "version https://git-lfs").contains("SentencePiece"));
    let model = &siglip["spiece.model"];
    for len in [0, 1, model.len() / 2] {
        let mut files = siglip.clone();
        files.insert("spiece.model".into(), model.slice(..len));
        let _ = error_of(&files);
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn pipelines_that_are_not_honored_are_named() {
    let clip = without(tokenizer_files("towers/hf_clip/tokenizer"), &["vocab.json", "merges.txt"]);
    for (pointer, value, expected) in [
        ("/normalizer", json!({"type": "NFKC"}), "normalizer"),
        ("/pre_tokenizer/pretokenizers/0/pattern/Regex", json!("\\w+"), "pattern"),
        ("/model/end_of_word_suffix", json!(null), "end_of_word_suffix"),
        ("/model/byte_fallback", json!(true), "byte_fallback"),
        ("/model/merges", json!([["a"]]), "merges"),
        ("/model/vocab", json!({"a": -1}), "vocabulary"),
        ("/post_processor", json!({"type": "ByteLevel"}), "post_processor"),
        ("/added_tokens/0/single_word", json!(true), "single_word"),
    ] {
        let mut files = clip.clone();
        let mut definition: Value = serde_json::from_slice(&files["tokenizer.json"]).unwrap();
        *definition.pointer_mut(pointer).unwrap() = value;
        files.insert("tokenizer.json".into(), definition.to_string().into());
        let found = error_of(&files);
        assert!(found.contains(expected), "{pointer}: {found}");
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_text_over_the_limit_is_refused_by_every_tokenizer() {
    let too_long = "a".repeat(MAX_TEXT_BYTES + 1);
    for folder in ["towers/tokenizer_bert", "towers/siglip_tokenizer", "towers/hf_clip/tokenizer"] {
        let tokenizer = build(&tokenizer_files(folder), TextCleaning::None, 16);
        assert!(matches!(tokenizer.encode(&too_long), Err(Error::TextTooLong { .. })), "{folder}");
        assert_eq!(tokenizer.encode(&too_long[1..]).unwrap().len(), 16, "{folder}");
    }
}
