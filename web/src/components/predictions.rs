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
    let answer = app.watch(|state| state.answer.clone());
    let is_busy = app.watch(|state| state.is_busy());
    let is_all = RwSignal::new(false);
    Effect::new(move |_| {
        answer.track();
        is_all.set(false);
    });
    let answers = move || {
        answer.get().map(|answer| {
            let n_answers = answer.predictions.len();
            let n_first = n_shown(n_answers, N_FIRST);
            let shown = move || if is_all.get() { n_answers } else { n_first };
            let verdict = answer.verdict();
            let class = if verdict.is_warning() { "warning" } else { "hint" };
            let (predictions, computed) = (answer.predictions, answer.computed);
            let engine = computed.by.name();
            view! {
                <p class=class data-testid="verdict" data-verdict=verdict.name()>
                    {move || sentences::verdict(&app.texts(), verdict)}
                </p>
                <ol data-testid="predictions" aria-label=app.say(texts::answers_list)>
                    {move || predictions[..shown()].iter().map(|found| row(app, found)).collect_view()}
                </ol>
                <Show when=move || { n_answers > n_first }>
                    <button
                        type="button"
                        class="button plain"
                        data-testid="show-all"
                        aria-pressed=move || is_all.get().to_string()
                        on:click=move |_| is_all.update(|is_all| *is_all = !*is_all)
                        prop:textContent=move || match is_all.get() {
                            true => texts::answers_fewer(&app.texts()),
                            false => texts::answers_all(&app.texts(), n_answers),
                        }
                    ></button>
                </Show>
                <p
                    class="hint"
                    data-testid="answered-by"
                    data-engine=engine
                    data-millis=answer.millis.to_string()
                >
                    {move || sentences::answered(&app.texts(), answer.millis, &computed)}
                </p>
            }
        })
    };
    view! {
        <section class="card" id=ANSWERS_ID aria-labelledby="answers-title">
            <h2 id="answers-title">{app.say(texts::answers)}</h2>
            <ModelStatus app/>
            <Notice app/>
            <div id=RANKED_ID aria-live="polite" aria-busy=move || is_busy.get().to_string()>
                {answers}
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
