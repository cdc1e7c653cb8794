//! The ranked labels, each with its probability as a number and a bar.

use super::concepts::Concepts;
use super::label::Label;
use super::map::PhotoMap;
use super::model_status::ModelStatus;
use super::notice::Notice;
use super::other_models::OtherModels;
use super::take_along::TakeAlong;
use super::to_answers::{ANSWERS_ID, RANKED_ID};
use crate::app::App;
use crate::state::n_shown;
use crate::{sentences, texts};
use leptos::prelude::*;
use shared_model::zero_shot::Prediction;

/// Number of labels to show before the visitor expands the list.
const N_FIRST: usize = 5;

#[component]
pub fn Predictions(app: App) -> impl IntoView {
    // Without its time: findings that come later do not change the list, and screen readers do not announce it again.
    let answer =
        app.watch(|state| state.answer.as_ref().map(|answer| (answer.verdict(), answer.predictions.clone())));
    let computed = app.watch(|state| state.answer.as_ref().map(|answer| (answer.millis, answer.computed.clone())));
    let n_answers = app.watch(|state| state.answer.as_ref().map_or(0, |answer| answer.predictions.len()));
    let has_more = move || n_answers.get() > n_shown(n_answers.get(), N_FIRST);
    let is_busy = app.watch(|state| state.is_busy());
    let is_all = RwSignal::new(false);
    Effect::new(move |_| {
        answer.track();
        is_all.set(false);
    });
    let answers = move || {
        answer.get().map(|(verdict, predictions)| {
            let class = if verdict.is_warning() { "warning" } else { "hint" };
            let n_first = n_shown(predictions.len(), N_FIRST);
            let first = predictions[..n_first].iter().map(|found| row(app, found)).collect_view();
            let rest = move || {
                let n_rows = if is_all.get() { predictions.len() } else { n_first };
                predictions[n_first..n_rows].iter().map(|found| row(app, found)).collect_view()
            };
            view! {
                <p class=class data-testid="verdict" data-verdict=verdict.name()>
                    {move || sentences::verdict(&app.texts(), verdict)}
                </p>
                <ol data-testid="predictions" aria-label=app.say(texts::answers_list)>{first}{rest}</ol>
            }
        })
    };
    let answered_by = move || {
        computed.get().map(|(millis, computed)| {
            let engine = computed.by.name();
            view! {
                <p class="hint" data-testid="answered-by" data-engine=engine data-millis=millis.to_string()>
                    {move || sentences::answered(&app.texts(), millis, &computed)}
                </p>
            }
        })
    };
    view! {
        <section class="card" id=ANSWERS_ID aria-labelledby="answers-title">
            <h2 id="answers-title">{app.say(texts::answers)}</h2>
            <ModelStatus app/>
            <Notice app/>
            // Screen readers read the first answers by themselves; the rest is there for a visitor who has opened it.
            <div
                id=RANKED_ID
                aria-live=move || if is_all.get() { "off" } else { "polite" }
                aria-busy=move || is_busy.get().to_string()
            >
                {answers}
            </div>
            <div>
                <Show when=has_more>
                    <button
                        type="button"
                        class="button plain"
                        data-testid="show-all"
                        aria-pressed=move || is_all.get().to_string()
                        on:click=move |_| is_all.update(|is_all| *is_all = !*is_all)
                        prop:textContent=move || match is_all.get() {
                            true => texts::answers_fewer(&app.texts()),
                            false => texts::answers_all(&app.texts(), n_answers.get()),
                        }
                    ></button>
                </Show>
                {answered_by}
            </div>
            <PhotoMap app/>
            <Concepts app/>
            <OtherModels app/>
            <TakeAlong app/>
        </section>
    }
}

fn row(app: App, prediction: &Prediction) -> impl IntoView + use<> {
    let Prediction { label, probability, .. } = prediction.clone();
    let shown = label.clone();
    view! {
        <li data-label=label data-probability=probability.to_string()>
            <span class="label" dir="auto"><Label app label=shown/></span>
            <span class="percent">{move || sentences::percent(&app.texts(), probability)}</span>
            <span class="bar" aria-hidden="true">
                <span style:width=format!("{:.2}%", 100.0 * probability)></span>
            </span>
        </li>
    }
}
