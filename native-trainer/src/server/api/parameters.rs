//! A request's named texts, whether they stand in its address or are fields of its form.

use std::str::FromStr;

use axum::http::Uri;
use shared_model::concepts::Concept;
use shared_model::labels::{ConceptTemplates, LabelSet, ReadLabels, Templates, concept_terms};

use crate::server::error::HttpError;
use crate::server::limits::Limits;

type Result<T> = std::result::Result<T, HttpError>;

/// The label set of a request that names none.
const DEFAULT_LABELS: &str = "pad";

/// Each is taken once; what is left at the end is one that this address does not know.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn from_query(uri: &Uri) -> Result<Self> {
        let query = uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::from_str(query)
            .map_err(|err| HttpError::malformed(format!("the address has a broken query: {err}")))?;
        Ok(Self(pairs))
    }

    pub(super) fn add(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }

    /// Every value of this name, in the order of the request.
    pub(super) fn all(&mut self, name: &str) -> Vec<String> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(known, _)| known == name);
        self.0 = left;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// The only value of this name, if there is one.
    pub(super) fn one(&mut self, name: &str) -> Result<Option<String>> {
        let mut values = self.all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            n => Err(HttpError::malformed(format!("`{name}` stands {n} times in the request, expected once"))),
        }
    }

    /// `top_k`, from 1 on.
    pub(super) fn top_k(&mut self, default: usize) -> Result<usize> {
        let Some(text) = self.one("top_k")? else { return Ok(default) };
        let top_k = text.parse().ok().filter(|&top_k| top_k >= 1);
        top_k.ok_or_else(|| HttpError::invalid(format!("`top_k` is {text:?}, expected a whole number from 1 on")))
    }

    /// A word that has a meaning, or the default one.
    pub(super) fn word<T: FromStr<Err = String> + Default>(&mut self, name: &str) -> Result<T> {
        let Some(text) = self.one(name)? else { return Ok(T::default()) };
        text.parse().map_err(|expected| HttpError::invalid(format!("`{name}` is {text:?}, expected {expected}")))
    }

    /// `labels` and every `template`. How many sentences they make is for [`check_prompts`], if they are to be encoded.
    pub(super) fn labels(&mut self, limits: &Limits) -> Result<(LabelSet, Templates)> {
        let text = self.one("labels")?.unwrap_or_else(|| DEFAULT_LABELS.to_owned());
        let labels = ReadLabels::from_key_or_text(&text)?.set;
        if labels.key == LabelSet::CUSTOM {
            check_texts("label", &labels.class_names, limits)?;
        }
        let templates = self.all("template");
        check_texts("template", &templates, limits)?;
        let templates = if templates.is_empty() { Templates::skin() } else { Templates::new(templates)? };
        Ok((labels, templates))
    }

    /// `concepts`: known ones bring their terms, other words stand for themselves, none means all that are known.
    pub(super) fn concepts(&mut self, limits: &Limits) -> Result<Vec<Concept>> {
        let mut known = concept_terms();
        let Some(text) = self.one("concepts")? else {
            return Ok(known.into_iter().map(|(name, terms)| Concept { name, terms }).collect());
        };
        let names = LabelSet::from_text(&text.to_lowercase())?.class_names;
        check_texts("concept", &names, limits)?;
        let concepts: Vec<_> = names
            .into_iter()
            .map(|name| Concept { terms: known.remove(&name).unwrap_or_else(|| vec![name.clone()]), name })
            .collect();
        let n_terms: usize = concepts.iter().map(|concept| concept.terms.len()).sum();
        check_prompts((n_terms + 1) * ConceptTemplates::skin().reference_prompts.len(), limits)?;
        Ok(concepts)
    }

    /// Every `text`.
    pub(super) fn texts(&mut self, limits: &Limits) -> Result<Vec<String>> {
        let texts = self.all("text");
        check_texts("text", &texts, limits)?;
        Ok(texts)
    }

    /// # Errors
    /// [`HttpError::Malformed`] names what was sent and not asked for.
    pub(super) fn finish(self) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(HttpError::malformed(format!("this address knows no parameter `{name}`"))),
        }
    }
}

