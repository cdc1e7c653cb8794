//! What the page says of the model: the manifest's card, and of what nobody has said that it is unknown.

use crate::language::Catalog;
use crate::worker::protocol::ModelInfo;
use crate::{sentences, texts};
use shared_model::calibration::Calibration;
use shared_model::card::{CardEvaluation, CardGroup, ModelCard};
use shared_model::manifest::{FileRole, Manifest};

/// A name and the lines that belong to it.
pub type Row = (String, Vec<String>);

/// The rows of the card, without the label sets and the files.
pub fn rows(catalog: &Catalog, model: &ModelInfo) -> Vec<Row> {
    let nothing = ModelCard::default();
    let card = model.card.as_ref().unwrap_or(&nothing);
    let sees = model.image_size.map(|side| texts::card_square(catalog, side));
    let evaluations: Vec<String> = card.evaluations.iter().map(|found| evaluation(catalog, found)).collect();
    let by_skin_tone: Vec<String> =
        card.evaluations.iter().filter_map(|found| by_skin_tone(catalog, found)).collect();
    let calibrations = model.calibrations.iter().flat_map(|found| calibration(catalog, found, model)).collect();
    let or_unknown = |lines: Vec<String>| or(lines, texts::card_unknown(catalog));
    let download = |roles: &[FileRole]| {
        let of_role = model.files.iter().filter(|file| roles.contains(&file.role));
        megabytes(catalog, of_role.map(|file| file.bytes).sum())
    };
    [
        (texts::card_name(catalog), vec![model.name.clone()]),
        (texts::card_warning(catalog), warnings(catalog, model)),
        (texts::card_trained_on(catalog), or_unknown(card.trained_on.clone())),
        (texts::card_evaluated_on(catalog), or_unknown(evaluations)),
        (texts::card_by_skin_tone(catalog), or_unknown(by_skin_tone)),
        (texts::card_calibrated(catalog), or(calibrations, texts::card_not_calibrated(catalog))),
        (texts::card_limits(catalog), or_unknown(card.limits.clone())),
        (texts::card_license(catalog), or_unknown(card.license.iter().cloned().collect())),
        (texts::card_source(catalog), card.source.iter().cloned().collect()),
        (texts::card_sees(catalog), sees.into_iter().collect()),
        (
            texts::card_weights(catalog),
            vec![texts::card_download(catalog, &model.weight_format, &download(&Manifest::FIRST_ROLES))],
        ),
        (
            texts::card_text_part(catalog),
            vec![texts::card_text_download(catalog, &download(&Manifest::TEXT_ROLES))],
        ),
    ]
    .into_iter()
    .filter(|(_, lines)| !lines.is_empty())
    .collect()
}

/// Where a built-in label set comes from; `None` for other sets.
pub fn about_labels(catalog: &Catalog, key: &str) -> Option<String> {
    Some(match key {
        "pad" => texts::card_pad(catalog),
        "f17k" => texts::card_f17k(catalog),
        "snu" => texts::card_snu(catalog),
        "sd128" => texts::card_sd128(catalog),
        _ => return None,
    })
}

/// The size of a file or a download.
pub fn megabytes(catalog: &Catalog, n_bytes: u64) -> String {
    texts::card_megabytes(catalog, &sentences::megabytes(catalog, n_bytes))
}

fn or(lines: Vec<String>, otherwise: String) -> Vec<String> {
    if lines.is_empty() { vec![otherwise] } else { lines }
}

fn warnings(catalog: &Catalog, model: &ModelInfo) -> Vec<String> {
    match model.is_trained {
        false => vec![texts::card_untrained(catalog)],
        true => model.notice.iter().cloned().collect(),
    }
}

fn evaluation(catalog: &Catalog, found: &CardEvaluation) -> String {
    let CardEvaluation { title, metric, n, result, is_of_these_weights, .. } = found;
    let result = catalog.decimal(result);
    match is_of_these_weights {
        true => texts::card_evaluation(catalog, title, *n, metric, &result),
        false => texts::card_evaluation_before(catalog, title, *n, metric, &result),
    }
}

fn by_skin_tone(catalog: &Catalog, found: &CardEvaluation) -> Option<String> {
    let CardEvaluation { title, metric, by_skin_tone, .. } = found;
    let group = |CardGroup { name, n, result }: &CardGroup| {
        texts::card_skin_tone(catalog, name, &catalog.decimal(result), *n)
    };
    let groups: Vec<String> = by_skin_tone.iter().map(group).collect();
    (!groups.is_empty()).then(|| format!("{title}, {metric}. {}", groups.join("; ")))
}

/// What a calibration was measured on, and how well it does there.
fn calibration(catalog: &Catalog, found: &Calibration, model: &ModelInfo) -> Vec<String> {
    let Calibration { label_set, class_names, measured, .. } = found;
    let set =
        model.label_sets.iter().find(|set| set.key == *label_set && set.class_names.len() == class_names.len());
    let labels = set.map_or_else(|| class_names.join(", "), |set| set.title.clone());
    let (after, before) = (&measured.after, &measured.before);
    let errors = texts::card_calibration(
        catalog,
        &labels,
        &catalog.decimal(after.expected_calibration_error),
        &catalog.decimal(before.expected_calibration_error),
        measured.n_held_out,
        &measured.data,
    );
    let refused = texts::card_refused(catalog, &catalog.decimal(measured.refused));
    let outside = measured.outside.iter().map(|outside| {
        let (recognized, auroc) = (catalog.decimal(outside.recognized), catalog.decimal(outside.auroc));
        texts::card_recognized(catalog, &recognized, outside.n, &outside.data, &auroc)
    });
    [errors, refused].into_iter().chain(outside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::labels::LabelSet;

    fn demo() -> ModelInfo {
        let manifest = shared_model::demo::file(Manifest::FILE_NAME).unwrap();
        ModelInfo::from(&Manifest::from_json(manifest).unwrap())
    }

    fn lines(model: &ModelInfo, name: &str) -> String {
        let found = rows(&Catalog::english(), model).into_iter().find(|(found, _)| *found == name);
        found.map(|(_, lines)| lines.join("\n")).unwrap_or_default()
    }

    #[test]
    fn the_demo_model_says_what_it_was_trained_and_measured_on() {
        let model = demo();
        assert!(lines(&model, "Trained on").contains("drawn"));
        assert!(lines(&model, "Evaluated on").contains("200 images: top-1 accuracy 0.8"));
        assert!(lines(&model, "By skin tone").contains("Fitzpatrick type 6: 0.8"));
        assert!(lines(&model, "Calibrated").starts_with("PAD-UFES-20, 6 conditions: calibration error 0.0"));
        assert!(
            lines(&model, "Limits").contains("real photos")
                && lines(&model, "License of the weights").contains("MIT")
        );
    }

    #[test]
    fn what_nobody_has_said_is_unknown() {
        let silent = ModelInfo { card: None, calibrations: Vec::new(), is_trained: false, ..demo() };
        for name in ["Trained on", "Evaluated on", "By skin tone", "Limits", "License of the weights"] {
            assert!(lines(&silent, name).starts_with("Unknown"), "{name}");
        }
        assert!(lines(&silent, "Calibrated").starts_with("No"));
        assert!(lines(&silent, "Warning").starts_with("Untrained"));
        assert_eq!(lines(&silent, "Source"), "");
    }

    #[test]
    fn every_built_in_label_set_is_explained() {
        let about = |key| about_labels(&Catalog::english(), key);
        assert!(LabelSet::keys().into_iter().all(|key| about(key).is_some()));
        assert_eq!(about(LabelSet::CUSTOM), None);
    }
}
