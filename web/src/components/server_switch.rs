//! The switch for inference on the server, shown if the server runs the model.

use super::switch::Switch;
use crate::app::App;
use crate::document::server_name;
use crate::state::Event;
use leptos::prelude::*;

#[component]
pub fn ServerSwitch(app: App) -> impl IntoView {
    let is_offered = app.watch(|state| state.offers_server());
    let is_on = app.watch(|state| state.is_on_server);
    let hint = format!(
        "For slow devices. The photo then leaves this device: the pixels that the model needs, a small square without \
         metadata, are sent to {}.",
        server_name(),
    );
    view! {
        <Switch app name="server" is_offered is_on to_event=Event::ServerChosen label="Compute on the server" hint/>
    }
}
