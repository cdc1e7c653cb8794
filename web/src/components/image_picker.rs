//! Ways to a photo: choose, take, drop, paste, or a sample; and the photo itself.

use super::server_switch::ServerSwitch;
use crate::app::{App, SAMPLES};
use crate::state::Event;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{DataTransfer, File, FileList, HtmlInputElement};

/// Id of the file input, which other parts of the page may open.
pub const PHOTO_INPUT_ID: &str = "photo-input";

/// What the model's side can decode; a phone then converts its own formats to one of these.
const ACCEPTED: &str = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff";

#[component]
pub fn ImagePicker(app: App) -> impl IntoView {
    let is_dragging = RwSignal::new(false);
    listen_for_drops(app, is_dragging);
    window_event_listener(ev::paste, move |event| {
        if let Some(file) = first_file_of(event.clipboard_data()) {
            event.prevent_default();
            app.choose(&file);
        }
    });
    let on_change = move |event: ev::Event| {
        let input: HtmlInputElement = event_target(&event);
        if let Some(file) = first_of(input.files()) {
            app.choose(&file);
        }
        input.set_value(""); // so that the same file can be chosen again
    };
    view! {
        <section class="photo card" aria-labelledby="photo-title">
            <h2 id="photo-title">"Photo"</h2>
            <PhotoFrame app/>
            <div class="buttons">
                <label class="button primary">
                    <input
                        id=PHOTO_INPUT_ID
                        data-testid="photo-input"
                        type="file"
                        accept=ACCEPTED
                        on:change=on_change
                    />
                    "Choose a photo"
                </label>
                <label class="button camera">
                    <input
                        data-testid="camera-input"
                        type="file"
                        accept="image/*"
                        capture="environment"
                        on:change=on_change
                    />
                    "Take a photo"
                </label>
            </div>
            <p class="hint">"Or drop or paste one anywhere on this page, or try a drawn sample:"</p>
            <Samples app/>
            <ServerSwitch app/>
        </section>
        <div class="drop-veil" class:shown=move || is_dragging.get() aria-hidden="true">"Drop the photo"</div>
    }
}

#[component]
fn PhotoFrame(app: App) -> impl IntoView {
    let photo = app.watch(|state| state.photo.clone());
    // Set when the browser cannot draw the photo, whether or not the model can read it.
    let is_broken = RwSignal::new(false);
    Effect::new(move |_| {
        photo.track();
        is_broken.set(false);
    });
    let frame = move || {
        let shown = photo.get().zip(app.preview_url.get()).filter(|_| !is_broken.get());
        match shown {
            Some((photo, url)) => view! {
                <img
                    src=url
                    alt=format!("The chosen photo, {}", photo.name)
                    decoding="async"
                    data-testid="preview"
                    on:error=move |_| is_broken.set(true)
                />
            }
            .into_any(),
            None => {
                let caption = photo.get().map_or("No photo yet".into(), |photo| photo.name);
                view! { <p>{caption}</p> }.into_any()
            }
        }
    };
    view! { <div class="frame">{frame}</div> }
}

#[component]
fn Samples(app: App) -> impl IntoView {
    let sample = move |(index, (file, shows)): (usize, (&'static str, &'static str))| {
        view! {
            <li>
                <button
                    type="button"
                    data-testid=format!("sample-{}", index + 1)
                    aria-label=format!("Sample: {shows}")
                    title=shows
                    on:click=move |_| app.send(Event::SampleChosen(index))
                >
                    <img src=format!("samples/{file}") alt="" width="96" height="96" loading="lazy"/>
                </button>
            </li>
        }
    };
    view! { <ul class="samples">{SAMPLES.into_iter().enumerate().map(sample).collect_view()}</ul> }
}

fn listen_for_drops(app: App, is_dragging: RwSignal<bool>) {
    window_event_listener(ev::dragover, move |event| {
        event.prevent_default(); // else the browser would open the file itself
        is_dragging.set(true);
    });
    window_event_listener(ev::dragleave, move |event| {
        let is_still_inside = event.related_target().is_some();
        is_dragging.set(is_still_inside);
    });
    window_event_listener(ev::drop, move |event| {
        event.prevent_default();
        is_dragging.set(false);
        if let Some(file) = first_file_of(event.data_transfer()) {
            app.choose(&file);
        }
    });
}

fn first_file_of(data: Option<DataTransfer>) -> Option<File> {
    first_of(data?.files())
}

fn first_of(files: Option<FileList>) -> Option<File> {
    files?.get(0)
}

/// Opens the browser's file dialog, from a click elsewhere on the page.
pub fn open_file_dialog() {
    let input = document().get_element_by_id(PHOTO_INPUT_ID);
    if let Some(input) = input.and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
        input.click();
    }
}
