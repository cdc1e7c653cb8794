//! The buttons of the crop, what the model sees, and hints about the photo.

use super::{Cropping, SQUARE_ID};
use crate::app::App;
use crate::crop::{Crop, CropKey, PhotoSize};
use crate::state::Event;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// The buttons: begin to crop, and while there is a crop, its size and the whole photo.
#[component]
pub fn CropControls(app: App) -> impl IntoView {
    let size = app.watch(|state| Some(state.photo.as_ref()?.shown()?.size));
    let is_cropped = app.watch(|state| state.crop().is_some());
    move || {
        size.get().map(|size| {
            let cropping = Cropping { app, size, n_changes: StoredValue::new(0) };
            let begin = move |_| {
                app.send(Event::CropChanged(Some(Crop::first(size))));
                app.send(Event::CropSettled);
                focus_square();
            };
            view! {
                <Show
                    when=move || is_cropped.get()
                    fallback=move || view! {
                        <button type="button" class="button plain" data-testid="begin-crop" on:click=begin>
                            "Frame the lesion"
                        </button>
                    }
                >
                    <ScaleButtons cropping/>
                </Show>
            }
        })
    }
}

#[component]
fn ScaleButtons(cropping: Cropping) -> impl IntoView {
    let app = cropping.app;
    let button = move |text: &'static str, label: &'static str, test_id: &'static str, key: &'static str| {
        let press = move |_| {
            let crop = app.read(|state| state.crop());
            if let Some((crop, key)) = crop.zip(CropKey::of(key, false)) {
                cropping.press(crop, key);
            }
        };
        view! {
            <button type="button" class="button plain" aria-label=label data-testid=test_id on:click=press>{text}</button>
        }
    };
    view! {
        <div class="buttons" role="group" aria-label="Size of the square">
            {button("−", "Smaller square", "crop-smaller", "-")}
            {button("+", "Larger square", "crop-larger", "+")}
            {button("Whole photo", "Whole photo", "whole-photo", "Escape")}
        </div>
        <p class="hint" id="crop-hint">
            "Drag the square or a corner, pinch, or turn the wheel. With keys: arrows, + and −; Escape for the whole photo."
        </p>
        <CropWords app size=cropping.size/>
    }
}

/// The crop in words, for screen readers and prints.
#[component]
fn CropWords(app: App, size: PhotoSize) -> impl IntoView {
    let words = app.watch(move |state| Some(state.photo.as_ref()?.used_crop?.in_words(size)));
    view! { <p class="hint" id="crop-words" role="status" data-testid="crop-words">{words}</p> }
}

/// The square of pixels that the model was given.
#[component]
pub fn ModelView(app: App) -> impl IntoView {
    let view = app.watch(|state| state.photo.as_ref()?.view);
    let figure = move || {
        let (view, url) = view.get().zip(app.pictures.view.url())?;
        let part = if view.crop.is_some() { "of this square" } else { "of the photo" };
        Some(view! {
            <figure class="model-view" data-testid="model-view">
                <img src=url alt="" width="112" height="112" draggable="false"/>
                <figcaption>
                    {format!("What the model sees {part}: {0} × {0} pixels.", view.side)}
                </figcaption>
            </figure>
        })
    };
    view! { {figure} }
}

/// What may spoil the answer.
#[component]
pub fn PhotoHints(app: App) -> impl IntoView {
    let hints = app.watch(|state| state.photo_hints());
    view! {
        <div role="status" data-testid="photo-hints">
            {move || hints.get().into_iter().map(|hint| view! { <p class="warning">{hint}</p> }).collect_view()}
        </div>
    }
}

fn focus_square() {
    // After the square is in the document.
    request_animation_frame(|| {
        let square = document().get_element_by_id(SQUARE_ID);
        if let Some(square) = square.and_then(|square| square.dyn_into::<HtmlElement>().ok()) {
            let _ = square.focus(); // an element without focus is no failure
        }
    });
}
