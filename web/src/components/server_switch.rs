//! Lets the server look at photos, where it offers to and the visitor chooses so.

use crate::app::{App, server_name};
use crate::state::Event;
use leptos::prelude::*;

#[component]
pub fn ServerSwitch(app: App) -> impl IntoView {
    let is_offered = app.watch(|state| state.offers_server());
    let is_on = app.watch(|state| state.is_on_server);
    view! {
        <Show when=move || is_offered.get()>
            <label class="switch">
                <input
                    type="checkbox"
                    role="switch"
                    data-testid="server-switch"
                    aria-describedby="server-hint"
                    prop:checked=is_on
                    on:change=move |event| app.send(Event::ServerChosen(event_target_checked(&event)))
                />
                "Compute on the server"
            </label>
            <p class="hint" id="server-hint">
                {format!(
                    "For devices that are too weak. The photo then leaves this device: what the model looks at of it, \
                     a small square without metadata, is sent to {}.",
                    server_name(),
                )}
            </p>
        </Show>
    }
}
