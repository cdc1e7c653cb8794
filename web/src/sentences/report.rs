//! A result in words: what a print says beside the answers, and what is shared.

use super::{crop, percent, verdict};
use crate::language::Catalog;
use crate::report::{Report, ReportLabels, ReportModel};
use crate::texts;
use crate::verdict::Verdict;
use shared_model::manifest::FileRole;

/// Number of answers in a shared text.
const N_SHARED: usize = 5;

/// The result as a short text, to share.
pub fn shared_text(catalog: &Catalog, report: &Report) -> String {
    let shown = report.answers.iter().take(N_SHARED);
    let answers: Vec<String> =
        shown.map(|answer| format!("{}: {}", answer.label, percent(catalog, answer.probability))).collect();
    let more = match report.answers.len().saturating_sub(N_SHARED) {
        0 => String::new(),
        n_more => format!("\n{}", texts::report_more(catalog, n_more)),
    };
    let name = texts::model_name(catalog, &report.model.name);
    let model = report.model.notice.iter().fold(name, |model, notice| format!("{model}\n{notice}"));
    let verdict = verdict(catalog, Verdict::of(report.certainty.as_ref()));
    let (labels, answers) = (title(catalog, &report.labels), answers.join("\n"));
    format!("{labels}\n\n{answers}{more}\n\n{verdict}\n\n{model}\n{}", texts::report_disclaimer(catalog))
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
