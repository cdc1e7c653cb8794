//! The files of a head.

use super::head::{Epoch, Head};
use anyhow::Result;
use dermake_features::Identity;
use dermake_files::hash;
use dermake_files::output::replace_file;
use dermake_files::text_file;
use dermake_sheets::Sheet;
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

/// Folder of a trained tower and its head, in that of the result.
pub const TUNED_FOLDER: &str = "tuned";
/// The head as `torch.nn.Linear` stores it.
const HEAD_FILE: &str = "head.safetensors";
/// Its classes in order, and the model that it belongs to.
const ABOUT_FILE: &str = "head.json";
const HISTORY_FILE: &str = "history.csv";
/// The files of a head. The one by which a folder is known comes last.
pub const HEAD_FILES: [&str; 3] = [HEAD_FILE, HISTORY_FILE, ABOUT_FILE];

/// A head to write, and how it came about.
pub struct WrittenHead<'a> {
    pub head: &'a Head,
    pub epochs: &'a [Epoch],
    /// Place of the epoch that it is of; `None` for what was there before the first.
    pub best_epoch: Option<usize>,
    pub class_names: &'a [String],
    /// The model whose features it takes.
    pub identity: &'a Identity,
}

/// What the head on a model's features is called in reports.
pub fn head_name(model: &str) -> String {
    format!("{model}-head")
}

/// What a model's trained tower with its head is called in reports.
pub fn tuned_name(model: &str) -> String {
    format!("{model}-tuned")
}

/// The model whose features a head in a folder takes; `None` if there is no head.
pub fn model_of(folder: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct About {
        model: String,
        #[serde(rename = "head_sha256")]
        _head_sha256: String,
    }
    let path = folder.join(ABOUT_FILE);
    let text = path.is_file().then(|| text_file::read(&path).ok())??;
    serde_json::from_str::<About>(&text).ok().map(|about| about.model)
}

/// Writes the head as PyTorch's `Linear` of the unit image features, its classes, and the losses of its epochs.
///
/// # Errors
/// When a file cannot be written.
pub fn write_head(written: &WrittenHead<'_>, out: &Path) -> Result<()> {
    let WrittenHead { head, epochs, best_epoch, class_names, identity } = written;
    let file = head_file(head)?;
    replace_file(&out.join(HEAD_FILE), &file)?;
    let about = serde_json::json!({
        "classes": class_names,
        "features": "image features of unit length",
        "model": identity.model_name,
        "model_sha256": identity.model_sha256,
        // Of the head: a run that was killed between the two files leaves a head of other classes beside these.
        "head_sha256": hash::sha256(&file),
        "best_epoch": best_epoch.map_or(0, |epoch| epoch + 1),
    });
    replace_file(&out.join(ABOUT_FILE), &serde_json::to_vec_pretty(&about)?)?;
    let mut history = Sheet::default();
    let column = |of: fn(&Epoch) -> f64| epochs.iter().map(|epoch| Some(of(epoch))).collect();
    history.numbers("epoch", (1..=epochs.len()).map(|epoch| Some(epoch as f64)).collect());
    history.numbers("train_loss", column(|epoch| epoch.train_loss));
    history.numbers("validation_loss", column(|epoch| epoch.validation_loss));
    history.write(&out.join(HISTORY_FILE))
}

/// Returns the hash of a head with the model below it, whose own answers are others.
///
/// # Errors
/// When the head cannot be serialized.
pub fn sha256_with_model(head: &Head, model_sha256: &str) -> Result<String> {
    Ok(hash::sha256(format!("{model_sha256}{}", hash::sha256(head_file(head)?))))
}

fn head_file(Head { weight, bias }: &Head) -> Result<Vec<u8>> {
    let bytes =
        |values: Vec<f64>| values.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect::<Vec<u8>>();
    let (n_values, n_classes) = weight.dim();
    let weight = bytes(weight.t().iter().copied().collect());
    let bias = bytes(bias.to_vec());
    let tensors = [
        ("weight", TensorView::new(Dtype::F32, vec![n_classes, n_values], &weight)?),
        ("bias", TensorView::new(Dtype::F32, vec![n_classes], &bias)?),
    ];
    // One entry only: the header writes a map's entries in no fixed order.
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    Ok(safetensors::serialize(tensors, Some(metadata))?)
}
