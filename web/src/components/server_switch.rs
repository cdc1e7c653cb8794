//! The switch for inference on the server, shown if the server runs the model.

use crate::app::App;
use crate::document::server_name;
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
                    "For slow devices. The photo then leaves this device: the pixels that the model needs, a small \
                     square without metadata, are sent to {}.",
                    server_name(),
                )}
            </p>
        </Show>
    }
}
