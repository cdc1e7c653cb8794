//! The page: its start and its layout.

use crate::app::App;
use crate::components::{Advice, DropOverlay, ImagePicker, Journal, LabelEditor, PhotoTable, Predictions};
use crate::document::{builds, has_attribute, server_name};
use crate::state::Event;
use leptos::prelude::*;

/// Starts the page's program.
pub fn start() {
    console_error_panic_hook::set_once();
    // `boot.js` has already shown what this browser lacks.
    if has_attribute("data-unsupported") {
        return;
    }
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
    mount_to_body(Page);
}

#[component]
fn Page() -> impl IntoView {
    let app = App::start(builds());
    if has_attribute("data-stored") {
        app.send(Event::PageStored);
    }
    window_event_listener_untyped("dermake:stored", move |_| app.send(Event::PageStored));
    let is_table = app.watch(|state| state.open_batch().is_some());
    view! {
        <Header app/>
        <main class:many=move || is_table.get()>
            <Show when=move || is_table.get() fallback=move || view! { <ImagePicker app/> }>
                <PhotoTable app/>
            </Show>
            <div class="answers">
                <LabelEditor app/>
                <Show when=move || !is_table.get()>
                    <Predictions app/>
                </Show>
                <Advice/>
                <Journal app/>
            </div>
        </main>
        <Footer app/>
        <DropOverlay app/>
    }
}

#[component]
fn Header(app: App) -> impl IntoView {
    let is_on_server = app.watch(|state| state.is_on_server);
    view! {
        <header>
            <h1>"Dermake"</h1>
            <p>"Ranks labels that you choose by how well they fit a photo of skin."</p>
            <p class="disclaimer" data-testid="disclaimer">
                <strong>"Research software, not a medical device."</strong>
                " It gives no diagnosis: if something on your skin worries you, show it to a doctor. "
                <strong>
                    {move || match is_on_server.get() {
                        false => "The photo stays on this device.".into(),
                        true => format!("The photo is sent to {}.", server_name()),
                    }}
                </strong>
            </p>
        </header>
    }
}

#[component]
fn Footer(app: App) -> impl IntoView {
    let own_labels_work_offline = app.watch(|state| state.own_labels_work_offline());
    let works_offline = app.watch(|state| state.works_offline());
    let is_on_server = app.watch(|state| state.is_on_server);
    view! {
        <footer>
            <p>
                {move || match is_on_server.get() {
                    false => "The model runs in this browser. The page fetches only its own files and sends nothing.",
                    true => "The model runs on the server, as you chose: the pixels that it needs of each photo are sent there.",
                }}
                " Your labels are stored on this device, and so is the photo, until you close this tab or remove it."
            </p>
            <Show when=move || works_offline.get()>
                <p data-testid="offline-ready">
                    {move || match own_labels_work_offline.get() {
                        true => "Stored on this device: this page now works offline.",
                        false => {
                            "Stored on this device: this page now works offline, except for your own labels: the part of \
                             the model that they need is downloaded when you first use them."
                        }
                    }}
                </p>
            </Show>
        </footer>
    }
}
