//! The journal: keeps photos of a spot on this device, and compares two of them.

mod compare;
mod figure;
mod keep;
mod question;
mod timeline;

use crate::app::{App, can_keep, focus};
use crate::{sentences, texts};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use question::{Question, Wording};
use web_sys::HtmlInputElement;

/// Id of the button that opens the question whether to delete all.
const DELETE_ID: &str = "delete-journal";
const QUESTION: Wording = Wording {
    question: texts::journal_delete_question,
    delete: texts::journal_delete_confirm,
    keep: texts::journal_delete_cancel,
};

/// The card. It shows only how to keep a photo until something is kept.
#[component]
pub fn Journal(app: App) -> impl IntoView {
    // Another photo has an empty form; one that is answered again keeps what was typed.
    let photo_id = app.watch(|state| state.keeping().and_then(|_| Some(state.photo.as_ref()?.id)));
    let error = app.watch(|state| state.journal.error.clone());
    let message = app.watch(|state| state.journal.message);
    let message = move || message.get().map(|message| sentences::journal_message(&app.texts(), message));
    let has_entries = app.watch(|state| !state.journal.entries.is_empty());
    let is_figure_alone = app.watch(|state| state.keeping().is_none() && !state.journal.spots_by_site().is_empty());
    let may_be_deleted = app.watch(|state| state.journal.may_be_deleted && !state.journal.entries.is_empty());
    view! {
        <Show when=can_keep>
            <section class="card journal" aria-labelledby="journal-title" data-testid="journal">
                <h2 id="journal-title">{app.say(texts::journal)}</h2>
                <p class="hint">{app.say(texts::journal_hint)}</p>
                <For each=move || photo_id.get() key=|photo_id| *photo_id children=move |_| view! { <keep::KeepForm app/> }/>
                <p class="hint note" role="status" data-testid="journal-message">{message}</p>
                {move || error.get().map(|error| view! {
                    <p class="notice" role="alert" data-testid="journal-error">{sentences::error(&app.texts(), &error)}</p>
                })}
                <Show when=move || may_be_deleted.get()>
                    <p class="hint" data-testid="journal-may-go">{app.say(texts::journal_may_go)}</p>
                </Show>
                <compare::Comparison app/>
                <Show when=move || is_figure_alone.get()>
                    <figure::BodyFigure app/>
                </Show>
                <timeline::Timeline app/>
                <Files app has_entries/>
            </section>
        </Show>
    }
}

/// Export, import and delete all.
#[component]
fn Files(app: App, has_entries: Memo<bool>) -> impl IntoView {
    let is_deleting = RwSignal::new(false);
    let on_import = move |event: ev::Event| {
        let input: HtmlInputElement = event_target(&event);
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            spawn_local(app.import_journal(file));
        }
        input.set_value(""); // so that choosing the same file again is an event
    };
    let close = move || {
        is_deleting.set(false);
        focus::move_to(DELETE_ID);
    };
    let delete_all = move |()| {
        spawn_local(async move {
            app.remove_from_journal(None).await;
            close();
        });
    };
    view! {
        <div class="buttons">
            <Show when=move || has_entries.get()>
                <button
                    type="button"
                    class="button plain"
                    data-testid="export-journal"
                    on:click=move |_| spawn_local(app.export_journal())
                >
                    {app.say(texts::journal_save)}
                </button>
            </Show>
            <label class="button plain">
                <input data-testid="import-journal" type="file" accept="application/json,.json" on:change=on_import/>
                {app.say(texts::journal_open)}
            </label>
            <Show when=move || has_entries.get() && !is_deleting.get()>
                <button
                    type="button"
                    id=DELETE_ID
                    class="button plain"
                    data-testid="delete-journal"
                    on:click=move |_| is_deleting.set(true)
                >
                    {app.say(texts::journal_delete_all)}
                </button>
            </Show>
        </div>
        <Show when=move || is_deleting.get()>
            <Question
                app
                name="journal"
                id="journal-deletion"
                title=Signal::derive(app.say(texts::journal_delete))
                wording=QUESTION
                on_delete=Callback::new(delete_all)
                on_keep=Callback::new(move |()| close())
            />
        </Show>
    }
}