/// Texts of one's own: not too many, none too long or empty.
pub(super) fn check_texts(kind: &str, texts: &[String], limits: &Limits) -> Result<()> {
    if texts.len() > limits.max_labels as usize {
        let (n, most) = (texts.len(), limits.max_labels);
        return Err(HttpError::invalid(format!("{n} {kind}s in one request, over the limit of {most}")));
    }
    let limit_bytes = limits.max_label_bytes as usize;
    match texts.iter().find(|text| text.trim().is_empty() || text.len() > limit_bytes) {
        None => Ok(()),
        Some(text) => {
            let n_bytes = text.trim().len();
            Err(HttpError::invalid(format!("a {kind} has {n_bytes} bytes, expected 1 to {limit_bytes}")))
        }
    }
}

/// Sentences to encode: not too many.
pub(super) fn check_prompts(n_prompts: usize, limits: &Limits) -> Result<()> {
    let most = limits.max_prompts;
    if n_prompts <= most as usize {
        return Ok(());
    }
    Err(HttpError::invalid(format!("{n_prompts} sentences to encode in one request, over the limit of {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        Parameters::from_query(&format!("/?{query}").parse().unwrap()).unwrap()
    }

    #[test]
    fn each_is_taken_once_and_none_is_left() {
        let mut given = parameters("top_k=3&text=a+b&text=%C3%A9&model=m");
        assert_eq!(given.top_k(5), Ok(3));
        assert_eq!(given.texts(&Limits::DEFAULT), Ok(vec!["a b".into(), "é".into()]));
        assert!(matches!(given.finish(), Err(HttpError::Malformed { what }) if what.contains("`model`")));
        assert!(matches!(parameters("top_k=1&top_k=2").top_k(5), Err(HttpError::Malformed { .. })));
        for top_k in ["0", "-1", "x", "1.5", ""] {
            assert!(matches!(parameters(&format!("top_k={top_k}")).top_k(5), Err(HttpError::Invalid { .. })));
        }
    }

    #[test]
    fn labels_are_a_known_set_or_ones_own() {
        let names = |query: &str| parameters(query).labels(&Limits::DEFAULT).map(|(labels, _)| labels.class_names);
        assert_eq!(names("").unwrap().len(), 6);
        assert_eq!(names("labels=f17k").unwrap().len(), 114);
        assert_eq!(names("labels=acne,+rosacea").unwrap(), ["acne", "rosacea"]);
        assert_eq!(names("labels=%5B%22a,b%22,%22c%22%5D").unwrap(), ["a,b", "c"]);
        assert_eq!(names("labels=F17K").unwrap().len(), 114);
        assert_eq!(names("labels=acne%3B+rosacea%3BAcne").unwrap(), ["acne", "rosacea"]);
        assert_eq!(names("labels=acne%0D%0Arosacea%0D%0A").unwrap(), ["acne", "rosacea"]);
        for bad in
            ["labels=", "labels=f17", "labels=a.txt", "labels=%5B1%5D", "labels=%5B%22a%22", "template=no+place"]
        {
            assert!(matches!(names(bad), Err(HttpError::Invalid { .. })), "{bad}");
        }
    }

    #[test]
    fn what_is_over_a_limit_is_refused() {
        let limits = Limits { max_labels: 2, max_label_bytes: 4, max_prompts: 12, ..Limits::DEFAULT };
        let is_refused = |query: &str| {
            let (mut labels, mut concepts) = (parameters(query), parameters(query));
            labels.labels(&limits).is_err() && concepts.concepts(&limits).is_err()
        };
        assert!(is_refused("labels=a,b,c&concepts=a,b,c"));
        assert!(is_refused("labels=abcde&concepts=abcde"));
        assert!(!is_refused("labels=a&concepts=a"));
        assert!(parameters("concepts=a,b").concepts(&limits).is_err(), "18 sentences");
        assert!(check_prompts(13, &limits).is_err() && check_prompts(12, &limits).is_ok());
        assert!(parameters("text=+").texts(&limits).is_err());
    }

    #[test]
    fn known_concepts_bring_their_terms() {
        let concepts = parameters("concepts=Bulla,tattoo").concepts(&Limits::DEFAULT).unwrap();
        assert_eq!(concepts[0].terms, ["bullae", "blister"]);
        assert_eq!(concepts[1].terms, ["tattoo"]);
        assert_eq!(parameters("").concepts(&Limits::DEFAULT).unwrap().len(), 64);
    }
}
