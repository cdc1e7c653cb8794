//! Label sets and prompt templates: the built-in ones of `static/`, and what a user types or brings in a file.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// Class names in label order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSet {
    /// `pad`, `f17k`, `snu`, `sd128`, or `custom`.
    pub key: String,
    /// For people.
    pub title: String,
    pub class_names: Vec<String>,
}

/// Most class names that one set may have.
pub const MAX_LABELS: usize = 10_000;
/// Longest class name or template, in bytes.
pub const MAX_LABEL_BYTES: usize = 1_000;

const BUILT_IN: [(&str, &str, &str); 4] = [
    ("pad", "PAD-UFES-20, 6 conditions", include_str!("../../static/labels/pad.json")),
    ("f17k", "Fitzpatrick17k, 114 conditions", include_str!("../../static/labels/f17k.json")),
    ("snu", "SNU, 134 conditions", include_str!("../../static/labels/snu.json")),
    ("sd128", "SD-128, 128 conditions", include_str!("../../static/labels/sd128.json")),
];

impl LabelSet {
    /// The key of a set that a user made.
    pub const CUSTOM: &'static str = "custom";

    /// The label sets of MAKE's benchmarks: PAD-UFES-20, Fitzpatrick17k, SNU-134, SD-128.
    pub fn built_in() -> Vec<Self> {
        let set = |(key, title, json): (&str, &str, &str)| Self {
            key: key.into(),
            title: title.into(),
            class_names: embedded(json),
        };
        BUILT_IN.map(set).into()
    }

    /// A built-in set by key.
    pub fn find(key: &str) -> Option<Self> {
        Self::built_in().into_iter().find(|set| set.key == key)
    }

    /// Names separated by commas or line ends, as a user types them.
    ///
    /// # Errors
    /// [`Error::Labels`] when there are none, two are the same, or one is too long.
    pub fn from_text(text: &str) -> Result<Self> {
        let names = text.split([',', '\n', '\r']).map(str::trim).filter(|name| !name.is_empty());
        Self::custom(names.map(String::from).collect())
    }

    /// A file's content: a JSON list of names, or one name a line.
    ///
    /// # Errors
    /// [`Error::Labels`] as [`Self::from_text`], and for JSON of another form.
    pub fn from_file_content(content: &str) -> Result<Self> {
        let is_json = content.trim_start().starts_with(['[', '{']);
        let names = if is_json {
            let not_a_list =
                |_| labels_error("label file", "a JSON list of strings, or one name a line", "other JSON");
            serde_json::from_str::<Vec<String>>(content).map_err(not_a_list)?
        } else {
            content.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect()
        };
        Self::custom(names)
    }

    fn custom(class_names: Vec<String>) -> Result<Self> {
        if class_names.is_empty() || class_names.len() > MAX_LABELS {
            let expected = format!("1 to {MAX_LABELS} names");
            return Err(labels_error("labels", &expected, &class_names.len().to_string()));
        }
        let mut seen = HashSet::new();
        for name in &class_names {
            if name.trim().is_empty() || name.len() > MAX_LABEL_BYTES {
                let expected = format!("1 to {MAX_LABEL_BYTES} bytes");
                return Err(labels_error("label", &expected, &format!("{} bytes", name.trim().len())));
            }
            if !seen.insert(name.as_str()) {
                return Err(labels_error("labels", "different names", &format!("{name:?} twice")));
            }
        }
        Ok(Self { key: Self::CUSTOM.into(), title: "Your own labels".into(), class_names })
    }
}

/// Sentences with one `{}` each, where the class name goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Templates(Vec<String>);

impl Templates {
    /// The eight skin templates of MAKE's zero-shot evaluation.
    pub fn skin() -> Self {
        Self(embedded(include_str!("../../static/prompts/skin_templates.json")))
    }

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
                    &format!("{template:?}"),
                ));
            }
        }
        Ok(Self(templates))
    }

    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Every template with the name in its place.
    pub fn prompts<'a>(&'a self, class_name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.0.iter().map(move |template| template.replacen("{}", class_name, 1))
    }
}

/// A clinical concept and the words for it.
pub type ConceptTerms = BTreeMap<String, Vec<String>>;

/// The 64 concepts and 120 terms of MAKE's concept annotation.
pub fn concept_terms() -> ConceptTerms {
    embedded(include_str!("../../static/prompts/concept_terms.json"))
}

/// Target templates and, for each, the same sentence without a concept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConceptTemplates {
    pub target_templates: Templates,
    pub reference_prompts: Vec<String>,
}

impl ConceptTemplates {
    /// The six pairs of MAKE's concept annotation.
    pub fn skin() -> Self {
        embedded(include_str!("../../static/prompts/concept_templates.json"))
    }
}

fn labels_error(what: &str, expected: &str, found: &str) -> Error {
    Error::Labels { what: what.into(), expected: expected.into(), found: found.into() }
}

fn embedded<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect("a file of static/ that the tests read too")
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
    fn typed_labels_are_split_and_checked() {
        let typed = LabelSet::from_text(" acne, psoriasis ,, eczema\n").unwrap();
        assert_eq!(typed.class_names, ["acne", "psoriasis", "eczema"]);
        for bad in ["", " , ", "acne, acne", &"x".repeat(MAX_LABEL_BYTES + 1)] {
            assert!(matches!(LabelSet::from_text(bad), Err(Error::Labels { .. })), "{bad:.20}");
        }
    }

    #[test]
    fn label_files_are_json_lists_or_lines() {
        assert_eq!(LabelSet::from_file_content("[\"a, b\", \"c\"]").unwrap().class_names, ["a, b", "c"]);
        assert_eq!(LabelSet::from_file_content("a, b\n\nc\r\n").unwrap().class_names, ["a, b", "c"]);
        assert!(LabelSet::from_file_content("{\"a\": 1}").is_err());
    }

    #[test]
    fn templates_want_one_place_for_the_label() {
        assert!(Templates::new(vec!["no place".into()]).is_err());
        assert!(Templates::new(vec!["{} and {}".into()]).is_err());
        let prompts: Vec<_> = Templates::new(vec!["a {}.".into()]).unwrap().prompts("x {}").collect();
        assert_eq!(prompts, ["a x {}."]);
    }
}
