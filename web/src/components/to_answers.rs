//! The way from the photo to its answers. In one column, as on a phone, they are far below it.

use crate::app::{App, focus};
use crate::sentences;
use crate::state::BelowPhoto;
use crate::texts::{self, Text};
use leptos::prelude::*;

/// Id of the part of the page that has the answers, and what is wrong with a photo.
pub const ANSWERS_ID: &str = "answers";
/// Id of the ranked labels in it. Until they are there, it is an empty place below the progress or the error.
pub const RANKED_ID: &str = "ranked-labels";

/// What is being done with the photo, and then the button that goes to its answers. Shown only in one column.
#[component]
pub fn ToAnswers(app: App) -> impl IntoView {
    let below = app.watch(|state| state.below_photo());
    let button = move |text: Text| {
        view! {
            <button
                type="button"
                class="button"
                data-testid="to-answers"
                on:click=move |_| focus::go_to_part(ANSWERS_ID)
            >
                {app.say(text)}
            </button>
        }
    };
    let content = move || match below.get()? {
        BelowPhoto::Answers => Some(button(texts::photo_see_answers).into_any()),
        BelowPhoto::Error => Some(button(texts::photo_see_error).into_any()),
        BelowPhoto::Work => Some(view! { <Work app/> }.into_any()),
    };
    view! { <div class="to-answers">{content}</div> }
}

/// The status once more, near the photo. Screen readers have the one beside the answers.
#[component]
fn Work(app: App) -> impl IntoView {
    let status = app.watch(|state| state.status());
    let progress = app.watch(|state| state.progress());
    let amount =
        move || progress.get().map(|progress| sentences::amount(&app.texts(), progress)).unwrap_or_default();
    view! {
        <p class="status" aria-hidden="true">
            <span prop:textContent=move || sentences::status(&app.texts(), status.get())></span>
            <span class="amount" prop:textContent=amount></span>
        </p>
    }
}
