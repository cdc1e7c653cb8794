//! What is said of several models that answered one photo.

use super::{error, megabytes, percent, status};
use crate::error::Error;
use crate::language::Catalog;
use crate::model_comparison::{Agreement, agreement};
use crate::state::{ComparedModel, Cost, Status};
use crate::texts;

/// What an answer of another model needs, and when it is not possible.
pub fn cost(catalog: &Catalog, cost: Cost) -> String {
    match cost {
        Cost::Files { n_bytes, has_text: false } => texts::models_cost(catalog, &megabytes(catalog, n_bytes)),
        Cost::Files { n_bytes, has_text: true } => texts::models_cost_text(catalog, &megabytes(catalog, n_bytes)),
        Cost::Unknown => texts::models_cost_unknown(catalog),
        Cost::Server => texts::models_cost_server(catalog),
        Cost::LacksLabels => texts::models_lack_labels(catalog),
    }
}

/// What another model does.
pub fn other_work(catalog: &Catalog, model: &str, work: Status) -> String {
    texts::models_says(catalog, model, &status(catalog, work))
}

/// Why another model did not answer.
pub fn other_failure(catalog: &Catalog, model: &str, found: &Error) -> String {
    texts::models_failed(catalog, model, &error(catalog, found))
}

/// Whether the models agree, and if not, what each has first and where the others have the first label of the first model.
/// Nothing without models.
pub fn models_agree(catalog: &Catalog, models: &[ComparedModel]) -> Option<String> {
    Some(match agreement(models)? {
        Agreement::First(label) => texts::models_same(catalog, models.len(), &label),
        Agreement::NoneOfThese => texts::models_none_fits(catalog, models.len()),
        Agreement::Different => {
            let first = models.iter().filter_map(|model| first(catalog, model));
            let places = models.iter().skip(1).filter_map(|model| place(catalog, models.first()?, model));
            std::iter::once(texts::models_differ(catalog)).chain(first).chain(places).collect::<Vec<_>>().join(" ")
        }
    })
}

/// The first label of a model, or that none fits.
fn first(catalog: &Catalog, model: &ComparedModel) -> Option<String> {
    let Some(label) = model.choice() else { return Some(texts::models_none(catalog, &model.name)) };
    let (_, probability) = model.place(label)?;
    Some(texts::models_first(catalog, &model.name, label, &percent(catalog, probability)))
}

/// Where a model has the first label of another one, if it is not its own first.
fn place(catalog: &Catalog, first: &ComparedModel, model: &ComparedModel) -> Option<String> {
    let label = first.choice()?;
    let (place, probability) = model.place(label)?;
    let percent = percent(catalog, probability);
    (place > 1).then(|| texts::models_place(catalog, &model.name, label, place, &percent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Answer;
    use crate::worker::protocol::{Computed, Engine};
    use shared_model::calibration::Certainty;
    use shared_model::zero_shot::Prediction;

    const NONE_OF_THESE: Certainty =
        Certainty { unsure: true, none_of_these: true, match_score: -3.5, match_threshold: -2.0 };

    fn model(name: &str, ranked: &[(&str, f32)], certainty: Option<Certainty>) -> ComparedModel {
        let prediction = |(label, probability): &(&str, f32)| Prediction {
            label: label.to_string(),
            probability: *probability,
            logit: 1.0,
        };
        let predictions = ranked.iter().map(prediction).collect();
        let computed = Computed { by: Engine::Wasm, note: None };
        let answer = Answer { predictions, certainty, millis: 1.0, computed, finished_at: 0.0, concepts: None };
        ComparedModel { name: name.into(), is_trained: true, notice: None, answer }
    }

    fn said(models: &[ComparedModel]) -> String {
        models_agree(&Catalog::english(), models).unwrap_or_default()
    }

    #[test]
    fn agreement_is_of_the_first_labels_and_none_of_these_is_no_label() {
        let nevus = model("A", &[("nevus", 0.75), ("acne", 0.25)], None);
        let also = model("B", &[("nevus", 0.5), ("acne", 0.5)], None);
        assert_eq!(said(&[nevus.clone(), also]), "The 2 models agree on the first label: nevus.");
        let acne = model("B", &[("acne", 0.9), ("nevus", 0.1)], None);
        assert_eq!(
            said(&[nevus.clone(), acne]),
            "The models disagree. A: nevus, 75.0 %. B: acne, 90.0 %. B has nevus in place 2, with 10.0 %."
        );
        let unfit = |name: &str| model(name, &[("nevus", 0.75), ("acne", 0.25)], Some(NONE_OF_THESE));
        assert_eq!(said(&[nevus, unfit("B")]), "The models disagree. A: nevus, 75.0 %. B: none of these.");
        assert_eq!(
            said(&[unfit("A"), unfit("B")]),
            "The 2 models agree that no label of the list fits this photo well."
        );
        assert_eq!(said(&[]), "");
    }

    #[test]
    fn what_is_downloaded_is_said_in_megabytes() {
        let said = |found| cost(&Catalog::english(), found);
        assert!(said(Cost::Files { n_bytes: 51_380_000, has_text: false }).contains("51.4 MB"));
        assert!(said(Cost::Files { n_bytes: 51_380_000, has_text: true }).contains("text part"));
    }
}
