//! What the page says of the model: the manifest's card, and of what nobody has said that it is unknown.

use crate::worker::protocol::ModelInfo;
use shared_model::calibration::Calibration;
use shared_model::card::{CardEvaluation, CardGroup, ModelCard};
use shared_model::manifest::{FileRole, Manifest};

/// A name and the lines that belong to it.
pub type Row = (&'static str, Vec<String>);

const UNKNOWN: &str = "Unknown: the model's files do not say.";

/// The rows of the card, without the label sets and the files.
pub fn rows(model: &ModelInfo) -> Vec<Row> {
    let nothing = ModelCard::default();
    let card = model.card.as_ref().unwrap_or(&nothing);
    let sees = model.image_size.map(|side| format!("a square of {side} × {side} pixels"));
    let evaluations: Vec<String> = card.evaluations.iter().map(evaluation).collect();
    let by_skin_tone: Vec<String> = card.evaluations.iter().filter_map(by_skin_tone).collect();
    let calibrations = model.calibrations.iter().flat_map(|found| calibration(found, model)).collect();
    let download = |roles: &[FileRole]| {
        let of_role = model.files.iter().filter(|file| roles.contains(&file.role));
        megabytes(of_role.map(|file| file.bytes).sum())
    };
    [
        ("Name", vec![model.name.clone()]),
        ("Warning", warnings(model)),
        ("Trained on", or_unknown(card.trained_on.clone())),
        ("Evaluated on", or_unknown(evaluations)),
        ("By skin tone", or_unknown(by_skin_tone)),
        ("Calibrated", or(calibrations, "No: its percentages do not say how often they are right.")),
        ("Limits", or_unknown(card.limits.clone())),
        ("License of the weights", or_unknown(card.license.iter().cloned().collect())),
        ("Source", card.source.iter().cloned().collect()),
        ("Sees", sees.into_iter().collect()),
        ("Weights", vec![format!("{}, {} to download", model.weight_format, download(&Manifest::FIRST_ROLES))]),
        (
            "Text part",
            vec![format!("{} more, for your own labels and for findings", download(&Manifest::TEXT_ROLES))],
        ),
    ]
    .into_iter()
    .filter(|(_, lines)| !lines.is_empty())
    .collect()
}

/// Where a built-in label set comes from; `None` for other sets.
pub fn about_labels(key: &str) -> Option<&'static str> {
    Some(match key {
        "pad" => "Six skin lesions of the PAD-UFES-20 data: phone photos from clinics in Brazil.",
        "f17k" => "The skin conditions of the Fitzpatrick17k data: photos of two atlases, labeled with skin types.",
        "snu" => "The skin conditions of the SNU data: clinical photos from hospitals in South Korea.",
        "sd128" => "The skin conditions of the SD-128 data: clinical photos of a web atlas.",
        _ => return None,
    })
}

pub fn megabytes(n_bytes: u64) -> String {
    format!("{:.1} MB", n_bytes as f64 / 1e6)
}

fn or_unknown(lines: Vec<String>) -> Vec<String> {
    or(lines, UNKNOWN)
}

fn or(lines: Vec<String>, otherwise: &str) -> Vec<String> {
    if lines.is_empty() { vec![otherwise.into()] } else { lines }
}

fn warnings(model: &ModelInfo) -> Vec<String> {
    match model.is_trained {
        false => vec!["Untrained: its weights are random, and its answers have no meaning.".into()],
        true => model.notice.iter().cloned().collect(),
    }
}

fn evaluation(CardEvaluation { title, metric, n, result, is_of_these_weights, .. }: &CardEvaluation) -> String {
    let whose = if *is_of_these_weights { "" } else { ", before the weights were made smaller" };
    format!("{title}, {n} images: {metric} {result}{whose}")
}

fn by_skin_tone(CardEvaluation { title, metric, by_skin_tone, .. }: &CardEvaluation) -> Option<String> {
    let group = |CardGroup { name, n, result }: &CardGroup| format!("{name}: {result}, {n} images");
    let groups: Vec<String> = by_skin_tone.iter().map(group).collect();
    (!groups.is_empty()).then(|| format!("{title}, {metric}. {}", groups.join("; ")))
}

/// What a calibration was measured on, and how well it does there.
fn calibration(
    Calibration { label_set, class_names, measured, .. }: &Calibration,
    model: &ModelInfo,
) -> Vec<String> {
    let set =
        model.label_sets.iter().find(|set| set.key == *label_set && set.class_names.len() == class_names.len());
    let labels = set.map_or_else(|| class_names.join(", "), |set| set.title.clone());
    let errors = format!(
        "{labels}: calibration error {}, before {}, on {} images of {}",
        measured.after.expected_calibration_error,
        measured.before.expected_calibration_error,
        measured.n_held_out,
        measured.data
    );
    let refused =
        format!("\u{201c}None of these\u{201d} is wrong for {} of images of these labels", measured.refused);
    let outside = measured.outside.iter().map(|outside| {
        format!(
            "\u{201c}None of these\u{201d} is right for {} of {} images of {} (AUROC {})",
            outside.recognized, outside.n, outside.data, outside.auroc
        )
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
        let found = rows(model).into_iter().find(|(found, _)| *found == name);
        found.map(|(_, lines)| lines.join("\n")).unwrap_or_default()
    }

    #[test]
    fn the_demo_model_says_what_it_was_trained_and_measured_on() {
        let model = demo();
        assert!(lines(&model, "Trained on").contains("drawn"), "{:?}", rows(&model));
        assert!(lines(&model, "Evaluated on").contains("200 images: top-1 accuracy 0.8"), "{:?}", rows(&model));
        assert!(lines(&model, "By skin tone").contains("Fitzpatrick type 6: 0.8"), "{:?}", rows(&model));
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
            assert_eq!(lines(&silent, name), UNKNOWN, "{name}");
        }
        assert!(lines(&silent, "Calibrated").starts_with("No"));
        assert!(lines(&silent, "Warning").starts_with("Untrained"));
        assert_eq!(lines(&silent, "Source"), "");
    }

    #[test]
    fn every_built_in_label_set_is_explained() {
        assert!(LabelSet::keys().into_iter().all(|key| about_labels(key).is_some()));
        assert_eq!(about_labels(LabelSet::CUSTOM), None);
    }
}
