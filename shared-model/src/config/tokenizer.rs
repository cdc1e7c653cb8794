//! How texts become `input_ids`, as far as a model's config says it.

use super::section::Section;
use crate::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How texts become `input_ids`; the vocabulary is in files of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenizerConfig {
    /// CLIP's byte-pair encoding as in open_clip, from the merges that every model of this kind shares.
    #[default]
    OpenClip,
    /// A tokenizer of transformers, from its files.
    Files {
        /// Hub repository that has the files, where they are not the model's own (`hf_tokenizer_name`).
        repository: Option<String>,
        /// What is done to a text before the tokenizer sees it.
        cleaning: TextCleaning,
        /// Whether separator tokens become padding (`strip_sep_token`).
        #[serde(default)]
        strips_separator: bool,
    },
}

/// What is done to a text before it is tokenized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextCleaning {
    /// Nothing (transformers).
    None,
    /// Repaired by ftfy, HTML unescaped, white space collapsed (open_clip before a tokenizer of transformers).
    Whitespace,
    /// As [`Whitespace`](Self::Whitespace), then in lower case (open_clip's own tokenizer).
    Lower,
    /// As [`Lower`](Self::Lower), with underscores as spaces and without punctuation (open_clip's SigLIP).
    Canonicalize,
}

impl TokenizerConfig {
    /// The tokenizer that transformers loads beside a model.
    pub fn transformers() -> Self {
        Self::Files { repository: None, cleaning: TextCleaning::None, strips_separator: false }
    }

    /// Reads `hf_tokenizer_name` and `tokenizer_kwargs` of open_clip's `text_cfg`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) naming the first field that cannot be honored.
    pub(super) fn from_open_clip(text: &Section) -> Result<Self> {
        let repository = text.typed::<String>("hf_tokenizer_name", "a repository's name")?;
        let options = text.get("tokenizer_kwargs").map(|_| text.section("tokenizer_kwargs")).transpose()?;
        let Some(repository) = repository.filter(|name| !name.is_empty()) else {
            let default_clean = |value: &Value| value == "lower";
            if let Some(options) = options {
                options.refuse_others(&[("clean", default_clean)])?;
            }
            return Ok(Self::OpenClip);
        };
        let mut cleaning = TextCleaning::Whitespace;
        let mut strips_separator = false;
        if let Some(options) = options {
            let expected = "\"whitespace\", \"lower\" or \"canonicalize\"";
            cleaning = match options.typed("clean", expected)?.unwrap_or(cleaning) {
                TextCleaning::None => return Err(options.error("clean", "none", expected)),
                known => known,
            };
            strips_separator = options.boolean("strip_sep_token", false)?;
            options.refuse_others(&[("clean", |_| true), ("strip_sep_token", |_| true)])?;
        }
        Ok(Self::Files { repository: Some(repository), cleaning, strips_separator })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use serde_json::json;

    fn read(text_cfg: Value) -> Result<TokenizerConfig> {
        TokenizerConfig::from_open_clip(&Section::new("text_cfg", &text_cfg)?)
    }

    #[test]
    fn open_clip_says_where_the_tokenizer_is_and_how_texts_are_cleaned() {
        assert_eq!(read(json!({})).unwrap(), TokenizerConfig::OpenClip);
        assert_eq!(read(json!({"hf_tokenizer_name": ""})).unwrap(), TokenizerConfig::OpenClip);
        let files = |cleaning, strips_separator| TokenizerConfig::Files {
            repository: Some("a/b".into()),
            cleaning,
            strips_separator,
        };
        assert_eq!(read(json!({"hf_tokenizer_name": "a/b"})).unwrap(), files(TextCleaning::Whitespace, false));
        let options = json!({"clean": "canonicalize", "strip_sep_token": true, "language": null});
        let found = read(json!({"hf_tokenizer_name": "a/b", "tokenizer_kwargs": options})).unwrap();
        assert_eq!(found, files(TextCleaning::Canonicalize, true));
    }

    #[test]
    fn what_cannot_be_honored_is_named() {
        for (name, options, expected) in [
            (json!("a/b"), json!({"clean": "upper"}), "text_cfg.tokenizer_kwargs.clean"),
            (json!("a/b"), json!({"clean": "none"}), "text_cfg.tokenizer_kwargs.clean"),
            (json!("a/b"), json!({"tokenizer_mode": "clips"}), "text_cfg.tokenizer_kwargs.tokenizer_mode"),
            (json!(null), json!({"clean": "canonicalize"}), "text_cfg.tokenizer_kwargs.clean"),
            (json!(3), json!({}), "text_cfg.hf_tokenizer_name"),
        ] {
            match read(json!({"hf_tokenizer_name": name, "tokenizer_kwargs": options})) {
                Err(Error::Config { field, .. }) => assert_eq!(field, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }
}
