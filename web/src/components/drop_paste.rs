//! Listens to drops and pastes anywhere on the page; [`DropOrPaste`] decides what to do with them.

use crate::app::App;
use crate::state::{DropDecision, DropOrPaste, DroppedFile, Event};
use crate::texts;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{DataTransfer, Element, Node};

/// Text fields and other elements that keep their own drops and pastes.
const EDITABLE: &str =
    "textarea, select, input:not([type=file]):not([type=checkbox]), [contenteditable]:not([contenteditable=false])";

/// The type that browsers give to files.
const FILES: &str = "Files";

/// The types of links, and of pictures of another page or program that have no file yet.
const LINK_TYPES: [&str; 4] = [FILES, "text/uri-list", "text/x-moz-url", "application/x-moz-file-promise"];

/// Uses photos that are dropped or pasted, and covers the page while files are dragged over it.
#[component]
pub fn DropOverlay(app: App) -> impl IntoView {
    let is_dragging = listen(app);
    view! {
        <div class="drop-overlay" class:shown=move || is_dragging.get() aria-hidden="true">
            {app.say(texts::photo_drop)}
        </div>
    }
}

/// The signal says whether files are being dragged over the page.
fn listen(app: App) -> RwSignal<bool> {
    let is_dragging = RwSignal::new(false);
    window_event_listener(ev::paste, move |event| {
        let data = event.clipboard_data();
        let decision = data.as_ref().map(|data| read(data, &event).pasted());
        apply(app, &event, data, decision);
    });
    window_event_listener(ev::dragover, move |event| {
        let Some(data) = event.data_transfer() else { return };
        let has_files = has_type(&data, &[FILES]);
        if has_files || (has_type(&data, &LINK_TYPES) && !is_for_editable(&event)) {
            event.prevent_default(); // or the browser would navigate to what is dropped
        }
        is_dragging.set(has_files);
    });
    window_event_listener(ev::dragleave, move |event| {
        let is_still_inside = event.related_target().is_some();
        is_dragging.set(is_still_inside && is_dragging.get_untracked());
    });
    window_event_listener(ev::drop, move |event| {
        is_dragging.set(false);
        let data = event.data_transfer();
        let decision = data.as_ref().map(|data| read(data, &event).dropped());
        apply(app, &event, data, decision);
    });
    is_dragging
}

fn apply(app: App, event: &web_sys::Event, data: Option<DataTransfer>, decision: Option<DropDecision>) {
    match decision {
        None | Some(DropDecision::Ignore) => {}
        Some(DropDecision::Refuse(error)) => {
            event.prevent_default();
            app.send(Event::InputRefused(error));
        }
        Some(DropDecision::Photo(photo)) => {
            event.prevent_default();
            if let Some(file) = data.and_then(|data| data.files()?.get(0)) {
                app.choose(&file, photo);
            }
        }
        Some(DropDecision::Many) => {
            event.prevent_default();
            if let Some(data) = data {
                app.choose_dropped(&data);
            }
        }
    }
}

fn read(data: &DataTransfer, event: &web_sys::Event) -> DropOrPaste {
    DropOrPaste {
        files: files(data),
        text: data.get_data("text/plain").unwrap_or_default(),
        has_link: has_type(data, &LINK_TYPES),
        is_for_editable: is_for_editable(event),
    }
}

fn files(data: &DataTransfer) -> Vec<DroppedFile> {
    let Some(list) = data.files() else { return Vec::new() };
    let items = data.items();
    // Only items tell which files are folders. They are in the order of the files.
    let items = (0..items.length()).filter_map(|index| items.get(index)).filter(|item| item.kind() == "file");
    let is_folder = items.map(|item| item.webkit_get_as_entry().ok().flatten().is_some_and(|it| it.is_directory()));
    let mut is_folder = is_folder.collect::<Vec<_>>().into_iter();
    let files = (0..list.length()).filter_map(|index| list.get(index));
    files.map(|file| DroppedFile { name: file.name(), is_folder: is_folder.next().unwrap_or_default() }).collect()
}

fn has_type(data: &DataTransfer, types: &[&str]) -> bool {
    data.types().iter().filter_map(|found| found.as_string()).any(|found| types.contains(&found.as_str()))
}

fn is_for_editable(event: &web_sys::Event) -> bool {
    let Some(node) = event.target().and_then(|target| target.dyn_into::<Node>().ok()) else { return false };
    let element = node.dyn_ref::<Element>().cloned().or_else(|| node.parent_element());
    element.is_some_and(|element| matches!(element.closest(EDITABLE), Ok(Some(_))))
}
