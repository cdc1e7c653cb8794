//! The form that keeps the current photo. It stays while the photo is answered again, with what was typed into it.

use super::figure::BodyFigure;
use crate::app::App;
use crate::journal::{BODY_SITES, EntryText, MAX_TEXT_CHARS};
use crate::state::Keeping;
use crate::{sentences, texts};
use leptos::ev::SubmitEvent;
use leptos::html::{Input, Textarea};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Id of the sentence why the photo cannot be kept.
const WHY_NOT_ID: &str = "cannot-keep";

#[component]
pub fn KeepForm(app: App) -> impl IntoView {
    let spots = app.watch(|state| state.journal.spots().into_iter().map(|(spot, _)| spot).collect::<Vec<_>>());
    let (spot, note) = (NodeRef::<Input>::new(), NodeRef::<Textarea>::new());
    let site = RwSignal::new(String::new());
    let keeping = app.watch(|state| state.keeping());
    let is_possible = move || keeping.get() == Some(Keeping::Possible);
    let why_not = move || keeping.get().and_then(|keeping| sentences::keeping(&app.texts(), keeping));
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if keeping.get_untracked() != Some(Keeping::Possible) {
            return; // the sentence beside the button says why
        }
        let (Some(spot), Some(note)) = (spot.get(), note.get()) else { return };
        let text = EntryText { spot: spot.value(), body_site: site.get_untracked(), note: note.value() };
        spawn_local(async move {
            // A note that was not kept stays for the next try.
            if app.keep_in_journal(text).await {
                note.set_value("");
            }
        });
    };
    let site_option = move |site: &'static str| {
        view! { <option value=site>{move || sentences::body_site(&app.texts(), site)}</option> }
    };
    view! {
        <form on:submit=on_submit>
            <label class="field" for="journal-spot">{app.say(texts::journal_spot)}</label>
            <input
                id="journal-spot"
                class="text"
                type="text"
                required
                maxlength="200"
                list="journal-spots"
                placeholder=app.say(texts::journal_spot_example)
                data-testid="journal-spot"
                node_ref=spot
            />
            <datalist id="journal-spots">
                {move || spots.get().into_iter().map(|spot| view! { <option value=spot></option> }).collect_view()}
            </datalist>
            <label class="field" for="journal-site">{app.say(texts::journal_site)}</label>
            <select
                id="journal-site"
                data-testid="journal-site"
                prop:value=move || site.get()
                on:change=move |event| site.set(event_target_value(&event))
            >
                <option value="">{app.say(texts::journal_site_none)}</option>
                {BODY_SITES.map(site_option).collect_view()}
            </select>
            <BodyFigure app chosen=site/>
            <label class="field" for="journal-note">{app.say(texts::journal_note)}</label>
            <textarea
                id="journal-note"
                rows="2"
                maxlength=MAX_TEXT_CHARS.to_string()
                data-testid="journal-note"
                node_ref=note
            ></textarea>
            <button
                type="submit"
                class="button"
                // Not `disabled`: it keeps the focus, and is found by the keyboard.
                aria-disabled=move || (!is_possible()).to_string()
                aria-describedby=WHY_NOT_ID
                data-testid="keep"
            >
                {app.say(texts::journal_keep)}
            </button>
            <p class="hint note" id=WHY_NOT_ID data-testid="cannot-keep" prop:textContent=move || why_not().unwrap_or_default()></p>
        </form>
    }
}
