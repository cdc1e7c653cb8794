//! Which labels to choose among: a set of the model, or the visitor's own.

use super::model_status::ModelChoice;
use crate::app::App;
use crate::error::{Error, WayOn};
use crate::state::{Event, LabelChoice};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use shared_model::labels::LabelSet;

#[component]
pub fn LabelEditor(app: App) -> impl IntoView {
    let sets = app.watch(|state| state.model.as_ref().map(|model| model.label_sets.clone()).unwrap_or_default());
    let is_model_known = app.watch(|state| state.model.is_some());
    let chosen = app.watch(|state| state.labels.clone());
    let is_own = move || chosen.get() == Some(LabelChoice::Own);
    let on_change = move |event| {
        let key: String = event_target_value(&event);
        let is_own = key == LabelSet::CUSTOM;
        app.send(Event::LabelsChosen(if is_own { LabelChoice::Own } else { LabelChoice::Shipped(key) }));
    };
    let option = move |set: LabelSet| {
        let choice = LabelChoice::Shipped(set.key.clone());
        view! { <option value=set.key prop:selected=move || chosen.get().as_ref() == Some(&choice)>{set.title}</option> }
    };
    view! {
        <section class="card" aria-labelledby="labels-title">
            <h2 id="labels-title">"Labels"</h2>
            <label class="field" for="labels-select">"Choose among"</label>
            <select
                id="labels-select"
                data-testid="labels-select"
                disabled=move || !is_model_known.get()
                on:change=on_change
            >
                {move || sets.get().into_iter().map(option).collect_view()}
                <option value=LabelSet::CUSTOM prop:selected=is_own>"Your own labels"</option>
            </select>
            <Show when=is_own>
                <OwnLabels app/>
            </Show>
            <ModelChoice app/>
        </section>
    }
}

#[component]
fn OwnLabels(app: App) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let is_wrong = app.watch(|state| state.error().map(Error::way_on) == Some(WayOn::OtherLabels));
    let apply = move || app.send(Event::OwnLabelsTyped(text.get_untracked()));
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            apply();
        }
    };
    view! {
        <label class="field" for="own-labels">"Your own labels"</label>
        <textarea
            id="own-labels"
            data-testid="own-labels"
            rows="3"
            spellcheck="false"
            placeholder="melanoma, mole, eczema"
            aria-describedby="own-labels-hint"
            aria-invalid=move || is_wrong.get().to_string()
            prop:value=text
            on:input=move |event| text.set(event_target_value(&event))
            on:keydown=on_key
        ></textarea>
        <p class="hint" id="own-labels-hint">
            "Separated by commas or lines. The first use fetches the text part of the model."
        </p>
        <button type="button" class="button" data-testid="apply-own-labels" on:click=move |_| apply()>
            "Use these labels"
        </button>
    }
}
