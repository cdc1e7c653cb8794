//! The photos of each spot, by date.

use super::compare::KeptPhoto;
use crate::app::App;
use crate::journal::Entry;
use crate::state::{Event, percent};
use leptos::prelude::*;
use leptos::task::spawn_local;

#[component]
pub fn Timeline(app: App) -> impl IntoView {
    let spots = app.watch(|state| state.journal.spots());
    let spot = move |(name, entries): (String, Vec<Entry>)| {
        view! {
            <h3 dir="auto">{name}</h3>
            <ul class="timeline">{entries.into_iter().map(|entry| view! { <Kept app entry/> }).collect_view()}</ul>
        }
    };
    move || spots.get().into_iter().map(spot).collect_view()
}

#[component]
fn Kept(app: App, entry: Entry) -> impl IntoView {
    let id = StoredValue::new(entry.id.clone());
    let is_marked = app.watch(move |state| id.with_value(|id| state.journal.marked.contains(id)));
    let first = entry.answers.first().map(|first| format!("{}, {}", first.label, percent(first.probability)));
    let remark = entry.verdict().remark().map(|remark| view! { " "<span class="remark">{remark}</span> });
    let about = [entry.text.body_site.clone(), entry.text.note.clone()].into_iter().filter(|text| !text.is_empty());
    let about = about.collect::<Vec<_>>().join(": ");
    let date = entry.date().to_string();
    view! {
        <li data-testid="journal-entry">
            <KeptPhoto entry=entry.clone()/>
            <div>
                <p><strong>{date.clone()}</strong>" "<span dir="auto">{first}</span>{remark}</p>
                <p class="hint" dir="auto">{about}</p>
                <div class="buttons">
                    <button
                        type="button"
                        class="button plain"
                        aria-pressed=move || is_marked.get().to_string()
                        aria-label=format!("Compare the photo of {date}")
                        data-testid="compare"
                        on:click=move |_| app.send(Event::JournalMarked(id.get_value()))
                    >
                        "Compare"
                    </button>
                    <button
                        type="button"
                        class="button plain"
                        aria-label=format!("Delete the photo of {date}")
                        data-testid="delete-entry"
                        on:click=move |_| spawn_local(app.remove_from_journal(Some(id.get_value())))
                    >
                        "Delete"
                    </button>
                </div>
            </div>
        </li>
    }
}
