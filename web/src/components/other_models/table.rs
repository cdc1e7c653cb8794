//! The answers of several models side by side, whether they agree, and whether to believe each of them.

use crate::app::App;
use crate::components::label::Label;
use crate::model_comparison::{ComparedLabel, compared_labels};
use crate::state::ComparedModel;
use crate::{sentences, texts};
use leptos::prelude::*;

/// The answers, once another model has one.
#[component]
pub fn ComparedAnswers(app: App) -> impl IntoView {
    let models = app.watch(|state| state.compared_models());
    let sentence = move || models.with(|models| sentences::models_agree(&app.texts(), models)).unwrap_or_default();
    let answers = move || {
        let models = models.get();
        (!models.is_empty()).then(|| {
            let rows = compared_labels(&models);
            let name = |model: &ComparedModel| view! { <th scope="col" dir="auto">{model.name.clone()}</th> };
            view! {
                <div class="comparison" data-testid="compared-models">
                    <div class="table" role="region" aria-label=app.say(texts::models_answers) tabindex="0">
                        <table>
                            <caption>{app.say(texts::models_answers)}</caption>
                            <thead>
                                <tr>
                                    <th scope="col">{app.say(texts::comparison_label)}</th>
                                    {models.iter().map(name).collect_view()}
                                </tr>
                            </thead>
                            <tbody>{rows.into_iter().map(|found| row(app, found)).collect_view()}</tbody>
                        </table>
                    </div>
                    {models.into_iter().map(|model| belief(app, model)).collect_view()}
                    <p class="hint">{app.say(texts::models_caution)}</p>
                </div>
            }
        })
    };
    view! {
        // Always there, so that screen readers announce what comes into it.
        <p role="status" dir="auto" data-testid="models-agree" prop:textContent=sentence></p>
        {answers}
    }
}

fn row(app: App, ComparedLabel { label, probabilities }: ComparedLabel) -> impl IntoView {
    let cell = |probability: Option<f32>| {
        let written = move || match probability {
            Some(probability) => sentences::percent(&app.texts(), probability),
            None => texts::comparison_missing(&app.texts()),
        };
        view! { <td data-probability=probability.map(|probability| probability.to_string())>{written}</td> }
    };
    let name = label.clone();
    view! {
        <tr data-testid="compared-label" data-label=name>
            <th scope="row" dir="auto"><Label app label/></th>
            {probabilities.into_iter().map(cell).collect_view()}
        </tr>
    }
}

/// Whether to believe a model's answer, what computed it, and warnings about the model.
fn belief(app: App, model: ComparedModel) -> impl IntoView {
    let verdict = model.verdict();
    let class = if verdict.is_warning() { "warning" } else { "hint" };
    let ComparedModel { name, is_trained, notice, answer } = model;
    let said = move || {
        let texts = app.texts();
        let untrained = (!is_trained).then(|| texts::untrained(&texts));
        let verdict = sentences::verdict(&texts, verdict);
        let answered = sentences::answered(&texts, answer.millis, &answer.computed);
        let said = [Some(verdict), untrained, notice.clone(), Some(answered)];
        texts::models_says(&texts, &name, &said.into_iter().flatten().collect::<Vec<_>>().join(" "))
    };
    view! {
        <p class=class dir="auto" data-testid="model-verdict" data-verdict=verdict.name()>{said}</p>
    }
}
