//! Clinical concepts: how much more a photo is like sentences with a term than like the same sentences without it.

mod findings;
mod typical;

pub use findings::{Finding, findings};
pub use typical::{Typical, conditions_with_typical_findings, typical_findings};

use crate::labels::{ConceptTemplates, LabelSet, LabelWarning, ReadLabels, concept_terms};
use crate::{Error, Result};
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// The temperature of MAKE's concept annotation, `1 / exp(4.5944)`.
pub const TEMPERATURE: f64 = 0.010_108_283_932_210_89;

/// A concept and its terms, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concept {
    /// Name of the concept.
    pub name: String,
    /// Words that are used for it.
    pub terms: Vec<String>,
}

/// The presence score of one concept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Presence {
    /// Name of the concept.
    pub concept: String,
    /// Between 0 and 1. At 0.5 the photo is as similar to the sentences with the concept as to those without it.
    pub score: f64,
}

impl Concept {
    /// Returns the 64 concepts of MAKE's concept annotation, in alphabetical order.
    pub fn known() -> Vec<Self> {
        let concept = |(name, terms): (&String, &Vec<String>)| Self { name: name.clone(), terms: terms.clone() };
        concept_terms().iter().map(concept).collect()
    }

    /// Returns the known concept of this name, in any case.
    pub fn find(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        concept_terms().get(&name).cloned().map(|terms| Self { name, terms })
    }

    /// Returns the known concept of this name, or a new one whose only term is the name in lower case.
    pub fn named(name: &str) -> Self {
        Self::find(name).unwrap_or_else(|| {
            let name = name.to_lowercase();
            Self { terms: vec![name.clone()], name }
        })
    }

    /// Takes the names of concepts, in their order. Two spellings of one name are an error.
    ///
    /// # Errors
    /// As [`LabelSet::from_class_names`].
    pub fn from_names(names: Vec<String>) -> Result<Vec<Self>> {
        let names = LabelSet::from_class_names(names).map_err(of_concepts)?.class_names;
        Ok(names.iter().map(|name| Self::named(name)).collect())
    }
}

/// Concepts that a person typed or named in a file.
pub struct ReadConcepts {
    /// In the order given, each once.
    pub concepts: Vec<Concept>,
    /// What the person should know of them.
    pub warnings: Vec<LabelWarning>,
}

impl ReadConcepts {
    /// Reads names as a user types them, as [`ReadLabels::from_text`] does.
    ///
    /// # Errors
    /// Those of [`ReadLabels::from_text`].
    pub fn from_text(text: &str) -> Result<Self> {
        ReadLabels::from_text(text).map(Self::of).map_err(of_concepts)
    }

    /// Reads the content of a file, as [`ReadLabels::from_file`] does.
    ///
    /// # Errors
    /// Those of [`ReadLabels::from_file`].
    pub fn from_file(content: &str) -> Result<Self> {
        ReadLabels::from_file(content).map(Self::of).map_err(of_concepts)
    }

    fn of(read: ReadLabels) -> Self {
        let ReadLabels { set, mut warnings } = read;
        // A concept is scored by itself, not among others.
        warnings.retain(|warning| !matches!(warning, LabelWarning::Single { .. }));
        Self { concepts: set.class_names.iter().map(|name| Concept::named(name)).collect(), warnings }
    }
}

/// Returns the error of names that were read by the rules of labels, in the words of concepts.
fn of_concepts(err: Error) -> Error {
    let in_words = |text: String| text.replace("label", "concept");
    match err {
        Error::Labels { what, expected, found } => {
            Error::Labels { what: in_words(what), expected: in_words(expected), found }
        }
        err => err,
    }
}

/// Scores images for a list of concepts.
#[derive(Clone)]
pub struct ConceptScorer {
    names: Vec<String>,
    /// For each concept, `[T, n_terms, E]`.
    targets: Vec<Tensor>,
    /// `[T, 1, E]`
    references: Tensor,
    temperature: f64,
}

impl ConceptScorer {
    /// Returns the prompts to encode: the reference prompts, then for each concept every term in every target template.
    pub fn prompts(concepts: &[Concept], templates: &ConceptTemplates) -> Vec<String> {
        let targets = concepts.iter().flat_map(|concept| {
            templates
                .target_templates
                .as_slice()
                .iter()
                .flat_map(|template| concept.terms.iter().map(move |term| template.replacen("{}", term, 1)))
        });
        templates.reference_prompts.iter().cloned().chain(targets).collect()
    }

