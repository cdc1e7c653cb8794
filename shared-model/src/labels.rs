//! Label sets and prompt templates: the built-in ones, typed ones and those of files.

mod columns;
mod json;
mod reading;
mod spelling;
mod split;
mod warning;

pub use reading::{ReadLabels, is_file_name, is_near};
pub use spelling::{cleaned, spelling_key};
pub use warning::LabelWarning;

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// Class names in label order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LabelSet {
    /// `pad`, `f17k`, `snu`, `sd128`, or `custom`.
    pub key: String,
    /// Title for people.
    pub title: String,
    /// The labels, in label order.
    pub class_names: Vec<String>,
}

/// Most class names of one set.
pub const MAX_LABELS: usize = 10_000;
/// Longest class name or template, in bytes.
pub const MAX_LABEL_BYTES: usize = 1_000;

const BUILT_IN: [(&str, &str, &str); 4] = [
    ("pad", "PAD-UFES-20, 6 conditions", include_str!("../data/labels/pad.json")),
    ("f17k", "Fitzpatrick17k, 114 conditions", include_str!("../data/labels/f17k.json")),
    ("snu", "SNU, 134 conditions", include_str!("../data/labels/snu.json")),
    ("sd128", "SD-128, 128 conditions", include_str!("../data/labels/sd128.json")),
];

impl LabelSet {
    /// The key of every set that is not built in.
    pub const CUSTOM: &'static str = "custom";
    /// The key of the set that answers where nobody names labels.
    pub const DEFAULT: &'static str = "pad";

    /// Returns the keys of the built-in sets.
    pub fn keys() -> [&'static str; 4] {
        BUILT_IN.map(|(key, ..)| key)
    }

    /// Returns the label sets of MAKE's benchmarks: PAD-UFES-20, Fitzpatrick17k, SNU-134, SD-128.
    pub fn built_in() -> Vec<Self> {
        let set = |(key, title, json): (&str, &str, &str)| Self {
            key: key.into(),
            title: title.into(),
            class_names: embedded(json),
        };
        BUILT_IN.map(set).into()
    }

    /// Returns the built-in set of a key, in any case and punctuation: `F17K`, `SD-128`.
    pub fn find(key: &str) -> Option<Self> {
        let index = built_in_index(key)?;
        Self::built_in().into_iter().nth(index)
    }

    /// Returns the text that [`ReadLabels::from_key_or_text`] reads as this set.
    pub fn to_text(&self) -> String {
        if self.key == Self::CUSTOM { serde_json::json!(self.class_names).to_string() } else { self.key.clone() }
    }

    /// Takes class names whose order and number matter, as in a benchmark. Two spellings of one name are an error.
    ///
    /// # Errors
    /// [`Error::Labels`] as [`Self::from_text`], and when two names are the same.
    pub fn from_class_names(class_names: Vec<String>) -> Result<Self> {
        check_names(&class_names)?;
        let mut seen = HashMap::new();
        for name in &class_names {
            if let Some(first) = seen.insert(spelling_key(name), name) {
                let found =
                    if first == name { format!("{name:?} twice") } else { format!("{first:?} and {name:?}") };
                return Err(labels_error("labels", "different names", &found));
            }
        }
        Ok(Self { key: Self::CUSTOM.into(), title: "Your own labels".into(), class_names })
    }
}

/// Returns the index of a set in [`BUILT_IN`].
fn built_in_index(key: &str) -> Option<usize> {
    let key = key.trim().replace(['-', '_', ' '], "");
    BUILT_IN.iter().position(|(known, ..)| key.eq_ignore_ascii_case(known))
}

/// # Errors
/// [`Error::Labels`] when there are none or too many, or one is empty or too long.
fn check_names(names: &[String]) -> Result<()> {
    if names.is_empty() {
        // Without a number: the server allows fewer than [`MAX_LABELS`].
        return Err(labels_error("labels", "at least one name", "0"));
    }
    if names.len() > MAX_LABELS {
        return Err(labels_error("labels", &format!("1 to {MAX_LABELS} names"), &names.len().to_string()));
    }
    for (at, name) in names.iter().enumerate() {
        let n_bytes = name.trim().len();
        if n_bytes == 0 || name.len() > MAX_LABEL_BYTES {
            let what = format!("label {} of {}", at + 1, names.len());
            let expected = format!("at most {MAX_LABEL_BYTES} bytes");
            return Err(match n_bytes {
                0 => labels_error(&what, "a name", "an empty one"),
                _ => labels_error(&what, &expected, &format!("{n_bytes} bytes")),
            });
        }
    }
    Ok(())
}

/// Sentences with one `{}` each, for the class name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Templates(Vec<String>);

impl Templates {
    /// Returns the eight skin templates of MAKE's zero-shot evaluation.
    pub fn skin() -> Self {
        Self(embedded(include_str!("../data/prompts/skin_templates.json")))
    }

