//! Many photos: the buttons that add them, the table of their answers, and its search.

mod search;
mod table;

pub use table::PhotoTable;

use crate::app::{App, focus};
use crate::components::photo_input::accepted;
use crate::state::Event;
use crate::texts;
use leptos::ev;
use leptos::html::Input;
use leptos::prelude::*;
use web_sys::HtmlInputElement;

/// The buttons that add several files or a folder, or go back to the table.
#[component]
pub fn AddMany(app: App) -> impl IntoView {
    let n_files = app.watch(|state| state.batch.as_ref().map(|batch| batch.n_files()));
    let on_change = move |event: ev::Event| {
        let input: HtmlInputElement = event_target(&event);
        if let Some(files) = input.files() {
            app.choose_many(&files);
        }
        input.set_value(""); // so that choosing the same files again is an event
    };
    let folder = NodeRef::<Input>::new();
    Effect::new(move |_| {
        if let Some(folder) = folder.get() {
            folder.set_webkitdirectory(true);
        }
    });
    view! {
        <div class="buttons">
            <label class="button plain">
                <input data-testid="many-input" type="file" accept=accepted() multiple on:change=on_change/>
                {app.say(texts::photo_many)}
            </label>
            <label class="button plain folder">
                <input data-testid="folder-input" type="file" node_ref=folder on:change=on_change/>
                {app.say(texts::photo_folder)}
            </label>
            {move || n_files.get().map(|n_files| view! {
                <button
                    type="button"
                    class="button plain"
                    data-testid="show-table"
                    on:click=move |_| {
                        app.send(Event::BatchShown);
                        focus::move_to(search::TABLE);
                    }
                >
                    {move || texts::photo_back_to_table(&app.texts(), n_files)}
                </button>
            })}
        </div>
    }
}
