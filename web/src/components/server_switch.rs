//! The switch for inference on the server, shown if the server runs the model.

use super::switch::Switch;
use crate::app::App;
use crate::document::server_name;
use crate::state::Event;
use crate::texts;
use leptos::prelude::*;

#[component]
pub fn ServerSwitch(app: App) -> impl IntoView {
    let is_offered = app.watch(|state| state.offers_server());
    let is_on = app.watch(|state| state.is_on_server);
    view! {
        <Switch
            app
            name="server"
            is_offered
            is_on
            to_event=Event::ServerChosen
            label=texts::server
            hint=|catalog| texts::server_hint(catalog, &server_name())
        />
    }
}
