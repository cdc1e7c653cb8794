//! The photos of each spot, by date.

use super::compare::KeptPhoto;
use super::question::{Question, Wording};
use crate::app::{App, focus};
use crate::components::label::Label;
use crate::journal::{Entry, EntryText};
use crate::language::Catalog;
use crate::state::Event;
use crate::{sentences, texts};
use leptos::prelude::*;
use leptos::task::spawn_local;

const QUESTION: Wording = Wording {
    question: texts::journal_delete_entry_question,
    delete: texts::journal_delete_entry_confirm,
    keep: texts::journal_delete_entry_cancel,
};

/// An entry that stays is not drawn again: its photo would be read again, and its buttons would lose the focus.
#[component]
pub fn Timeline(app: App) -> impl IntoView {
    let spots = app.watch(|state| state.journal.spots());
    let spot = move |(name, _): (String, Vec<Entry>)| {
        let title = name.clone();
        let entries = move || {
            spots.with(|spots| spots.iter().find(|(spot, _)| *spot == name).map(|(_, entries)| entries.clone()))
        };
        view! {
            <h3 dir="auto">{title}</h3>
            <ul class="timeline">
                <For
                    each=move || entries().unwrap_or_default()
                    key=|entry| entry.id.clone()
                    children=move |entry| view! { <Kept app entry/> }
                />
            </ul>
        }
    };
    view! { <For each=move || spots.get() key=|(name, _)| name.clone() children=spot/> }
}

/// Deletes an entry, and returns whether it was deleted. The focus goes to the one beside it: to the entry and not to
/// its button, since a key that is held down would go on to the next question.
async fn delete(app: App, id: String) -> bool {
    let (deleted, beside) = (element_id(&id), app.read(|state| state.journal.id_beside(&id)));
    let is_deleted = app.remove_from_journal(Some(id)).await;
    if is_deleted
        && focus::is_in(&deleted)
        && let Some(beside) = beside
    {
        focus::move_to_part(element_id(&beside));
    }
    is_deleted
}

/// Id of the element that shows an entry.
fn element_id(entry_id: &str) -> String {
    format!("entry-{entry_id}")
}

#[component]
fn Kept(app: App, entry: Entry) -> impl IntoView {
    let id = StoredValue::new(entry.id.clone());
    let (element, is_deleting) = (StoredValue::new(element_id(&entry.id)), RwSignal::new(false));
    let part = move |part: &str| element.with_value(|element| format!("{element}-{part}"));
    let close = move || {
        is_deleting.set(false);
        focus::move_to(part("delete"));
    };
    let delete = move |()| {
        let id = id.get_value();
        spawn_local(async move {
            if !delete(app, id).await {
                close();
            }
        });
    };
    let is_marked = app.watch(move |state| id.with_value(|id| state.journal.marked.contains(id)));
    let first = entry.answers.first().map(|first| {
        let (label, probability) = (first.label.clone(), first.probability);
        view! { <Label app label/>", "{move || sentences::percent(&app.texts(), probability)} }
    });
    let verdict = entry.verdict();
    let remark = move || {
        let remark = sentences::remark(&app.texts(), verdict)?;
        Some(view! { " "<span class="remark">{remark}</span> })
    };
    let EntryText { body_site, note, .. } = entry.text.clone();
    let about = move || {
        let site = sentences::body_site(&app.texts(), &body_site);
        match (site.is_empty(), note.is_empty()) {
            (_, true) => site,
            (true, false) => note.clone(),
            (false, false) => texts::journal_site_and_note(&app.texts(), &site, &note),
        }
    };
    let date = StoredValue::new(entry.date().to_string());
    let with_date =
        move |text: fn(&Catalog, &str) -> String| move || date.with_value(|date| text(&app.texts(), date));
    view! {
        <li id=element.get_value() data-testid="journal-entry">
            <KeptPhoto entry=entry.clone()/>
            <div>
                <p><strong>{date.get_value()}</strong>" "<span dir="auto">{first}</span>{remark}</p>
                <p class="hint" dir="auto">{about}</p>
                <div class="buttons">
                    <button
                        type="button"
                        class="button plain"
                        aria-pressed=move || is_marked.get().to_string()
                        aria-label=with_date(texts::journal_compare_photo)
                        data-testid="compare"
                        on:click=move |_| app.send(Event::JournalMarked(id.get_value()))
                    >
                        {app.say(texts::journal_compare)}
                    </button>
                    <Show when=move || !is_deleting.get()>
                        <button
                            type="button"
                            id=part("delete")
                            class="button plain"
                            aria-label=with_date(texts::journal_delete_photo)
                            data-testid="delete-entry"
                            on:click=move |_| is_deleting.set(true)
                        >
                            {app.say(texts::journal_delete_entry)}
                        </button>
                    </Show>
                </div>
                <Show when=move || is_deleting.get()>
                    <Question
                        app
                        name="entry"
                        id=part("deletion")
                        title=Signal::derive(with_date(texts::journal_delete_photo))
                        wording=QUESTION
                        on_delete=Callback::new(delete)
                        on_keep=Callback::new(move |()| close())
                    />
                </Show>
            </div>
        </li>
    }
}
