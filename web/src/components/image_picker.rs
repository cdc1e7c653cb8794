//! The photo, and the controls to choose, take or remove one.

use super::batch::AddMany;
use super::camera::TakePhoto;
use super::crop::{CropControls, CropStage, ModelView, PhotoHints};
use super::server_switch::ServerSwitch;
use crate::app::{App, SAMPLES};
use crate::state::{Event, NewPhoto};
use crate::texts::{self, Text};
use leptos::ev;
use leptos::prelude::*;
use shared_model::preprocess::PictureFormat;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// Id of the file input.
const PHOTO_INPUT_ID: &str = "photo-input";

/// Media types that can be decoded. Phones convert other formats to one of these.
pub fn accepted() -> String {
    PictureFormat::ALL.map(PictureFormat::media_type).join(",")
}

/// Makes the file of a file input the current photo.
pub fn choose(app: App, event: &ev::Event) {
    let input: HtmlInputElement = event_target(event);
    if let Some(file) = input.files().and_then(|files| files.get(0)) {
        app.choose(&file, NewPhoto { name: file.name() });
    }
    input.set_value(""); // so that choosing the same file again is an event
}

#[component]
pub fn ImagePicker(app: App) -> impl IntoView {
    let has_photo = app.watch(|state| state.photo.is_some());
    view! {
        <section class="photo card" aria-labelledby="photo-title">
            <h2 id="photo-title">{app.say(texts::photo)}</h2>
            <PhotoFrame app/>
            <PhotoHints app/>
            <CropControls app/>
            <ModelView app/>
            <div class="buttons">
                <label class="button primary">
                    <input
                        id=PHOTO_INPUT_ID
                        data-testid="photo-input"
                        type="file"
                        accept=accepted()
                        on:change=move |event| choose(app, &event)
                    />
                    {app.say(texts::photo_choose)}
                </label>
                <TakePhoto app/>
                <Show when=move || has_photo.get()>
                    <button
                        type="button"
                        class="button plain"
                        data-testid="remove-photo"
                        on:click=move |_| app.send(Event::PhotoRemoved)
                    >
                        {app.say(texts::photo_remove)}
                    </button>
                </Show>
            </div>
            <AddMany app/>
            <p class="hint">{app.say(texts::photo_other_ways)}</p>
            <Samples app/>
            <ServerSwitch app/>
        </section>
    }
}

#[component]
fn PhotoFrame(app: App) -> impl IntoView {
    let photo = app.watch(|state| {
        let photo = state.photo.as_ref()?;
        Some((photo.id, photo.name.clone(), photo.shown().map(|shown| shown.size)))
    });
    let frame = move || match (photo.get(), app.pictures.preview.url()) {
        (Some((_, name, Some(size))), Some(url)) => view! { <CropStage app url name size/> }.into_any(),
        (Some((_, name, _)), _) => view! { <p dir="auto">{name}</p> }.into_any(),
        (None, _) => view! {
            <button type="button" class="empty" data-testid="empty-frame" on:click=move |_| open_file_dialog()>
                {app.say(texts::photo_none)}
            </button>
        }
        .into_any(),
    };
    view! { <div class="frame">{frame}</div> }
}

#[component]
fn Samples(app: App) -> impl IntoView {
    let sample = move |(index, (file, shows)): (usize, (&'static str, Text))| {
        view! {
            <li>
                <button
                    type="button"
                    data-testid=format!("sample-{}", index + 1)
                    aria-label=move || texts::sample(&app.texts(), &shows(&app.texts()))
                    title=app.say(shows)
                    on:click=move |_| app.send(Event::SampleChosen(index))
                >
                    <img src=format!("samples/{file}") alt="" width="96" height="96" loading="lazy" draggable="false"/>
                </button>
            </li>
        }
    };
    view! { <ul class="samples">{SAMPLES.into_iter().enumerate().map(sample).collect_view()}</ul> }
}

/// Opens the file dialog.
pub fn open_file_dialog() {
    let input = document().get_element_by_id(PHOTO_INPUT_ID);
    if let Some(input) = input.and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
        input.click();
    }
}
