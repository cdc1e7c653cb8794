//! Other models that answer the same photo: the form that has one do so, its progress, and the answers side by side.

mod table;

use crate::app::{App, focus};
use crate::state::{Candidate, Cost, Event};
use crate::{sentences, texts};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use table::ComparedAnswers;

/// Ids of the buttons that start and cancel.
const START_ID: &str = "start-other-model";
const CANCEL_ID: &str = "cancel-other-model";

/// Shown once a photo is answered, if the page offers several models.
#[component]
pub fn OtherModels(app: App) -> impl IntoView {
    let is_offered = app.watch(|state| state.offers_other_models());
    view! {
        <Show when=move || is_offered.get()>
            <section class="other-models" aria-labelledby="other-models-title" data-testid="other-models">
                <h3 id="other-models-title">{app.say(texts::models)}</h3>
                <Form app/>
                <Work app/>
                <ComparedAnswers app/>
            </section>
        </Show>
    }
}

/// The choice of a model, and what its answer needs; nothing once all have answered or while one works.
#[component]
fn Form(app: App) -> impl IntoView {
    let candidates = app.watch(|state| state.candidates());
    let is_shown = app.watch(|state| state.other_work().is_none() && !state.candidates().is_empty());
    let wanted = RwSignal::new(None::<usize>);
    let chosen = Memo::new(move |_| {
        let candidates = candidates.get();
        let wanted = candidates.iter().find(|candidate| Some(candidate.index) == wanted.get());
        wanted.or(candidates.first()).cloned()
    });
    let can_answer = move || chosen.get().is_some_and(|candidate| candidate.cost != Cost::LacksLabels);
    let cost = move || chosen.get().map(|candidate| sentences::cost(&app.texts(), candidate.cost));
    let option = move |Candidate { index, name, .. }: Candidate| {
        let is_chosen = move || chosen.get().is_some_and(|candidate| candidate.index == index);
        view! { <option value=index.to_string() prop:selected=is_chosen>{name}</option> }
    };
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(candidate) = chosen.get_untracked().filter(|candidate| candidate.cost != Cost::LacksLabels) {
            app.send(Event::OtherModelWanted(candidate.index));
            focus::move_to(CANCEL_ID);
        }
    };
    view! {
        <Show when=move || is_shown.get()>
            <form on:submit=on_submit>
                <label class="field" for="other-model">{app.say(texts::models_choose)}</label>
                <select
                    id="other-model"
                    data-testid="other-model"
                    on:change=move |event| wanted.set(event_target_value(&event).parse().ok())
                >
                    {move || candidates.get().into_iter().map(option).collect_view()}
                </select>
                <p class="hint" id="other-model-cost" data-testid="other-model-cost">{cost}</p>
                <button
                    type="submit"
                    id=START_ID
                    class="button plain"
                    // Not `disabled`: it is found by the keyboard, and its description says why.
                    aria-disabled=move || (!can_answer()).to_string()
                    aria-describedby="other-model-cost"
                    data-testid="start-other-model"
                >
                    {app.say(texts::models_start)}
                </button>
            </form>
        </Show>
    }
}

/// What the other model does, with its progress, or why it did not answer.
#[component]
fn Work(app: App) -> impl IntoView {
    let is_working = app.watch(|state| state.other_work().is_some());
    let sentence = app.watch(move |state| {
        let work = state.other_work().map(|(model, work)| sentences::other_work(&app.texts(), model, work));
        work.unwrap_or_default()
    });
    let failure = app.watch(move |state| {
        let (model, error) = state.other_failure()?;
        Some(sentences::other_failure(&app.texts(), model, error))
    });
    let progress = app.watch(|state| state.other_progress());
    let amount =
        move || progress.get().map(|progress| sentences::amount(&app.texts(), progress)).unwrap_or_default();
    let on_cancel = move |_| {
        app.send(Event::OtherModelCanceled);
        focus::move_to(START_ID);
    };
    view! {
        <p class="status">
            // Always there, so that screen readers announce what comes into it.
            <span role="status" data-testid="other-model-status" prop:textContent=move || sentence.get()></span>
            <span class="amount" prop:textContent=amount></span>
        </p>
        <Show when=move || is_working.get()>
            <progress
                data-testid="other-model-progress"
                aria-label=move || sentence.get()
                max=move || progress.get().map(|progress| progress.total.to_string())
                value=move || progress.get().map(|progress| progress.done.to_string())
            ></progress>
            <button
                type="button"
                id=CANCEL_ID
                class="button plain"
                data-testid="cancel-other-model"
                on:click=on_cancel
            >
                {app.say(texts::models_cancel)}
            </button>
        </Show>
        {move || failure.get().map(|failure| view! {
            <p class="notice" role="alert" data-testid="other-model-failure">{failure}</p>
        })}
    }
}