    /// Takes templates.
    ///
    /// # Errors
    /// [`Error::Labels`] when there is none, or one does not have exactly one `{}`.
    pub fn new(templates: Vec<String>) -> Result<Self> {
        if templates.is_empty() {
            return Err(labels_error("templates", "at least one", "none"));
        }
        for template in &templates {
            if template.matches("{}").count() != 1 || template.len() > MAX_LABEL_BYTES {
                return Err(labels_error(
                    "template",
                    "a sentence with one {} for the label",
                    &format!("{template:?}; write {{}} where the label goes"),
                ));
            }
        }
        Ok(Self(templates))
    }

    /// Returns the templates that somebody gave, or [`Self::skin`] where there are none.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn given_or_skin(templates: Vec<String>) -> Result<Self> {
        if templates.is_empty() { Ok(Self::skin()) } else { Self::new(templates) }
    }

    /// Returns the templates.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Returns every template with the class name inserted.
    pub fn prompts<'a>(&'a self, class_name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.0.iter().map(move |template| template.replacen("{}", class_name, 1))
    }
}

/// The terms of clinical concepts, by the name of the concept.
pub type ConceptTerms = BTreeMap<String, Vec<String>>;

/// Returns the 64 concepts and 120 terms of MAKE's concept annotation.
pub fn concept_terms() -> &'static ConceptTerms {
    static TERMS: LazyLock<ConceptTerms> =
        LazyLock::new(|| embedded(include_str!("../data/prompts/concept_terms.json")));
    &TERMS
}

/// Templates with a concept and, for each, the same sentence without it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConceptTemplates {
    /// The templates, K of them.
    pub target_templates: Templates,
    /// The sentences without a concept, K of them.
    pub reference_prompts: Vec<String>,
}

impl ConceptTemplates {
    /// Returns the six pairs of MAKE's concept annotation.
    pub fn skin() -> Self {
        embedded(include_str!("../data/prompts/concept_templates.json"))
    }
}

fn labels_error(what: &str, expected: &str, found: &str) -> Error {
    Error::Labels { what: what.into(), expected: expected.into(), found: found.into() }
}

fn embedded<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect("the tests parse every file of data/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_sets_have_their_published_sizes() {
        let sizes: Vec<_> = LabelSet::built_in().into_iter().map(|set| (set.key, set.class_names.len())).collect();
        let expected = [("pad", 6), ("f17k", 114), ("snu", 134), ("sd128", 128)];
        assert_eq!(sizes, expected.map(|(key, n)| (key.to_string(), n)));
        assert_eq!(Templates::skin().as_slice().len(), 8);
        assert_eq!((concept_terms().len(), concept_terms().values().flatten().count()), (64, 120));
        let concepts = ConceptTemplates::skin();
        assert_eq!(concepts.target_templates.as_slice().len(), concepts.reference_prompts.len());
    }

    #[test]
    fn built_in_sets_are_found_in_any_case() {
        for (typed, key) in [("F17K", "f17k"), ("Pad", "pad"), (" snu ", "snu"), ("SD-128", "sd128")] {
            assert_eq!(LabelSet::find(typed).unwrap().key, key);
        }
        assert!(LabelSet::find("padd").is_none() && LabelSet::find("").is_none());
    }

    #[test]
    fn a_set_is_written_so_that_it_is_read_back() {
        let own = ["SJS, TEN; or both", "\"scaly\" plaque", "1. nevus"].map(String::from);
        let own = LabelSet::from_class_names(own.into()).unwrap();
        for set in LabelSet::built_in().into_iter().chain([own]) {
            assert_eq!(ReadLabels::from_key_or_text(&set.to_text()).unwrap().set, set);
        }
    }

    #[test]
    fn class_names_keep_their_order_and_must_differ() {
        let names =
            |names: &[&str]| LabelSet::from_class_names(names.iter().map(|name| name.to_string()).collect());
        assert_eq!(names(&["b, c", "a"]).unwrap().class_names, ["b, c", "a"]);
        for (bad, expected) in
            [(&["a", "b", "a"][..], "\"a\" twice"), (&["Acne", "b", "acne "], "\"Acne\" and \"acne \"")]
        {
            assert!(names(bad).unwrap_err().to_string().contains(expected));
        }
        assert!(
            names(&[]).is_err()
                && names(&[" "]).is_err()
                && names(&["x".repeat(MAX_LABEL_BYTES + 1).as_str()]).is_err()
        );
    }

    #[test]
    fn built_in_sets_have_no_name_twice() {
        for set in LabelSet::built_in() {
            assert!(LabelSet::from_class_names(set.class_names).is_ok(), "{}", set.key);
        }
    }

    #[test]
    fn templates_want_one_place_for_the_label() {
        assert_eq!(Templates::given_or_skin(Vec::new()).unwrap(), Templates::skin());
        assert!(Templates::given_or_skin(vec!["a photo".into()]).is_err());
        let wrong = Templates::new(vec!["a photo of {label}".into()]).unwrap_err().to_string();
        assert!(wrong.ends_with("found \"a photo of {label}\"; write {} where the label goes"), "{wrong}");
        assert!(Templates::new(vec!["{} and {}".into()]).is_err());
        let prompts: Vec<_> = Templates::new(vec!["a {}.".into()]).unwrap().prompts("x {}").collect();
        assert_eq!(prompts, ["a x {}."]);
    }
}
