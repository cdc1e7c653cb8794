//! Warns of texts that a model does not read to their end. Texts that differ only there have the same feature.

use shared_model::labels::{LabelSet, Templates};
use shared_model::zero_shot::Classifier;
use shared_model::{Result, ZeroShotModel};

/// Letters of a text that the warning shows.
const MAX_SHOWN: usize = 60;

/// As [`ZeroShotModel::classifier`], with a warning of prompts that are cut.
///
/// # Errors
/// As [`ZeroShotModel::classifier`].
pub fn classifier(
    model: &ZeroShotModel,
    labels: &LabelSet,
    templates: &Templates,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Classifier> {
    warn_of_cut(model, &Classifier::prompts(&labels.class_names, templates));
    model.classifier(labels, templates, progress)
}

/// Warns if some of the texts to encode are longer than the model's context.
pub fn warn_of_cut(model: &ZeroShotModel, texts: &[String]) {
    // What cannot be tokenized is refused by what encodes it.
    let cut = model.cut_texts(texts).unwrap_or_default();
    if let Some(warning) = warning(&cut, texts.len(), model.config.text.context_length) {
        tracing::warn!("{warning}");
    }
}

fn warning(cut: &[&str], n_texts: usize, context_length: usize) -> Option<String> {
    let first = shortened(cut.first()?);
    Some(format!(
        "{} of {n_texts} texts are longer than the {context_length} tokens that the model reads, start and end \
         included; it does not see what is behind them. The first such text: {first:?}",
        cut.len()
    ))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warning_counts_the_texts_and_shows_the_beginning_of_the_first() {
        assert_eq!(warning(&[], 3, 77), None);
        let long = "ä".repeat(MAX_SHOWN + 1);
        let warning = warning(&[long.as_str(), "another"], 3, 77).unwrap();
        assert!(warning.starts_with("2 of 3 texts are longer than the 77 tokens"), "{warning}");
        assert!(warning.ends_with(&format!(": \"{}…\"", "ä".repeat(MAX_SHOWN))), "{warning}");
        assert_eq!(shortened("a mole"), "a mole");
    }
}
