//! The choice of the label whose typical findings are marked, and what the mark means.

use crate::app::App;
use crate::state::Event;
use crate::{sentences, texts};
use leptos::prelude::*;
use shared_model::concepts::Typical;

/// Ids of the choice, and of the sentence on its meaning.
const CHOICE_ID: &str = "typical-label";
const MEANING_ID: &str = "typical-meaning";

#[component]
pub fn TypicalLabel(app: App, typical: Memo<Option<Typical>>) -> impl IntoView {
    let labels = app.watch(|state| state.ranked_labels());
    let meaning =
        move || typical.with(|typical| typical.as_ref().map(|found| sentences::typical(&app.texts(), found)));
    let option = move |label: String| {
        let (value, own) = (label.clone(), label.clone());
        let is_chosen = move || typical.with(|typical| typical.as_ref().is_some_and(|found| found.label == own));
        let name = move || sentences::with_translation(&app.texts(), &label);
        view! { <option value=value prop:selected=is_chosen>{name}</option> }
    };
    view! {
        <Show when=move || typical.with(Option::is_some)>
            <div class="typical-label">
                <label class="field" for=CHOICE_ID>{app.say(texts::findings_typical_of)}</label>
                <select
                    id=CHOICE_ID
                    data-testid="typical-label"
                    aria-describedby=MEANING_ID
                    on:change=move |event| app.send(Event::TypicalLabelChosen(event_target_value(&event)))
                >
                    {move || labels.get().into_iter().map(option).collect_view()}
                </select>
            </div>
            <p
                class="hint"
                id=MEANING_ID
                role="status"
                data-testid="typical-meaning"
                prop:textContent=move || meaning().unwrap_or_default()
            ></p>
        </Show>
    }
}
