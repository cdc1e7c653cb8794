//! The error message, with a button for the remedy.

use super::photo_input::open_file_dialog;
use crate::app::App;
use crate::document::reload_page;
use crate::error::Remedy;
use crate::state::Event;
use crate::{sentences, texts};
use leptos::prelude::*;

#[component]
pub fn Notice(app: App) -> impl IntoView {
    let error = app.watch(|state| state.error().cloned());
    let button = move |remedy| match remedy {
        Remedy::Retry => view! {
            <button
                type="button"
                class="button"
                data-testid="retry"
                on:click=move |_| app.send(Event::RetryPressed)
            >
                {app.say(texts::try_again)}
            </button>
        }
        .into_any(),
        Remedy::Reload => view! {
            <button type="button" class="button" data-testid="reload" on:click=move |_| reload_page()>
                {app.say(texts::reload)}
            </button>
        }
        .into_any(),
        Remedy::OtherPhoto => view! {
            <button type="button" class="button" data-testid="other-photo" on:click=move |_| open_file_dialog()>
                {app.say(texts::choose_other_photo)}
            </button>
        }
        .into_any(),
        // The text field is on the page.
        Remedy::OtherLabels => ().into_any(),
    };
    let notice = move || {
        error.get().map(|error| {
            view! {
                <div class="notice" role="alert" data-testid="notice">
                    <p>{sentences::error(&app.texts(), &error)}</p>
                    {button(error.remedy())}
                </div>
            }
        })
    };
    view! { {notice} }
}
