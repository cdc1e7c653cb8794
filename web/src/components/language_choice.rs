//! The choice of the page's language.

use crate::app::App;
use crate::language::Language;
use crate::texts;
use leptos::html::Select;
use leptos::prelude::*;

/// A select element with each language by its own name, and a message if the texts of one could not be fetched.
#[component]
pub fn LanguageChoice(app: App) -> impl IntoView {
    let select = NodeRef::<Select>::new();
    // After a choice that failed, the element shows the language of the page again.
    Effect::new(move |_| {
        app.failed_language();
        if let Some(select) = select.get() {
            select.set_value(app.texts().language().code());
        }
    });
    let option = move |language: Language| {
        view! { <option value=language.code() lang=language.code()>{language.name()}</option> }
    };
    let failed = move || {
        let language = app.failed_language()?;
        Some(texts::language_failed(&app.texts(), language.name()))
    };
    view! {
        <p class="language">
            <label for="language-select">{app.say(texts::language)}</label>
            <select
                id="language-select"
                data-testid="language-select"
                node_ref=select
                on:change=move |event| {
                    if let Some(language) = Language::of_tag(&event_target_value(&event)) {
                        app.choose_language(language);
                    }
                }
            >
                {Language::ALL.map(option).collect_view()}
            </select>
        </p>
        <p class="hint note" role="status" data-testid="language-failed">{failed}</p>
    }
}
