//! Which model this is, by its manifest.

use crate::app::App;
use crate::model_card::{Row, about_labels, megabytes, rows};
use crate::{sentences, texts};
use leptos::prelude::*;
use shared_model::labels::LabelSet;
use shared_model::manifest::ManifestFile;

/// What the manifest says of the model, and what it does not say.
#[component]
pub fn ModelCard(app: App) -> impl IntoView {
    let model = app.model();
    move || {
        model.get().map(|model| {
            let sets = model.label_sets.iter().map(|set| label_set(app, set)).collect_view();
            let files = model.files.iter().map(|found| file(app, found)).collect_view();
            view! {
                <details class="model-card" data-testid="model-card">
                    <summary>{app.say(texts::card)}</summary>
                    <dl>
                        {move || rows(&app.texts(), &model).into_iter().map(row).collect_view()}
                        <dt>{app.say(texts::card_label_sets)}</dt>
                        {sets}
                    </dl>
                    <p class="hint">{app.say(texts::card_caution)}</p>
                    <ul class="hint files">{files}</ul>
                </details>
            }
        })
    }
}

fn row((name, lines): Row) -> impl IntoView {
    let line = |line: String| view! { <dd dir="auto">{line}</dd> };
    view! { <dt>{name}</dt>{lines.into_iter().map(line).collect_view()} }
}

/// A label set: where it comes from, and its labels once the visitor opens it.
fn label_set(app: App, set: &LabelSet) -> impl IntoView + use<> {
    let key = set.key.clone();
    let about = move || about_labels(&app.texts(), &key).map(|about| view! { <p class="hint">{about}</p> });
    let names = set.class_names.clone();
    let lang = move || sentences::labels_language(&app.texts(), &names);
    view! {
        <dd>
            <details data-testid="label-set">
                <summary dir="auto">{set.title.clone()}</summary>
                {about}
                <p class="hint" dir="auto" lang=lang>{set.class_names.join(", ")}</p>
            </details>
        </dd>
    }
}

fn file(app: App, ManifestFile { file, bytes, sha256, .. }: &ManifestFile) -> impl IntoView + use<> {
    let bytes = *bytes;
    let size = move || megabytes(&app.texts(), bytes);
    view! {
        <li><span class="file">{file.clone()}</span>", "{size}", SHA-256 "<code>{sha256.clone()}</code></li>
    }
}