    /// Creates a scorer from the features of [`Self::prompts`].
    ///
    /// # Shapes
    /// - `features`: `[n, E]` f32, rows of unit length
    ///
    /// # Errors
    /// [`Error::Labels`] when there are more or fewer features than prompts.
    pub fn new(concepts: &[Concept], templates: &ConceptTemplates, features: &Tensor) -> Result<Self> {
        let n_templates = templates.reference_prompts.len();
        let (n_features, embed_dim) = features.dims2()?;
        let n_prompts = n_templates * (1 + concepts.iter().map(|concept| concept.terms.len()).sum::<usize>());
        if n_features != n_prompts {
            let expected = format!("{n_prompts} features");
            return Err(Error::Labels { what: "concepts".into(), expected, found: n_features.to_string() });
        }
        let references = features.narrow(0, 0, n_templates)?.reshape((n_templates, 1, embed_dim))?;
        let mut start = n_templates;
        let mut target = |concept: &Concept| {
            let n_terms = concept.terms.len();
            let rows = features.narrow(0, start, n_templates * n_terms)?;
            start += n_templates * n_terms;
            Ok(rows.reshape((n_templates, n_terms, embed_dim))?)
        };
        let targets = concepts.iter().map(&mut target).collect::<Result<_>>()?;
        let names = concepts.iter().map(|concept| concept.name.clone()).collect();
        Ok(Self { names, targets, references, temperature: TEMPERATURE })
    }

    /// Returns the scorer with another scale than the reference's, `1 / TEMPERATURE`.
    pub fn with_scale(self, scale: f64) -> Self {
        Self { temperature: 1.0 / scale, ..self }
    }

    /// Returns the factor between cosines and what the softmax of a score is over.
    pub fn scale(&self) -> f64 {
        1.0 / self.temperature
    }

    /// Returns the [`presence_scores`] of each concept, `[concepts][B]`.
    ///
    /// # Shapes
    /// - `image_features`: `[B, E]` f32, rows of unit length
    pub fn scores(&self, image_features: &Tensor) -> Result<Vec<Vec<f64>>> {
        let of_target =
            |target: &Tensor| presence_scores(image_features, target, &self.references, self.temperature);
        self.targets.iter().map(of_target).collect()
    }

    /// Returns for each image its `top_k` most present concepts, the most present first. Concepts of equal scores keep
    /// their order.
    pub fn annotate(&self, image_features: &Tensor, top_k: usize) -> Result<Vec<Vec<Presence>>> {
        let scores = self.scores(image_features)?;
        let ranked = |image: usize| {
            let presence =
                |(name, scores): (&String, &Vec<f64>)| Presence { concept: name.clone(), score: scores[image] };
            let mut ranked: Vec<Presence> = self.names.iter().zip(&scores).map(presence).collect();
            ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
            ranked.truncate(top_k);
            ranked
        };
        Ok((0..image_features.dim(0)?).map(ranked).collect())
    }
}

