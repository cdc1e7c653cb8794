//! The buttons of the crop, what the model sees, and hints about the photo.

use super::{Cropping, SQUARE_ID};
use crate::app::{App, focus};
use crate::crop::{Crop, CropKey, PhotoSize};
use crate::sentences;
use crate::state::Event;
use crate::texts::{self, Text};
use leptos::prelude::*;

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
                focus::move_to(SQUARE_ID);
            };
            view! {
                <Show
                    when=move || is_cropped.get()
                    fallback=move || view! {
                        <button type="button" class="button plain" data-testid="begin-crop" on:click=begin>
                            {app.say(texts::crop_begin)}
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
    let button = move |sign: Option<&'static str>, label: Text, test_id: &'static str, key: &'static str| {
        let press = move |_| {
            let crop = app.read(|state| state.crop());
            if let Some((crop, key)) = crop.zip(CropKey::of(key, false)) {
                cropping.press(crop, key);
            }
        };
        view! {
            <button type="button" class="button plain" aria-label=app.say(label) data-testid=test_id on:click=press>
                {move || sign.map_or_else(|| label(&app.texts()), String::from)}
            </button>
        }
    };
    view! {
        <div class="buttons" role="group" aria-label=app.say(texts::crop_size)>
            {button(Some("−"), texts::crop_smaller, "crop-smaller", "-")}
            {button(Some("+"), texts::crop_larger, "crop-larger", "+")}
            {button(None, texts::crop_whole, "whole-photo", "Escape")}
        </div>
        <p class="hint">
            <span id="crop-hint">{app.say(texts::crop_hint)}</span>
            " "
            <span id="crop-keys" class="not-on-phones">{app.say(texts::crop_keys)}</span>
        </p>
        <CropWords app size=cropping.size/>
    }
}

/// The crop in words, for screen readers and prints.
#[component]
fn CropWords(app: App, size: PhotoSize) -> impl IntoView {
    let crop = app.watch(|state| state.photo.as_ref()?.used_crop);
    let words = move || crop.get().map(|crop| sentences::crop(&app.texts(), crop, size));
    view! { <p class="hint" id="crop-words" role="status" data-testid="crop-words">{words}</p> }
}

/// The square of pixels that the model was given.
#[component]
pub fn ModelView(app: App) -> impl IntoView {
    let view = app.watch(|state| state.photo.as_ref()?.view);
    let figure = move || {
        let (view, url) = view.get().zip(app.pictures.view.url())?;
        let seen = move || match view.crop {
            Some(_) => texts::seen_of_square(&app.texts(), view.side),
            None => texts::seen_of_photo(&app.texts(), view.side),
        };
        Some(view! {
            <figure class="model-view" data-testid="model-view">
                <img src=url alt="" width="112" height="112" draggable="false"/>
                <figcaption>{seen}</figcaption>
            </figure>
        })
    };
    view! { {figure} }
}

/// What may spoil the answer.
#[component]
pub fn PhotoHints(app: App) -> impl IntoView {
    let hints = app.watch(|state| state.photo_hints());
    let hint = move |hint| view! { <p class="warning">{move || sentences::hint(&app.texts(), hint)}</p> };
    view! {
        <div role="status" data-testid="photo-hints">
            {move || hints.get().into_iter().map(hint).collect_view()}
        </div>
    }
}
