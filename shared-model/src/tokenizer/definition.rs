//! `tokenizer.json`: the vocabulary in it, and whether its pipeline is one that the encoders here are equal to.

use super::settings::{add_token, json_object, refused};
use super::special::SpecialTokens;
use crate::{Error, Result};
use serde_json::Value;

const FILE: &str = "tokenizer.json";

/// The content of a `tokenizer.json`. Truncation and padding in it are not read: callers decide on both.
pub(super) struct Definition {
    root: Value,
}

impl Definition {
    pub(super) fn new(json: &[u8]) -> Result<Self> {
        Ok(Self { root: Value::Object(json_object(json, FILE)?) })
    }

    /// `BPE`, `WordPiece`, …; files of old versions do not say it.
    pub(super) fn model_type(&self) -> Option<&str> {
        let model = self.root.get("model")?;
        let known = model.get("type").and_then(Value::as_str);
        let by_fields = || {
            let has = |field| model.get(field).is_some();
            Some(if has("merges") {
                "BPE"
            } else if has("max_input_chars_per_word") {
                "WordPiece"
            } else {
                return None;
            })
        };
        known.or_else(by_fields)
    }

    /// A field of the model.
    pub(super) fn model(&self, field: &str) -> Option<&Value> {
        self.root.get("model")?.get(field).filter(|value| !value.is_null())
    }

    /// The normalizer, where there is one.
    pub(super) fn normalizer(&self) -> Option<&Value> {
        self.root.get("normalizer").filter(|value| !value.is_null())
    }

    /// The vocabulary by token.
    pub(super) fn vocab(&self) -> Result<impl Iterator<Item = (String, u32)>> {
        vocab(self.model("vocab"), FILE)
    }

    /// The tokens that are looked for in texts.
    pub(super) fn special_tokens(&self) -> Result<SpecialTokens> {
        let mut special = SpecialTokens::default();
        for token in self.root.get("added_tokens").and_then(Value::as_array).into_iter().flatten() {
            let id = token.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
            let id = id.ok_or_else(|| refused(FILE, "added_tokens", "tokens with ids", token))?;
            add_token(&mut special, FILE, token, id)?;
        }
        Ok(special)
    }

    /// The ids that the post-processor puts before and behind a text; `None` without one.
    pub(super) fn ends(&self) -> Result<Option<(u32, u32)>> {
        let Some(processor) = self.root.get("post_processor").filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let fail =
            || refused(FILE, "post_processor", "one that puts a token before and one behind a text", processor);
        let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
        let ends = match kind(processor) {
            // Each is `[token, id]`.
            "BertProcessing" | "RobertaProcessing" => {
                let id_of = |field| id(processor.get(field)?.get(1)?);
                id_of("cls").zip(id_of("sep"))
            }
            "TemplateProcessing" => {
                let token =
                    |index: usize| processor.get("single")?.get(index)?.pointer("/SpecialToken/id")?.as_str();
                let id_of = |name: &str| id(processor.get("special_tokens")?.get(name)?.get("ids")?.get(0)?);
                let is_between = processor.pointer("/single/1/Sequence").is_some();
                let has_more = processor.pointer("/single/3").is_some();
                let ends = token(0).and_then(id_of).zip(token(2).and_then(id_of));
                ends.filter(|_| is_between && !has_more)
            }
            _ => None,
        };
        ends.ok_or_else(fail).map(Some)
    }

    /// # Errors
    /// [`Error::Vocabulary`] if the pipeline before the model is not BERT's.
    pub(super) fn check_is_bert(&self) -> Result<()> {
        self.check_steps("normalizer", "normalizers", &["BertNormalizer"])?;
        self.check_steps("pre_tokenizer", "pretokenizers", &["BertPreTokenizer"])?;
        let prefix = self.model("continuing_subword_prefix");
        if let Some(other) = prefix.filter(|prefix| !prefix.is_string()) {
            return Err(refused(FILE, "model.continuing_subword_prefix", "a text", other));
        }
        Ok(())
    }

    /// # Errors
    /// [`Error::Vocabulary`] if the pipeline or the model is not that of transformers' CLIP.
    pub(super) fn check_is_clip(&self) -> Result<()> {
        self.check_steps("normalizer", "normalizers", &["NFC", "Replace", "Lowercase"])?;
        self.check_steps("pre_tokenizer", "pretokenizers", &["Split", "ByteLevel"])?;
        let pattern = self.root.pointer("/pre_tokenizer/pretokenizers/0/pattern/Regex").and_then(Value::as_str);
        let clip_pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
        if !pattern.is_some_and(|pattern| pattern.ends_with(clip_pattern)) {
            return Err(refused(FILE, "pre_tokenizer.pattern", "CLIP's", pattern.unwrap_or("none")));
        }
        if self.model("end_of_word_suffix").is_none_or(|suffix| suffix != super::byte_pairs::END_OF_WORD) {
            let found = self.model("end_of_word_suffix").map_or("none".into(), Value::to_string);
            return Err(refused(FILE, "model.end_of_word_suffix", "\"</w>\"", found));
        }
        for field in ["dropout", "continuing_subword_prefix", "byte_fallback", "ignore_merges", "fuse_unk"] {
            let is_off = |value: &Value| *value == false || *value == "" || *value == 0.0;
            if let Some(other) = self.model(field).filter(|value| !is_off(value)) {
                return Err(refused(FILE, &format!("model.{field}"), "none", other));
            }
        }
        Ok(())
    }

    /// Refuses a part of the pipeline whose steps are not `expected`.
    fn check_steps(&self, part: &str, list: &str, expected: &[&str]) -> Result<()> {
        let value = self.root.get(part).unwrap_or(&Value::Null);
        let steps: Vec<&str> = match value.get(list).and_then(Value::as_array) {
            Some(steps) => steps.iter().map(kind).collect(),
            None => vec![kind(value)],
        };
        match steps == expected {
            true => Ok(()),
            false => Err(refused(FILE, part, &expected.join(", "), steps.join(", "))),
        }
    }
}

/// A vocabulary as a JSON object of ids, or as a list in the order of ids.
///
/// # Errors
/// [`Error::Vocabulary`] if it is neither.
pub(super) fn vocab(value: Option<&Value>, file: &str) -> Result<impl Iterator<Item = (String, u32)>> {
    let fail =
        || Error::Vocabulary { detail: format!("the vocabulary in {file} is not an object of tokens and ids") };
    let tokens: Option<Vec<(String, u32)>> = match value {
        Some(Value::Object(ids)) => {
            ids.iter().map(|(token, id)| Some((token.clone(), u32::try_from(id.as_u64()?).ok()?))).collect()
        }
        Some(Value::Array(tokens)) => {
            tokens.iter().zip(0..).map(|(token, id)| Some((token.as_str()?.to_owned(), id))).collect()
        }
        _ => None,
    };
    tokens.filter(|tokens| !tokens.is_empty()).map(Vec::into_iter).ok_or_else(fail)
}

/// The `type` of a part.
fn kind(value: &Value) -> &str {
    value.get("type").and_then(Value::as_str).unwrap_or("none")
}
