//! Which model this is, by its manifest.

use crate::app::App;
use crate::worker::protocol::ModelInfo;
use leptos::prelude::*;
use shared_model::manifest::{FileRole, Manifest, ManifestFile};

/// What the manifest says of the model, and what it does not say.
#[component]
pub fn ModelCard(app: App) -> impl IntoView {
    let model = app.watch(|state| state.model.clone());
    move || {
        model.get().map(|model| {
            let row = |(name, value): (&'static str, String)| view! { <dt>{name}</dt><dd dir="auto">{value}</dd> };
            view! {
                <details class="model-card" data-testid="model-card">
                    <summary>"About this model"</summary>
                    <dl>{rows(&model).into_iter().map(row).collect_view()}</dl>
                    <p class="hint">
                        "The model's files name neither the photos that it was trained on nor a license, and no \
                         accuracy by skin tone. Ask whoever offers it, and evaluate it before you rely on it."
                    </p>
                    <Files files=model.files/>
                </details>
            }
        })
    }
}

fn rows(model: &ModelInfo) -> Vec<(&'static str, String)> {
    let training = match (model.is_trained, &model.notice) {
        (false, _) => "untrained: random weights".into(),
        (true, Some(notice)) => notice.clone(),
        (true, None) => "trained".into(),
    };
    let sees = model.image_size.map(|side| format!("a square of {side} × {side} pixels"));
    let sets = model.label_sets.iter().map(|set| set.title.clone()).collect::<Vec<_>>().join("; ");
    let download = |roles: &[FileRole]| {
        let n_bytes: u64 =
            model.files.iter().filter(|file| roles.contains(&file.role)).map(|file| file.bytes).sum();
        megabytes(n_bytes)
    };
    let optional = [
        Some(("Name", model.name.clone())),
        Some(("Training", training)),
        sees.map(|sees| ("Sees", sees)),
        Some(("Label sets", sets)),
        Some(("Weights", format!("{}, {} to download", model.weight_format, download(&Manifest::FIRST_ROLES)))),
        Some((
            "Text part",
            format!("{} more, for your own labels and for findings", download(&Manifest::TEXT_ROLES)),
        )),
    ];
    optional.into_iter().flatten().collect()
}

#[component]
fn Files(files: Vec<ManifestFile>) -> impl IntoView {
    let row = |file: ManifestFile| {
        view! { <li><span class="file">{file.file}</span>", "{megabytes(file.bytes)}", SHA-256 "<code>{file.sha256}</code></li> }
    };
    view! { <ul class="hint files">{files.into_iter().map(row).collect_view()}</ul> }
}

fn megabytes(n_bytes: u64) -> String {
    format!("{:.1} MB", n_bytes as f64 / 1e6)
}
