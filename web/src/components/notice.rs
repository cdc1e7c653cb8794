//! What went wrong, in a sentence, and the way on.

use super::image_picker::open_file_dialog;
use crate::app::{App, reload_page};
use crate::error::WayOn;
use crate::state::Event;
use leptos::prelude::*;

#[component]
pub fn Notice(app: App) -> impl IntoView {
    let error = app.watch(|state| state.error().cloned());
    let button = move |way_on| match way_on {
        WayOn::Retry => view! {
            <button
                type="button"
                class="button"
                data-testid="retry"
                on:click=move |_| app.send(Event::RetryPressed)
            >
                "Try again"
            </button>
        }
        .into_any(),
        WayOn::Reload => view! {
            <button type="button" class="button" data-testid="reload" on:click=move |_| reload_page()>
                "Load the page again"
            </button>
        }
        .into_any(),
        WayOn::OtherPhoto => view! {
            <button type="button" class="button" data-testid="other-photo" on:click=move |_| open_file_dialog()>
                "Choose another photo"
            </button>
        }
        .into_any(),
        // The labels stand right there.
        WayOn::OtherLabels => ().into_any(),
    };
    let notice = move || {
        error.get().map(|error| {
            view! {
                <div class="notice" role="alert" data-testid="notice">
                    <p>{error.to_string()}</p>
                    {button(error.way_on())}
                </div>
            }
        })
    };
    view! { {notice} }
}
