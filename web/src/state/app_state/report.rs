//! What the page shows, as a result to take along.

use super::AppState;
use crate::report::{
    DISCLAIMER, FORMAT, Report, ReportAnswer, ReportContext, ReportLabels, ReportModel, ReportOtherModel,
    ReportPhoto, ReportProgram,
};
use crate::state::other_models::OtherAnswer;
use crate::worker::protocol::ModelInfo;
use shared_model::labels::LabelSet;

impl Report {
    /// The result that the page shows; `None` without an answer.
    pub fn of(state: &AppState, context: ReportContext) -> Option<Self> {
        let (answer, photo, model) = (state.answer.as_ref()?, state.photo.as_ref()?, state.model.as_ref()?);
        let labels = state.label_set()?;
        Some(Self {
            format: FORMAT,
            disclaimer: DISCLAIMER,
            answered_at: context.answered_at,
            photo: ReportPhoto {
                file_name: photo.name.clone(),
                sha256: photo.sha256.clone(),
                size: photo.shown().map(|shown| shown.size),
                crop: photo.used_crop,
            },
            labels: ReportLabels {
                title: labels.title.clone(),
                n_labels: labels.class_names.len(),
                is_own: labels.key == LabelSet::CUSTOM,
            },
            answers: answer.predictions.iter().map(ReportAnswer::from).collect(),
            certainty: answer.certainty,
            findings: answer.concepts.clone(),
            model: ReportModel::from(&**model),
            other_models: state.others.answers.iter().map(ReportOtherModel::from).collect(),
            program: ReportProgram {
                name: "Dermake",
                version: env!("CARGO_PKG_VERSION"),
                page_build: context.page_build,
                server: context.server,
            },
        })
    }
}

impl From<&ModelInfo> for ReportModel {
    fn from(model: &ModelInfo) -> Self {
        Self {
            name: model.name.clone(),
            is_trained: model.is_trained,
            notice: model.notice.clone(),
            weight_format: model.weight_format.clone(),
            files: model.files.clone(),
        }
    }
}

impl From<&OtherAnswer> for ReportOtherModel {
    fn from(OtherAnswer { model, answer, .. }: &OtherAnswer) -> Self {
        Self {
            answers: answer.predictions.iter().map(ReportAnswer::from).collect(),
            certainty: answer.certainty,
            model: ReportModel::from(&**model),
        }
    }
}
