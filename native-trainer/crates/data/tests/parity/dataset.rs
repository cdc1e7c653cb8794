//! The training table: the ids and masks that the reference's dataset returns.

use crate::fixtures;
use candle_core::{DType, Tensor};
use dermake_data::{Loader, LoaderOptions, SampleSource, TableOptions, TrainingTable};
use shared_model::config::PreprocessConfig;
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use std::collections::HashMap;
use std::sync::Arc;

/// A run of the reference and the options that ask for the same.
fn runs() -> Vec<(String, TableOptions)> {
    let description = fixtures::json("dataset/dataset.json");
    let runs = description["runs"].as_object().unwrap();
    let options = |arguments: &serde_json::Value| TableOptions {
        n_subcaptions: match arguments["use_subcaptions"].as_bool().unwrap() {
            true => arguments["num_subcaptions"].as_u64().unwrap() as usize,
            false => 0,
        },
        ..TableOptions::default()
    };
    runs.iter().map(|(name, run)| (name.clone(), options(&run["arguments"]))).collect()
}

fn table(options: &TableOptions) -> TrainingTable {
    TrainingTable::read(&fixtures::path("dataset/train.csv"), options).unwrap()
}

fn tokenizer(expected: &Tensor) -> Tokenizer {
    let context_length = *expected.dims().last().unwrap();
    Tokenizer::from_merges_gz(CLIP_MERGES_GZ, context_length).unwrap()
}

fn ids(expected: &HashMap<String, Tensor>, name: &str) -> Tensor {
    expected[name].to_dtype(DType::I64).unwrap()
}

#[test]
fn captions_and_masks_are_those_of_the_reference() {
    let expected = fixtures::tensors("dataset/dataset.safetensors");
    for (run, options) in runs() {
        let (table, expected_ids) = (table(&options), ids(&expected, &format!("{run}.ids")));
        let tokenizer = tokenizer(&expected_ids);
        let expected_ids: Vec<Vec<Vec<i64>>> = expected_ids.to_vec3().unwrap();
        let expected_masks: Vec<Vec<f32>> = expected[&format!("{run}.caption_mask")].to_vec2().unwrap();
        assert_eq!(table.len(), expected_ids.len(), "{run}");
        for (index, (ids, mask)) in expected_ids.iter().zip(&expected_masks).enumerate() {
            let row = table.row(index);
            assert_eq!(row.captions.len(), ids.len(), "{run}");
            for (caption, ids) in row.captions.iter().zip(ids) {
                let ours: Vec<i64> = tokenizer.encode(caption).unwrap().into_iter().map(i64::from).collect();
                assert_eq!(ours, *ids, "{run}, row {index}: {caption:?}");
            }
            let ours: Vec<f32> = row.mask.iter().map(|&is_valid| f32::from(u8::from(is_valid))).collect();
            assert_eq!(ours, *mask, "{run}, row {index}");
        }
    }
}

#[test]
fn texts_are_those_of_the_reference() {
    let description = fixtures::json("dataset/dataset.json");
    let table = table(&TableOptions::default());
    for (index, texts) in description["strings_as_tokenised"].as_array().unwrap().iter().enumerate() {
        let texts: Vec<&str> = texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        assert_eq!(table.row(index).captions[..texts.len()], texts);
    }
}

#[test]
fn the_caption_alone_is_the_plain_data_set() {
    let expected = fixtures::tensors("dataset/dataset.safetensors");
    let expected = ids(&expected, "plain.ids");
    let (table, tokenizer) = (table(&TableOptions::default()), tokenizer(&expected));
    for (index, ids) in expected.to_vec2::<i64>().unwrap().iter().enumerate() {
        let ours = tokenizer.encode(table.row(index).captions[0]).unwrap();
        assert_eq!(ours.into_iter().map(i64::from).collect::<Vec<_>>(), *ids);
    }
}

#[test]
fn a_loader_reads_the_same_table_with_its_images() {
    let expected = fixtures::tensors("dataset/dataset.safetensors");
    let (run, options) = runs().pop().unwrap();
    let expected_ids = ids(&expected, &format!("{run}.ids"));
    let (n_rows, n_captions, context_length) = expected_ids.dims3().unwrap();
    let source = SampleSource::new(
        table(&options),
        fixtures::path("preprocess/images"),
        tokenizer(&expected_ids),
        PreprocessConfig::openai(32),
    );
    let options = LoaderOptions { batch_size: n_rows, max_bad_share: 1.0, ..LoaderOptions::default() };
    let mut loader = Loader::evaluation(Arc::new(source), &options).unwrap();
    let batch = loader.next_batch().unwrap().unwrap();
    assert_eq!(batch.pixels.dims(), [batch.rows.len(), 3, 32, 32]);
    assert_eq!(batch.captions.rows.len(), batch.rows.len() * n_captions);
    let expected_ids: Vec<i64> = expected_ids.flatten_all().unwrap().to_vec1().unwrap();
    let row_len = n_captions * context_length;
    for (sample, &row) in batch.rows.iter().enumerate() {
        let padded = |kind: usize| {
            let ids = &batch.input_ids[batch.captions.row(sample, kind)];
            ids.iter().copied().map(i64::from).chain(std::iter::repeat(0)).take(context_length)
        };
        let ours: Vec<i64> = (0..n_captions).flat_map(padded).collect();
        assert_eq!(ours, expected_ids[row * row_len..][..row_len], "row {row}");
    }
    assert!(loader.next_batch().unwrap().is_none());
}
