//! A label, as the model knows it, and its name in the language of the page.

use crate::app::App;
use crate::sentences;
use leptos::prelude::*;

/// The label in English; beside it, its name in the language of the page, if there is one.
#[component]
pub fn Label(app: App, #[prop(into)] label: String) -> impl IntoView {
    let (shown, named) = (label.clone(), label.clone());
    let lang = move || sentences::labels_language(&app.texts(), [&named]);
    let translation = move || {
        let texts = app.texts();
        let name = sentences::translation(&texts, &label)?;
        Some(view! { " "<span class="translation" lang=texts.language().code()>{name}</span> })
    };
    view! { <span lang=lang>{shown}</span>{translation} }
}
