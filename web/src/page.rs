//! The page: its start and its layout.

use crate::app::App;
use crate::components::{
    Advice, DropOverlay, ImagePicker, Journal, LabelEditor, LanguageChoice, PhotoTable, Predictions, SpokenStatus,
};
use crate::document::{builds, has_attribute, server_name};
use crate::state::Event;
use crate::storage;
use crate::texts;
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
    window_event_listener_untyped("online", move |_| app.send(Event::NetworkReturned));
    // The visitor leaves or reloads the page: it does not end by itself.
    window_event_listener_untyped("pagehide", |_| storage::photo::set_suspect(false));
    // Another tab has changed what is stored.
    window_event_listener_untyped("storage", move |_| app.restore_feature_keeping());
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
                <Advice app/>
                <Journal app/>
            </div>
            <SpokenStatus app/>
        </main>
        <Footer app/>
        <DropOverlay app/>
    }
}

#[component]
fn Header(app: App) -> impl IntoView {
    let is_on_server = app.watch(|state| state.is_on_server);
    let where_photo_goes = move || match is_on_server.get() {
        false => texts::page_photo_stays(&app.texts()),
        true => texts::page_photo_sent(&app.texts(), &server_name()),
    };
    view! {
        <header>
            <h1>"Dermake"</h1>
            <LanguageChoice app/>
            <p>{app.say(texts::page_subtitle)}</p>
            <p class="disclaimer" data-testid="disclaimer">
                <strong>{app.say(texts::page_research)}</strong>
                " "
                {app.say(texts::page_no_diagnosis)}
                " "
                <strong prop:textContent=where_photo_goes></strong>
            </p>
        </header>
    }
}

#[component]
fn Footer(app: App) -> impl IntoView {
    let own_labels_work_offline = app.watch(|state| state.own_labels_work_offline());
    let works_offline = app.watch(|state| state.works_offline());
    let is_on_server = app.watch(|state| state.is_on_server);
    let where_it_runs = move || match is_on_server.get() {
        false => texts::page_runs_here(&app.texts()),
        true => texts::page_runs_on_server(&app.texts()),
    };
    let what_works_offline = move || match own_labels_work_offline.get() {
        true => texts::page_offline(&app.texts()),
        false => texts::page_offline_part(&app.texts()),
    };
    view! {
        <footer>
            <p>
                <span prop:textContent=where_it_runs></span>
                " "
                {app.say(texts::page_stores)}
            </p>
            <Show when=move || works_offline.get()>
                <p data-testid="offline-ready" prop:textContent=what_works_offline></p>
            </Show>
            // In a tab of its own: this one has the photo. `finish.sh` writes the file.
            <p>
                <a href="licenses.txt" target="_blank" rel="license noopener" data-testid="licenses">
                    {app.say(texts::page_licenses)}
                </a>
            </p>
        </footer>
    }
}
