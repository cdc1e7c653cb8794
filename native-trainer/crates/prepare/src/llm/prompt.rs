//! What the language model is asked, and the form of its answer.

use crate::lexicon::Lexicon;
use serde_json::{Value, json};

/// Most tokens of an answer.
pub const MAX_ANSWER_TOKENS: u32 = 700;

/// The rules, in the paper's sense: only what the caption says, with the words that say it.
const RULES: &str = "You read captions of skin photos. Answer with JSON only.

condition: the diagnosis that the caption asserts for this photo, or null.
- Use the caption's own words; add nothing. \"name\" is the usual name of the disease in lower case, without body site,
  severity or cause; \"evidence\" is copied from the caption, character by character.
- A diagnosis that is negated, suspected, asked about, listed as a differential, or of the history or of somebody else
  is not asserted. If two are asserted, take the one that the photo shows.
- Words for how the skin looks (red, itchy, inflamed) are no diagnosis.

concepts: every finding of the list below that the caption says is visible. \"name\" is from the list; \"evidence\" is
copied from the caption. The name of a disease is no finding. A finding that the caption says is absent belongs to
negated.

negated: findings of the list that the caption says are absent, with their evidence.

The list: ";

/// Builds the requests for one model.
pub struct Prompt {
    model: String,
    rules: String,
    concepts: Vec<String>,
}

impl Prompt {
    pub fn new(model: &str, lexicon: &Lexicon) -> Self {
        let concepts = lexicon.concepts.clone();
        Self { model: model.to_owned(), rules: format!("{RULES}{}", concepts.join(", ")), concepts }
    }

    /// The request for a caption; `refused` are terms of an earlier answer that the caption does not support.
    pub fn request(&self, caption: &str, refused: &[String]) -> Value {
        let mut user = format!("Caption:\n{caption}");
        if !refused.is_empty() {
            let terms = refused.join(", ");
            user += &format!(
                "\n\nAn earlier answer had terms that the caption does not assert: {terms}. Leave them out."
            );
        }
        json!({
            "model": self.model,
            "temperature": 0,
            "max_tokens": MAX_ANSWER_TOKENS,
            "messages": [
                {"role": "system", "content": self.rules},
                {"role": "user", "content": user},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "aspects", "strict": true, "schema": self.schema()},
            },
        })
    }

    /// Estimated tokens of a request: four characters of English are about one.
    pub fn n_tokens(&self, caption: &str) -> u64 {
        let schema = self.schema().to_string().len();
        ((self.rules.len() + schema + caption.len()) as u64).div_ceil(4) + 20
    }

    fn schema(&self) -> Value {
        let finding = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "enum": self.concepts},
                "evidence": {"type": "string"},
            },
            "required": ["name", "evidence"],
            "additionalProperties": false,
        });
        let condition = json!({
            "type": ["object", "null"],
            "properties": {"name": {"type": "string"}, "evidence": {"type": "string"}},
            "required": ["name", "evidence"],
            "additionalProperties": false,
        });
        json!({
            "type": "object",
            "properties": {
                "condition": condition,
                "concepts": {"type": "array", "items": finding},
                "negated": {"type": "array", "items": finding},
            },
            "required": ["condition", "concepts", "negated"],
            "additionalProperties": false,
        })
    }
}
