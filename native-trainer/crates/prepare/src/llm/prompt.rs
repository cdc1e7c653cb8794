//! What the language model is asked, and the form of its answer.

use crate::lexicon::Lexicon;
use serde::Serialize;

/// Most tokens of an answer.
pub const MAX_ANSWER_TOKENS: u32 = 700;

/// Most findings and most absent findings of an answer. Small models repeat a finding until their tokens are used up.
const MAX_FINDINGS: usize = 16;
const MAX_NEGATED: usize = 8;

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

The form, for the caption \"Scaly ring of tinea on the arm, no pustules.\": {\"condition\": {\"name\": \"tinea\",
\"evidence\": \"tinea\"}, \"concepts\": [{\"name\": \"scale\", \"evidence\": \"Scaly\"}], \"negated\": [{\"name\": \"pustule\",
\"evidence\": \"no pustules\"}]}. Name each finding once. Without a diagnosis, condition is null; a list without findings
is [].

The list: ";

/// Whether a service holds the model to the form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With a JSON schema.
    Schema,
    /// The rules describe it only, for services without schemas.
    Described,
}

/// Builds the requests for one model.
pub struct Prompt {
    model: String,
    rules: String,
    concepts: Vec<String>,
}

/// A request as it is sent. The fields of schemas are structs, so that they keep their order: a model that is held to a
/// schema writes the fields in it.
#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    temperature: u8,
    max_tokens: u32,
    messages: [Message<'a>; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: Object<AspectsSchema<'a>>,
}

#[derive(Serialize)]
struct Object<P> {
    r#type: Kind,
    properties: P,
    required: &'static [&'static str],
    #[serde(rename = "additionalProperties")]
    additional_properties: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Kind {
    Object(&'static str),
    ObjectOrNull([&'static str; 2]),
}

#[derive(Serialize)]
struct List<'a> {
    r#type: &'static str,
    items: Object<TermSchema<'a>>,
    #[serde(rename = "maxItems")]
    max_items: usize,
}

#[derive(Serialize)]
struct AspectsSchema<'a> {
    condition: Object<TermSchema<'a>>,
    concepts: List<'a>,
    negated: List<'a>,
}

#[derive(Serialize)]
struct TermSchema<'a> {
    name: Text<'a>,
    evidence: Text<'a>,
}

#[derive(Serialize)]
struct Text<'a> {
    r#type: &'static str,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    one_of: Option<&'a [String]>,
}

impl<P> Object<P> {
    fn new(r#type: Kind, properties: P, required: &'static [&'static str]) -> Self {
        Self { r#type, properties, required, additional_properties: false }
    }
}

impl Prompt {
    pub fn new(model: &str, lexicon: &Lexicon) -> Self {
        let concepts = lexicon.concepts.clone();
        Self { model: model.to_owned(), rules: format!("{RULES}{}", concepts.join(", ")), concepts }
    }

    /// The request for a caption as JSON; `refused` are terms of an earlier answer that the caption does not support.
    ///
    /// # Errors
    /// Only if it cannot be written.
    pub fn request(&self, caption: &str, refused: &[String], form: Form) -> serde_json::Result<String> {
        let mut user = format!("Caption:\n{caption}");
        if !refused.is_empty() {
            let terms = refused.join(", ");
            user += &format!(
                "\n\nAn earlier answer had terms that the caption does not assert: {terms}. Leave them out."
            );
        }
        let json_schema = || JsonSchema { name: "aspects", strict: true, schema: self.schema() };
        serde_json::to_string(&Request {
            model: &self.model,
            temperature: 0,
            max_tokens: MAX_ANSWER_TOKENS,
            messages: [Message { role: "system", content: &self.rules }, Message { role: "user", content: &user }],
            response_format: (form == Form::Schema)
                .then(|| ResponseFormat { r#type: "json_schema", json_schema: json_schema() }),
        })
    }

    /// Estimated tokens of a request: four characters of English are about one.
    pub fn n_tokens(&self, caption: &str) -> u64 {
        let request = self.request(caption, &[], Form::Schema).unwrap_or_default();
        (request.len() as u64).div_ceil(4)
    }

    fn schema(&self) -> Object<AspectsSchema<'_>> {
        let text = |one_of| Text { r#type: "string", one_of };
        let term = |r#type, names| {
            let properties = TermSchema { name: text(names), evidence: text(None) };
            Object::new(r#type, properties, &["name", "evidence"])
        };
        let findings = |max_items| List {
            r#type: "array",
            items: term(Kind::Object("object"), Some(self.concepts.as_slice())),
            max_items,
        };
        let properties = AspectsSchema {
            condition: term(Kind::ObjectOrNull(["object", "null"]), None),
            concepts: findings(MAX_FINDINGS),
            negated: findings(MAX_NEGATED),
        };
        Object::new(Kind::Object("object"), properties, &["condition", "concepts", "negated"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_the_condition_first_and_lists_that_end() {
        let lexicon = Lexicon::new(None);
        let prompt = Prompt::new("m", &lexicon);
        let request = prompt.request("Scaly plaque.", &[], Form::Schema).unwrap();
        let schema = &request[request.find("\"schema\"").unwrap()..];
        let at = |key: &str| schema.find(key).unwrap_or_else(|| panic!("{key} in {schema}"));
        assert!(at("\"condition\":{") < at("\"concepts\":{") && at("\"concepts\":{") < at("\"negated\":{"));
        assert!(at("\"name\":{") < at("\"evidence\":{") && at("\"maxItems\":16") < at("\"maxItems\":8"));
        let described = prompt.request("Scaly plaque.", &[], Form::Described).unwrap();
        assert!(!described.contains("response_format") && described.contains("The form,"));
    }
}
