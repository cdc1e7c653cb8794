//! Parameters of a request, from its query, its form or its JSON.

use std::str::FromStr;

use axum::http::Uri;
use dermake_models::scale::Scale;
use percent_encoding::percent_decode_str;
use shared_model::api::fields::{LABELS, PHOTO, SCALE, TEMPLATE, TOP_K};
use shared_model::concepts::{Concept, ReadConcepts, Typical};
use shared_model::labels::{ConceptTemplates, LabelSet, ReadLabels, Templates};
use shared_model::text_file::shortened;

use super::checks::{check_prompts, check_texts};
use crate::error::HttpError;
use crate::limits::Limits;

type Result<T> = std::result::Result<T, HttpError>;

/// Parameters that are texts to encode: one each time, or a list.
const TEXT: &str = "text";
const TEXTS: &str = "texts";

/// Least similarity of two names, from 0 to 1, for one to be suggested for the other.
const MIN_LIKENESS: f64 = 0.8;

/// Parameters by name. Each is read once; [`Parameters::finish`] refuses those that were not read.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    given: Vec<(String, Value)>,
    /// Names in the address.
    in_address: Vec<String>,
    /// Names that were read.
    known: Vec<&'static str>,
}

/// Value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// A number of a JSON body, as text.
    Number(String),
    /// A list of a JSON body.
    List(Vec<String>),
}

