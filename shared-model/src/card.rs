//! The model card: what people should know of a model before they use it (Mitchell et al., arXiv 1810.03993).

use crate::calibration::Figure;
use serde::{Deserialize, Serialize};

/// Keys of evaluations on data that are in no list of benchmarks: by their labels, and by their captions. Only the title
/// tells such data from others.
pub const OWN_DATA: [&str; 2] = ["own", "own_retrieval"];

/// What a model was trained and evaluated on, and where it fails. Part of the manifest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelCard {
    /// Training data, an entry for each set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trained_on: Vec<String>,
    /// Results on labeled data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<CardEvaluation>,
    /// Known limits, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// License of the weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Address of the weights or of their paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The result of one benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardEvaluation {
    /// Key of the benchmark: `pad`, ...; `own` or `own_retrieval` for data that are in no list of benchmarks.
    pub benchmark: String,
    /// The benchmark for people.
    pub title: String,
    /// The metric for people: "top-1 accuracy".
    pub metric: String,
    /// Number of images that were scored.
    pub n: usize,
    /// The metric's value.
    pub result: Figure,
    /// Whether these very weights were measured, and not those that they were quantized from.
    pub is_of_these_weights: bool,
    /// The same metric by skin tone, if the data have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_skin_tone: Vec<CardGroup>,
}

/// The result of a group of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardGroup {
    /// The skin tone: "Fitzpatrick type 5".
    pub name: String,
    /// Number of its images.
    pub n: usize,
    /// The metric's value.
    pub result: Figure,
}

impl ModelCard {
    /// Returns whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds evaluations, each in place of an earlier one of the same data and metric. Returns those that were replaced.
    pub fn add_evaluations(&mut self, evaluations: Vec<CardEvaluation>) -> Vec<CardEvaluation> {
        let mut replaced = Vec::new();
        for new in evaluations {
            replaced.extend(self.evaluations.extract_if(.., |old| old.is_superseded_by(&new)));
            self.evaluations.push(new);
        }
        replaced
    }
}

impl CardEvaluation {
    /// Returns whether another one is of the same benchmark, or data of the same title, and the same metric.
    fn is_superseded_by(&self, new: &Self) -> bool {
        let is_listed = !OWN_DATA.contains(&new.benchmark.as_str());
        (&self.benchmark, &self.metric) == (&new.benchmark, &new.metric) && (is_listed || self.title == new.title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(benchmark: &str, value: f64) -> CardEvaluation {
        CardEvaluation {
            benchmark: benchmark.into(),
            title: benchmark.to_uppercase(),
            metric: "top-1 accuracy".into(),
            n: 100,
            result: Figure { value: Some(value), interval: None },
            is_of_these_weights: true,
            by_skin_tone: Vec::new(),
        }
    }

    #[test]
    fn a_benchmark_has_its_latest_result() {
        let mut card = ModelCard::default();
        assert!(card.is_empty());
        assert!(card.add_evaluations(vec![evaluation("pad", 0.5), evaluation("snu", 0.25)]).is_empty());
        let replaced = card.add_evaluations(vec![evaluation("pad", 0.6), evaluation("pad", 0.75)]);
        assert_eq!(replaced, [evaluation("pad", 0.5), evaluation("pad", 0.6)]);
        assert_eq!(card.evaluations, [evaluation("snu", 0.25), evaluation("pad", 0.75)]);
        let json = serde_json::to_string(&card).unwrap();
        assert!(
            json.contains("is_of_these_weights")
                && !json.contains("limits")
                && serde_json::from_str::<ModelCard>(&json).unwrap() == card
        );
    }

    #[test]
    fn data_of_ones_own_replace_only_those_of_the_same_title() {
        let titled = |title: &str, value: f64| CardEvaluation { title: title.into(), ..evaluation("own", value) };
        let mut card = ModelCard::default();
        let first = vec![titled("A.csv, 14 classes", 0.5), titled("B.csv, 14 classes", 0.25)];
        assert!(card.add_evaluations(first.clone()).is_empty());
        assert_eq!(card.evaluations, first);
        assert_eq!(card.add_evaluations(vec![titled("A.csv, 14 classes", 0.75)]), first[..1]);
        assert_eq!(card.evaluations, [first[1].clone(), titled("A.csv, 14 classes", 0.75)]);
        // A listed benchmark may be called otherwise in another version.
        card.add_evaluations(vec![evaluation("pad", 0.5)]);
        let renamed = CardEvaluation { title: "PAD-UFES-20".into(), ..evaluation("pad", 0.6) };
        assert_eq!(card.add_evaluations(vec![renamed]).len(), 1);
    }
}
