//! Drops and pastes anywhere on the page: reads what comes; [`Offered`] decides what it is.

use crate::app::App;
use crate::state::{Choice, Event, Offered, OfferedFile};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{DataTransfer, Element, Node};

/// What people type in; it gets what is pasted or dropped into it.
const EDITABLE: &str =
    "textarea, select, input:not([type=file]):not([type=checkbox]), [contenteditable]:not([contenteditable=false])";

/// The type under which browsers announce files.
const FILES: &str = "Files";

/// Types under which they offer a link, or a picture of another page or program that has no file yet.
const LINK_TYPES: [&str; 4] = [FILES, "text/uri-list", "text/x-moz-url", "application/x-moz-file-promise"];

/// Takes photos that are dropped or pasted. The signal tells whether files are being dragged over the page.
pub fn listen(app: App) -> RwSignal<bool> {
    let is_dragging = RwSignal::new(false);
    window_event_listener(ev::paste, move |event| {
        let data = event.clipboard_data();
        let choice = data.as_ref().map(|data| offered(data, &event).pasted());
        take(app, &event, data, choice);
    });
    window_event_listener(ev::dragover, move |event| {
        let Some(data) = event.data_transfer() else { return };
        let has_files = has_type(&data, &[FILES]);
        if has_files || (has_type(&data, &LINK_TYPES) && !is_for_editable(&event)) {
            event.prevent_default(); // else the browser would leave the page for what is dropped
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
        let choice = data.as_ref().map(|data| offered(data, &event).dropped());
        take(app, &event, data, choice);
    });
    is_dragging
}

fn take(app: App, event: &web_sys::Event, data: Option<DataTransfer>, choice: Option<Choice>) {
    match choice {
        None | Some(Choice::Leave) => {}
        Some(Choice::Refuse(error)) => {
            event.prevent_default();
            app.send(Event::OfferRefused(error));
        }
        Some(Choice::Photo { index, photo }) => {
            event.prevent_default();
            if let Some(file) = data.and_then(|data| data.files()?.get(index as u32)) {
                app.choose(&file, photo);
            }
        }
    }
}

fn offered(data: &DataTransfer, event: &web_sys::Event) -> Offered {
    Offered {
        files: files(data),
        text: data.get_data("text/plain").unwrap_or_default(),
        has_link: has_type(data, &LINK_TYPES),
        is_for_editable: is_for_editable(event),
    }
}

fn files(data: &DataTransfer) -> Vec<OfferedFile> {
    let Some(list) = data.files() else { return Vec::new() };
    let items = data.items();
    // Only these tell folders; they come in the order of the files.
    let items = (0..items.length()).filter_map(|index| items.get(index)).filter(|item| item.kind() == "file");
    let is_folder = items.map(|item| item.webkit_get_as_entry().ok().flatten().is_some_and(|it| it.is_directory()));
    let mut is_folder = is_folder.collect::<Vec<_>>().into_iter();
    let files = (0..list.length()).filter_map(|index| list.get(index));
    files
        .map(|file| OfferedFile {
            name: file.name(),
            media_type: file.type_(),
            is_folder: is_folder.next().unwrap_or_default(),
        })
        .collect()
}

fn has_type(data: &DataTransfer, types: &[&str]) -> bool {
    data.types().iter().filter_map(|found| found.as_string()).any(|found| types.contains(&found.as_str()))
}

fn is_for_editable(event: &web_sys::Event) -> bool {
    let Some(node) = event.target().and_then(|target| target.dyn_into::<Node>().ok()) else { return false };
    let element = node.dyn_ref::<Element>().cloned().or_else(|| node.parent_element());
    element.is_some_and(|element| matches!(element.closest(EDITABLE), Ok(Some(_))))
}