/// Returns the presence scores `[B]` of one concept, between 0 and 1.
///
/// For each template, a is the mean similarity of the concept's terms to the image and b the similarity of the
/// reference prompt. The score is `softmax([a, b] / temperature)[0]`, averaged over the templates (MAKE's concept
/// annotation, whose temperature is [`TEMPERATURE`]).
///
/// # Shapes
/// - `image_features`: `[B, E]`, unit rows
/// - `target_embeddings`: `[T, n_terms, E]`, unit rows
/// - `reference_embeddings`: `[T, 1, E]`, unit rows
pub fn presence_scores(
    image_features: &Tensor,
    target_embeddings: &Tensor,
    reference_embeddings: &Tensor,
    temperature: f64,
) -> Result<Vec<f64>> {
    let images = image_features.to_dtype(DType::F64)?.t()?.contiguous()?; // [E, B]
    // [T, n, E] x [E, B] to [T, B]: mean similarity over the terms
    let similarity = |embeddings: &Tensor| -> Result<Tensor> {
        let (n_templates, n_terms, embed_dim) = embeddings.dims3()?;
        let rows = embeddings.to_dtype(DType::F64)?.reshape((n_templates * n_terms, embed_dim))?;
        Ok(rows.matmul(&images)?.reshape((n_templates, n_terms, ()))?.mean(1)?)
    };
    let margin = ((similarity(target_embeddings)? - similarity(reference_embeddings)?)? / temperature)?;
    let mut scores = vec![0f64; images.dim(1)?];
    let rows = margin.to_vec2::<f64>()?;
    for row in &rows {
        for (score, margin) in scores.iter_mut().zip(row) {
            *score += 1.0 / (1.0 + (-margin).exp()) / rows.len() as f64;
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Templates;
    use candle_core::Device;

    #[test]
    fn known_concepts_bring_their_terms_and_other_words_stand_for_themselves() {
        assert_eq!(Concept::known().len(), 64);
        assert_eq!(Concept::named("Bulla").terms, ["bullae", "blister"]);
        assert_eq!(Concept::named("Tattoo"), Concept { name: "tattoo".into(), terms: vec!["tattoo".into()] });
        assert_eq!(Concept::find("tattoo"), None);
    }

    #[test]
    fn one_concept_alone_is_no_reason_to_warn() {
        let read = ReadConcepts::from_text("Bulla").unwrap();
        assert_eq!((read.concepts, read.warnings), (vec![Concept::named("bulla")], Vec::new()));
        assert_eq!(ReadConcepts::from_text("bulla, Bulla").unwrap().warnings.len(), 1);
    }

    #[test]
    fn what_is_wrong_with_concepts_is_said_of_concepts() {
        let names = |names: &[&str]| Concept::from_names(names.iter().map(|name| name.to_string()).collect());
        assert_eq!(names(&["Bulla", "a, b"]).unwrap(), ["bulla", "a, b"].map(Concept::named));
        let of_text = |text: &str| ReadConcepts::from_text(text).err().unwrap().to_string();
        let of_file = |content: &str| ReadConcepts::from_file(content).err().unwrap().to_string();
        for (message, expected) in [
            (names(&[]).unwrap_err().to_string(), "concepts: expected at least one name"),
            (names(&["Scale", "scale"]).unwrap_err().to_string(), "concepts: expected different names"),
            (names(&["scale", " "]).unwrap_err().to_string(), "concept 2 of 2: expected a name"),
            (of_text(""), "concepts: expected at least one name"),
            (of_text("list.txt"), "concept: expected a name, found \"list.txt\""),
            (of_text("[\"a\", 2]"), "concepts: expected a JSON list of names"),
            (of_file("image,label\na.png,scale\n"), "concepts: expected a list with one concept a line"),
        ] {
            assert!(message.contains(expected), "{expected}: {message}");
            assert!(!message.contains("labels"), "{message}");
        }
    }

    #[test]
    fn the_most_present_concepts_of_each_image_come_first() {
        let concepts = ["first", "second", "third"].map(Concept::named);
        let templates = ConceptTemplates {
            target_templates: Templates::new(vec!["{}".into()]).unwrap(),
            reference_prompts: vec![String::new()],
        };
        let features = [[0.0f32, 0.0], [0.1, 0.0], [0.0, 0.1], [0.0, 0.1]];
        let features = Tensor::new(&features, &Device::Cpu).unwrap();
        let scorer = ConceptScorer::new(&concepts, &templates, &features).unwrap();
        let images = Tensor::new(&[[1f32, 0.0], [0.0, 1.0]], &Device::Cpu).unwrap();
        let names = |top_k: usize| -> Vec<Vec<String>> {
            let ranked = scorer.annotate(&images, top_k).unwrap();
            ranked.into_iter().map(|image| image.into_iter().map(|found| found.concept).collect()).collect()
        };
        assert_eq!(names(9), [["first", "second", "third"], ["second", "third", "first"]]);
        // A cosine of 0.1 more than the reference: 1 / (1 + exp(-0.1 scale)).
        let score = |scorer: &ConceptScorer| scorer.annotate(&images, 1).unwrap()[0][0].score;
        assert!((score(&scorer.clone().with_scale(10.0)) - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-6);
        assert!((score(&scorer) - 1.0 / (1.0 + (-0.1 * scorer.scale()).exp())).abs() < 1e-6);
        assert_eq!(names(1), [["first"], ["second"]]);
    }
}
