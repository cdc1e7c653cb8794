//! A quantized model with one of its files replaced by the input; the first byte chooses the file.

use crate::Parts;
use bytes::Bytes;
use shared_model::ZeroShotModel;
use shared_model::manifest::Manifest;
use shared_model::tokenizer::Tokenizer;
use shared_model::weights::Placement;
use std::collections::BTreeMap;

/// Loads the model of the seeds with one of its files replaced by the input after its first byte.
pub(super) fn run(input: &[u8]) {
    let Some((&which, bytes)) = input.split_first() else { return };
    let mut parts = Parts::good();
    parts.replace(which, bytes);
    let Ok(manifest) = Manifest::from_json(&parts.manifest) else { return };
    let placement = Placement::default();
    let model = ZeroShotModel::from_quantized(
        &manifest,
        Bytes::copy_from_slice(&parts.vision),
        Bytes::copy_from_slice(&parts.classifiers),
        placement,
    );
    let Ok(mut model) = model else { return };
    let merges = Bytes::copy_from_slice(&parts.merges_gz);
    let tokenizer = BTreeMap::from([(Tokenizer::MERGES_FILE.to_string(), merges)]);
    let _ = model.add_text(Bytes::copy_from_slice(&parts.text), &tokenizer);
}
