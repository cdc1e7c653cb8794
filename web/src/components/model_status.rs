//! The model: its status, which is announced, and its progress, warnings about it, and the choice among several.

use crate::app::App;
use crate::state::Event;
use crate::{sentences, texts};
use leptos::prelude::*;

/// The status for screen readers. It is on the page as long as the page is, unlike [`ModelStatus`], which comes anew with
/// a table or with answers: screen readers announce what comes into a region that is already there.
#[component]
pub fn SpokenStatus(app: App) -> impl IntoView {
    let status = app.watch(|state| state.status());
    view! {
        <div
            class="only-spoken"
            role="status"
            data-testid="spoken-status"
            prop:textContent=move || sentences::status(&app.texts(), status.get())
        ></div>
    }
}

/// The status as it is seen, beside the answers or above the table, and what is known of the model.
#[component]
pub fn ModelStatus(app: App) -> impl IntoView {
    let status = app.watch(|state| state.status());
    let status = move || sentences::status(&app.texts(), status.get());
    let phase = app.watch(|state| state.phase_name());
    let works_offline = app.watch(|state| state.works_offline());
    let own_labels_work_offline = app.watch(|state| state.own_labels_work_offline());
    let have_threads_failed = app.watch(|state| state.have_threads_failed());
    let n_threads = app.watch(|state| state.n_threads);
    let is_busy = app.watch(|state| state.is_busy());
    let progress = app.watch(|state| state.progress());
    let amount =
        move || progress.get().map(|progress| sentences::amount(&app.texts(), progress)).unwrap_or_default();
    let is_untrained = app.watch(|state| state.model.as_ref().is_some_and(|model| !model.is_trained));
    let notice = app.watch(|state| state.model.as_ref().and_then(|model| model.shown_notice().map(str::to_string)));
    view! {
        <p class="status">
            <span
                data-testid="status"
                data-phase=phase
                data-threads=move || n_threads.get().to_string()
                data-offline=move || works_offline.get().then_some("ready")
                data-offline-labels=move || own_labels_work_offline.get().then_some("ready")
                prop:textContent=status
            ></span>
            <span class="amount" prop:textContent=amount></span>
        </p>
        <Show when=move || is_busy.get()>
            <progress
                data-testid="progress"
                aria-label=status
                max=move || progress.get().map(|progress| progress.total.to_string())
                value=move || progress.get().map(|progress| progress.done.to_string())
            ></progress>
        </Show>
        <Show when=move || have_threads_failed.get()>
            <p class="hint" data-testid="threads-failed">
                {app.say(texts::threads_failed)}
            </p>
        </Show>
        <Show when=move || is_untrained.get()>
            <p class="warning" role="note" data-testid="untrained-warning">
                <strong>{app.say(texts::untrained)}</strong>
                " "
                {app.say(texts::untrained_meaning)}
            </p>
        </Show>
        <Show when=move || notice.get().is_some()>
            <p class="warning" role="note" data-testid="model-notice">{move || notice.get()}</p>
        </Show>
    }
}

/// The name of the model, or a select element if there are several.
#[component]
pub fn ModelChoice(app: App) -> impl IntoView {
    let models = app.watch(|state| state.models.clone());
    let chosen = app.watch(|state| state.chosen_model);
    let option = move |(index, name): (usize, String)| {
        view! { <option value=index.to_string() prop:selected=move || chosen.get() == index>{name}</option> }
    };
    let choice = move || {
        let names: Vec<String> = models.get().into_iter().map(|model| model.name).collect();
        match &names[..] {
            [] => ().into_any(),
            [name] => {
                let name = name.clone();
                view! {
                    <p class="hint" data-testid="model-name">{move || texts::model_name(&app.texts(), &name)}</p>
                }
                .into_any()
            }
            _ => view! {
                <label class="field" for="model-select">{app.say(texts::model)}</label>
                <select
                    id="model-select"
                    data-testid="model-select"
                    on:change=move |event| {
                        if let Ok(index) = event_target_value(&event).parse() {
                            app.send(Event::ModelChosen(index));
                        }
                    }
                >
                    {names.into_iter().enumerate().map(option).collect_view()}
                </select>
            }
            .into_any(),
        }
    };
    let printed = move || {
        let name = models.get().get(chosen.get()).map(|model| model.name.clone());
        name.map(|name| texts::model_name(&app.texts(), &name))
    };
    view! {
        {choice}
        <p class="in-print">{printed}</p>
    }
}
