//! A result in words: what a print says beside the answers, and what is shared.

use super::{crop, percent, verdict};
use crate::language::Catalog;
use crate::report::{Report, ReportAnswer, ReportLabels, ReportModel};
use crate::texts;
use crate::verdict::Verdict;
use shared_model::calibration::Certainty;
use shared_model::manifest::FileRole;

/// Number of answers in a shared text.
const N_SHARED: usize = 5;

/// The result as a short text, to share: the answers, then the model; each of several models before its own answers.
pub fn shared_text(catalog: &Catalog, report: &Report) -> String {
    let labels = title(catalog, &report.labels);
    let disclaimer = texts::report_disclaimer(catalog);
    let [model, answers, verdict] =
        shared_answers(catalog, &report.model, &report.answers, report.certainty.as_ref());
    if report.other_models.is_empty() {
        return format!("{labels}\n\n{answers}\n\n{verdict}\n\n{model}\n{disclaimer}");
    }
    let others = report.other_models.iter().map(|other| {
        let [model, answers, verdict] =
            shared_answers(catalog, &other.model, &other.answers, other.certainty.as_ref());
        format!("{model}\n{answers}\n{verdict}")
    });
    let models = std::iter::once(format!("{model}\n{answers}\n{verdict}")).chain(others).collect::<Vec<_>>();
    let caution = texts::models_caution(catalog);
    format!("{labels}\n\n{}\n\n{caution}\n{disclaimer}", models.join("\n\n"))
}

/// A model with what is to be known of it, its first answers, and whether to believe them.
fn shared_answers(
    catalog: &Catalog,
    model: &ReportModel,
    answers: &[ReportAnswer],
    certainty: Option<&Certainty>,
) -> [String; 3] {
    let name = texts::model_name(catalog, &model.name);
    let model = model.notice.iter().fold(name, |model, notice| format!("{model}\n{notice}"));
    let shown = answers.iter().take(N_SHARED);
    let shown = shown.map(|answer| format!("{}: {}", answer.label, percent(catalog, answer.probability)));
    let more = answers.len().saturating_sub(N_SHARED);
    let more = (more > 0).then(|| texts::report_more(catalog, more));
    let answers = shown.chain(more).collect::<Vec<_>>().join("\n");
    [model, answers, verdict(catalog, Verdict::of(certainty))]
}

/// What a print says beside the answers, in rows of a name and a value.
pub fn printed_rows(catalog: &Catalog, report: &Report) -> Vec<(String, String)> {
    let (photo, program) = (&report.photo, &report.program);
    let size = photo.size.map(|size| texts::report_size(catalog, size.width, size.height));
    let seen = photo.crop.zip(photo.size).map(|(square, size)| crop(catalog, square, size));
    let hash = photo.sha256.as_ref().map(|sha256| format!("SHA-256 {sha256}"));
    let photo = [Some(photo.file_name.clone()), size, hash].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let name = format!("{} {}", program.name, program.version);
    let program = match &program.server {
        Some(server) => texts::report_page_and_server(catalog, &name, &program.page_build, server),
        None => texts::report_page(catalog, &name, &program.page_build),
    };
    let models = std::iter::once(&report.model).chain(report.other_models.iter().map(|other| &other.model));
    let mut rows = vec![
        (texts::report_date(catalog), report.answered_at.clone()),
        (texts::report_photo(catalog), photo),
        (texts::report_seen(catalog), seen.unwrap_or_else(|| texts::report_whole_photo(catalog))),
    ];
    rows.extend(models.map(|model| (texts::report_model(catalog), weights(catalog, model))));
    rows.push((texts::report_program(catalog), program));
    rows
}

/// Name of a model, and the hash of its weights.
fn weights(catalog: &Catalog, model: &ReportModel) -> String {
    match model.files.iter().find(|file| file.role == FileRole::Vision) {
        Some(file) => texts::report_weights(catalog, &model.name, &model.weight_format, &file.sha256),
        None => format!("{} ({})", model.name, model.weight_format),
    }
}

/// Title of the labels.
fn title(catalog: &Catalog, labels: &ReportLabels) -> String {
    if labels.is_own { texts::labels_own(catalog) } else { labels.title.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::DISCLAIMER;

    #[test]
    fn the_english_disclaimer_is_that_of_the_files() {
        assert_eq!(texts::report_disclaimer(&Catalog::english()), DISCLAIMER);
    }
}