impl Parameters {
    pub(super) fn from_query(uri: &Uri) -> Result<Self> {
        let query = uri.query().unwrap_or_default();
        let is_utf8 = |pair: &&str| percent_decode_str(pair).decode_utf8().is_ok();
        if let Some(pair) = query.split('&').find(|pair| !is_utf8(pair)) {
            let name = pair.split('=').next().unwrap_or_default();
            return Err(HttpError::malformed(format!(
                "the address's parameter `{name}` is not UTF-8 once decoded"
            )));
        }
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|err| HttpError::malformed(format!("the address has a broken query: {err}")))?;
        let in_address = pairs.iter().map(|(name, _)| name.clone()).collect();
        let given = pairs.into_iter().map(|(name, value)| (name, Value::Text(value))).collect();
        Ok(Self { given, in_address, known: Vec::new() })
    }

    /// Adds a parameter of the body.
    ///
    /// # Errors
    /// [`HttpError::Malformed`] if the query has it too.
    pub(super) fn add(&mut self, name: String, value: Value) -> Result<()> {
        if self.in_address.contains(&name) {
            let name = shortened(&name);
            return Err(HttpError::malformed(format!(
                "`{name}` is in the address and in the body; give it in one of them"
            )));
        }
        self.given.push((name, value));
        Ok(())
    }

    fn take(&mut self, name: &'static str) -> Vec<Value> {
        self.known.push(name);
        let (taken, left) = std::mem::take(&mut self.given).into_iter().partition(|(given, _)| given == name);
        self.given = left;
        let taken: Vec<(String, Value)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// Every text of this name, in the order of the request.
    ///
    /// # Errors
    /// [`HttpError::Invalid`] for a number.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for value in self.take(name) {
            match value {
                Value::Text(text) => texts.push(text),
                Value::List(list) => texts.extend(list),
                Value::Number(number) => return Err(number_for_text(name, &number)),
            }
        }
        Ok(texts)
    }

    /// The only text of this name, if there is one.
    ///
    /// # Errors
    /// [`HttpError::Malformed`] when there are several, [`HttpError::Invalid`] for a number.
    pub(super) fn one(&mut self, name: &'static str) -> Result<Option<String>> {
        let mut texts = self.texts(name)?;
        match texts.len() {
            0 | 1 => Ok(texts.pop()),
            n => Err(HttpError::malformed(format!("`{name}` stands {n} times in the request, expected once"))),
        }
    }

    /// The only text or number of this name, as text, if there is one.
    fn one_value(&mut self, name: &'static str) -> Result<Option<String>> {
        match <[Value; 1]>::try_from(self.take(name)) {
            Ok([Value::Text(text) | Value::Number(text)]) => Ok(Some(text)),
            Err(none) if none.is_empty() => Ok(None),
            _ => Err(HttpError::malformed(format!("`{name}` is given several times, expected once"))),
        }
    }

    /// `scale`: a word, or the number 100.
    pub(super) fn scale(&mut self, default: Scale) -> Result<Scale> {
        let Some(text) = self.one_value(SCALE)? else { return Ok(default) };
        let invalid = |expected| HttpError::invalid(format!("`{SCALE}` is {text:?}, expected {expected}"));
        text.strip_suffix(".0").unwrap_or(&text).parse().map_err(invalid)
    }

    /// `top_k`, from 1 on.
    pub(super) fn top_k(&mut self, default: usize) -> Result<usize> {
        let Some(text) = self.one_value(TOP_K)? else { return Ok(default) };
        let invalid = || HttpError::invalid(format!("`{TOP_K}` is {text:?}, expected a whole number from 1 on"));
        whole_number(&text).filter(|&top_k| top_k >= 1).ok_or_else(invalid)
    }

    /// A word with a meaning, or the default.
    pub(super) fn word<T: FromStr<Err = String> + Default>(&mut self, name: &'static str) -> Result<T> {
        let Some(text) = self.one(name)? else { return Ok(T::default()) };
        let invalid = |expected| HttpError::invalid(format!("`{name}` is {text:?}, expected {expected}"));
        text.trim().to_ascii_lowercase().parse().map_err(invalid)
    }

    /// Reads `labels`, with warnings, and every `template`. [`check_prompts`] checks the number of sentences, if they
    /// must be encoded.
    pub(super) fn labels(&mut self, limits: &Limits) -> Result<(ReadLabels, Templates)> {
        let text = list_text(LABELS, self.take(LABELS))?.unwrap_or_else(|| LabelSet::DEFAULT.to_owned());
        let labels = ReadLabels::from_key_or_text(&text).map_err(|err| not_a_list(LABELS, &err))?;
        if labels.set.key == LabelSet::CUSTOM {
            check_texts(LABELS, "label", &labels.set.class_names, limits)?;
        }
        let templates = self.texts(TEMPLATE)?;
        check_texts(TEMPLATE, "template", &templates, limits)?;
        Ok((labels, Templates::given_or_skin(templates)?))
    }

    /// `concepts`, with warnings; without a value, all known concepts.
    pub(super) fn concepts(&mut self, limits: &Limits) -> Result<ReadConcepts> {
        const NAME: &str = "concepts";
        let read = match list_text(NAME, self.take(NAME))? {
            None => ReadConcepts { concepts: Concept::known(), warnings: Vec::new() },
            Some(text) => {
                let read = ReadConcepts::from_text(&text).map_err(|err| not_a_list(NAME, &err))?;
                let names: Vec<String> = read.concepts.iter().map(|concept| concept.name.clone()).collect();
                check_texts(NAME, "concept", &names, limits)?;
                read
            }
        };
        let n_terms: usize = read.concepts.iter().map(|concept| concept.terms.len()).sum();
        let n_prompts = (n_terms + 1) * ConceptTemplates::skin().reference_prompts.len();
        let n_concepts = read.concepts.len();
        let what = format!("`{NAME}`: {n_concepts} concepts are {n_prompts}");
        check_prompts(n_prompts, what, "send fewer concepts", limits)?;
        Ok(read)
    }

    /// Reads `typical_of`, the label whose typical concepts are marked, if it is given.
    pub(super) fn typical(&mut self) -> Result<Option<Typical>> {
        const NAME: &str = "typical_of";
        let Some(label) = self.one(NAME)? else { return Ok(None) };
        let invalid = |err| HttpError::invalid(format!("`{NAME}`: {err}"));
        Typical::of_typed(&label).map(Some).map_err(invalid)
    }

    /// Reads every `text`, or the list `texts`.
    ///
    /// # Errors
    /// [`HttpError::Invalid`] if both are given, since the order of the answer would not be clear.
    pub(super) fn all_texts(&mut self, limits: &Limits) -> Result<Vec<String>> {
        let (text, texts) = (self.texts(TEXT)?, self.text_list()?);
        if !text.is_empty() && !texts.is_empty() {
            return Err(HttpError::invalid("`text` and `texts` in one request, expected one of them"));
        }
        let (name, texts) = if text.is_empty() { (TEXTS, texts) } else { (TEXT, text) };
        check_texts(name, "text", &texts, limits)?;
        check_prompts(texts.len(), format!("`{name}`: {}", texts.len()), "send fewer texts", limits)?;
        Ok(texts)
    }

    /// Reads `texts`. A form and an address have no lists; there, one is written as JSON, since sentences have commas.
    fn text_list(&mut self) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for value in self.take(TEXTS) {
            match value {
                Value::List(list) => texts.extend(list),
                Value::Text(text) if text.trim_start().starts_with('[') => {
                    let no_list = |err| {
                        HttpError::invalid(format!(
                            "`{TEXTS}` begins like a JSON list of texts and is none: {err}; a text by itself is sent as \
                             `{TEXT}`"
                        ))
                    };
                    texts.extend(serde_json::from_str::<Vec<String>>(&text).map_err(no_list)?);
                }
                Value::Text(text) => texts.push(text),
                Value::Number(number) => return Err(number_for_text(TEXTS, &number)),
            }
        }
        Ok(texts)
    }

    /// # Errors
    /// [`HttpError::Malformed`] names the first unknown parameter, and the parameters of this address.
    pub(super) fn finish(self) -> Result<()> {
        let Some((name, _)) = self.given.first() else { return Ok(()) };
        let spelled = name.to_ascii_lowercase().replace('-', "_");
        let likeness = |known: &&&str| strsim::jaro_winkler(&spelled, known);
        let known: Vec<&str> = std::iter::once(PHOTO).chain(self.known).collect();
        let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let suggestion = match nearest.filter(|known| likeness(known) > MIN_LIKENESS) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => String::new(),
        };
        let known = known.join("`, `");
        Err(HttpError::malformed(format!(
            "this address knows no parameter `{}`{suggestion} (it takes `{known}`)",
            shortened(name)
        )))
    }
}

