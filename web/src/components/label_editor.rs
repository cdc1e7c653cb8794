//! Selects the labels to rank: a set of the model, or the visitor's own.

use super::model_card::ModelCard;
use super::model_status::ModelChoice;
use super::to_answers::{ANSWERS_ID, RANKED_ID};
use crate::app::{App, focus};
use crate::error::{Error, Remedy};
use crate::language::Catalog;
use crate::state::{Event, LabelChoice, OwnLabelsSummary, own_labels_warnings};
use crate::{sentences, texts};
use leptos::ev::KeyboardEvent;
use leptos::html::Textarea;
use leptos::prelude::*;
use shared_model::labels::LabelSet;

/// Ids of the text field of own labels, and of the button that uses them.
const OWN_LABELS_ID: &str = "own-labels";
const USE_ID: &str = "use-own-labels";

#[component]
pub fn LabelEditor(app: App) -> impl IntoView {
    let model = app.model();
    let is_model_known = app.watch(|state| state.model.is_some());
    let chosen = app.watch(|state| state.labels.clone());
    let is_own = move || chosen.get() == Some(LabelChoice::Own);
    let has_one_label = app.watch(|state| state.has_one_label());
    let printed = app.watch(move |state| state.label_set().map(|set| in_print(&app.texts(), set)));
    let on_change = move |event| {
        let key: String = event_target_value(&event);
        let is_own = key == LabelSet::CUSTOM;
        app.send(Event::LabelsChosen(if is_own { LabelChoice::Own } else { LabelChoice::Shipped(key) }));
    };
    let option = move |LabelSet { key, title, .. }: &LabelSet| {
        let choice = LabelChoice::Shipped(key.clone());
        let is_chosen = move || chosen.get().as_ref() == Some(&choice);
        view! { <option value=key.clone() prop:selected=is_chosen>{title.clone()}</option> }
    };
    view! {
        <section class="card" aria-labelledby="labels-title">
            <h2 id="labels-title">{app.say(texts::labels)}</h2>
            <label class="field" for="labels-select">{app.say(texts::labels_rank)}</label>
            <select
                id="labels-select"
                data-testid="labels-select"
                disabled=move || !is_model_known.get()
                on:change=on_change
            >
                <Show when=move || { !is_model_known.get() && !is_own() }>
                    <option prop:selected=true>{app.say(texts::labels_of_model)}</option>
                </Show>
                {move || model.get().map(|model| model.label_sets.iter().map(option).collect_view())}
                <option value=LabelSet::CUSTOM prop:selected=is_own>{app.say(texts::labels_own)}</option>
            </select>
            <Show when=is_own>
                <OwnLabels app/>
            </Show>
            <Show when=move || has_one_label.get()>
                <p class="warning" role="note" data-testid="one-label-warning">
                    {app.say(texts::labels_one)}
                </p>
            </Show>
            <p class="in-print">{printed}</p>
            <ModelChoice app/>
            <ModelCard app/>
        </section>
    }
}

/// The labels in print, where the controls are hidden.
fn in_print(catalog: &Catalog, set: &LabelSet) -> String {
    match set.key.as_str() {
        LabelSet::CUSTOM => texts::labels_own_printed(catalog, &set.class_names.join(", ")),
        _ => texts::labels_printed(catalog, &set.title),
    }
}

#[component]
fn OwnLabels(app: App) -> impl IntoView {
    let text = app.watch(|state| state.own_text.clone());
    // Not of the state, which changes with every report of progress: a thousand labels take a while to parse.
    let summary = Memo::new(move |_| text.with(|text| OwnLabelsSummary::of(text)));
    let summary =
        move || summary.get().map(|summary| sentences::own_labels(&app.texts(), &summary)).unwrap_or_default();
    let warnings = Memo::new(move |_| text.with(|text| own_labels_warnings(text)));
    let warning = move || sentences::warnings(&app.texts(), &warnings.get());
    let is_invalid = app.watch(|state| state.error().map(Error::remedy) == Some(Remedy::OtherLabels));
    let area = NodeRef::<Textarea>::new();
    Effect::new(move |_| {
        let text = text.get();
        // Only if it differs: setting the same text would end the composition of an input method.
        if let Some(area) = area.get().filter(|area| area.value() != text) {
            area.set_value(&text);
        }
    });
    let apply = apply_and_show(app);
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) && !event.is_composing() {
            apply(OWN_LABELS_ID);
        }
    };
    view! {
        <label class="field" for=OWN_LABELS_ID>{app.say(texts::labels_own)}</label>
        <textarea
            id=OWN_LABELS_ID
            data-testid="own-labels"
            rows="3"
            dir="auto"
            spellcheck="false"
            placeholder=app.say(texts::labels_example)
            aria-describedby="own-labels-hint own-labels-summary"
            aria-invalid=move || is_invalid.get().to_string()
            node_ref=area
            on:input=move |event| app.send(Event::OwnLabelsEdited(event_target_value(&event)))
            on:keydown=on_key
        ></textarea>
        <p class="hint" id="own-labels-hint">{app.say(texts::labels_hint)}</p>
        <p class="hint note" id="own-labels-summary" data-testid="own-labels-summary" dir="auto" prop:textContent=summary></p>
        <Show when=move || !warnings.get().is_empty()>
            <p class="warning" role="note" data-testid="own-labels-warning" dir="auto" prop:textContent=warning></p>
        </Show>
        <button
            type="button"
            id=USE_ID
            class="button"
            data-testid="apply-own-labels"
            on:click=move |_| apply(USE_ID)
        >
            {app.say(texts::labels_use)}
        </button>
    }
}

/// Applies the own labels, and scrolls to the progress, then to the answers, which may be below the window. The focus
/// stays: screen readers announce the answers. The function takes the id of the control that was used.
fn apply_and_show(app: App) -> impl Fn(&'static str) + Copy {
    let is_awaited = RwSignal::new(false);
    let is_ended = app.watch(|state| state.answer.is_some() || state.error().is_some());
    Effect::new(move |_| {
        if is_ended.get() && is_awaited.get_untracked() {
            is_awaited.set(false);
            focus::show_near(RANKED_ID, ANSWERS_ID);
        }
    });
    move |control| {
        app.send(Event::OwnLabelsApplied);
        focus::show_near(RANKED_ID, control);
        is_awaited.set(app.read(|state| state.photo.is_some()) && !is_ended.get_untracked());
    }
}