/// All values of a list parameter as one text: the only text, or a JSON list of the names in all of them. `None` if
/// there is no value.
fn list_text(name: &str, mut values: Vec<Value>) -> Result<Option<String>> {
    let is_key = |list: &[String]| list.len() == 1 && LabelSet::find(&list[0]).is_some();
    match values.pop() {
        None => return Ok(None),
        Some(Value::Text(text)) if values.is_empty() => return Ok(Some(text)),
        Some(Value::List(mut list)) if values.is_empty() && is_key(&list) => return Ok(list.pop()),
        Some(last) => values.push(last),
    }
    let mut names = Vec::new();
    for value in values {
        match value {
            Value::List(list) => names.extend(list),
            Value::Text(text) => {
                names.extend(LabelSet::from_text(&text).map_err(|err| not_a_list(name, &err))?.class_names);
            }
            Value::Number(number) => return Err(number_for_text(name, &number)),
        }
    }
    Ok(Some(serde_json::json!(names).to_string()))
}

fn not_a_list(name: &str, err: &shared_model::Error) -> HttpError {
    HttpError::invalid(format!("`{name}`: {err}"))
}

fn number_for_text(name: &str, number: &str) -> HttpError {
    HttpError::invalid(format!("`{name}` holds the number {number}, expected text"))
}

/// `5`, ` 5 ` and `5.0`.
fn whole_number(text: &str) -> Option<usize> {
    let text = text.trim();
    let by_fraction = || {
        let number = text.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
        (number < 2f64.powi(53)).then_some(number as usize)
    };
    text.parse().ok().or_else(by_fraction)
}

#[cfg(test)]
mod tests;
