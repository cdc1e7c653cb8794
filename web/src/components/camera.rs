//! Takes a photo: the camera's picture, and over it the square that the model will look at.

use super::photo_input::choose;
use crate::app::{App, has_camera};
use crate::crop::{Crop, PhotoSize};
use crate::sentences;
use crate::state::{CameraView, Event, Facing};
use crate::texts;
use leptos::ev;
use leptos::html::{Button, Dialog, Video};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::HtmlVideoElement;

/// Opens the camera here, or the device's camera app where the browser gives pages no camera.
#[component]
pub fn TakePhoto(app: App) -> impl IntoView {
    if !has_camera() {
        return view! { <CameraApp app text=texts::photo_take/> }.into_any();
    }
    let is_open = app.watch(|state| state.camera.is_open());
    let button = NodeRef::<Button>::new();
    Effect::new(move |was_open: Option<bool>| {
        let is_open = is_open.get();
        if let (Some(true), false, Some(button)) = (was_open, is_open, button.get_untracked()) {
            let _ = button.focus(); // where it was before the dialog
        }
        is_open
    });
    view! {
        <button
            type="button"
            class="button"
            data-testid="open-camera"
            node_ref=button
            on:click=move |_| app.send(Event::CameraWanted(Facing::default()))
        >
            {app.say(texts::photo_take)}
        </button>
        <Show when=move || is_open.get()>
            <CameraDialog app/>
        </Show>
    }
    .into_any()
}

/// Opens the device's camera app, which gives a file.
#[component]
fn CameraApp(app: App, text: texts::Text) -> impl IntoView {
    view! {
        <label class="button camera-app">
            <input
                data-testid="camera-input"
                type="file"
                accept="image/*"
                capture="environment"
                on:change=move |event| {
                    app.send(Event::CameraClosed);
                    choose(app, &event);
                }
            />
            {app.say(text)}
        </label>
    }
}

#[component]
fn CameraDialog(app: App) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    let video = NodeRef::<Video>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            let _ = dialog.show_modal(); // fails only for a dialog that is open
        }
    });
    view! {
        <dialog
            class="camera"
            aria-labelledby="camera-title"
            data-testid="camera"
            node_ref=dialog
            on:close=move |_| app.send(Event::CameraClosed)
        >
            <h2 id="camera-title">{app.say(texts::photo_take)}</h2>
            <Picture app video/>
            <Said app/>
            <Buttons app video/>
        </dialog>
    }
}

/// The camera's picture with the guide, while there is one.
#[component]
fn Picture(app: App, video: NodeRef<Video>) -> impl IntoView {
    let size = app.watch(|state| state.camera.size());
    let is_mirrored = app.watch(|state| state.camera.facing == Facing::Visitor);
    Effect::new(move |_| {
        if let Some(video) = video.get() {
            video.set_src_object(app.camera_stream().as_ref());
        }
    });
    let on_size = move |event: ev::Event| {
        let video: HtmlVideoElement = event_target(&event);
        app.send(Event::CameraShown(PhotoSize { width: video.video_width(), height: video.video_height() }));
    };
    let on_turn = move |event: ev::UiEvent| on_size(event.into());
    view! {
        <div class="camera-picture" class:mirrored=move || is_mirrored.get() hidden=move || size.get().is_none()>
            <video
                autoplay
                muted
                prop:muted=true
                playsinline
                aria-label=app.say(texts::camera_picture)
                data-testid="camera-picture"
                node_ref=video
                on:loadeddata=on_size
                on:resize=on_turn
            ></video>
            {move || size.get().map(guide)}
        </div>
    }
}

/// The square that the model will look at, over the darkened rest of the picture.
fn guide(size: PhotoSize) -> impl IntoView {
    let PhotoSize { width, height } = size;
    let Crop { left, top, side } = Crop::first(size);
    let rest = format!("M0 0H{width}V{height}H0Z M{left} {top}v{side}h{side}v-{side}Z");
    let center = (left + side / 2, top + side / 2);
    view! {
        <svg class="guide" aria-hidden="true" viewBox=format!("0 0 {width} {height}") data-testid="camera-guide">
            <path class="rest" d=rest fill-rule="evenodd"></path>
            <rect x=left.to_string() y=top.to_string() width=side.to_string() height=side.to_string()></rect>
            <circle cx=center.0.to_string() cy=center.1.to_string() r=(side / 6).to_string()></circle>
        </svg>
    }
}

/// What to do, or what is wrong.
#[component]
fn Said(app: App) -> impl IntoView {
    let view = app.watch(|state| state.camera.view.clone());
    let is_failed = move || matches!(view.get(), CameraView::Failed(_));
    view! {
        <p
            role="status"
            class:warning=is_failed
            data-testid="camera-said"
            prop:textContent=move || sentences::camera(&app.texts(), &view.get())
        ></p>
    }
}

#[component]
fn Buttons(app: App, video: NodeRef<Video>) -> impl IntoView {
    let camera = app.watch(|state| state.camera.clone());
    let is_live = move || camera.get().size().is_some();
    let is_failed = move || matches!(camera.get().view, CameraView::Failed(_));
    let open = move |facing: Facing| app.send(Event::CameraWanted(facing));
    let take = move |_| {
        if let Some(video) = video.get_untracked() {
            spawn_local(async move { app.take_photo(&video).await });
        }
    };
    view! {
        <div class="buttons">
            <Show when=is_live>
                <button type="button" class="button primary" autofocus data-testid="shutter" on:click=take>
                    {app.say(texts::camera_shutter)}
                </button>
            </Show>
            <Show when=move || { is_live() && camera.get().n_cameras > 1 }>
                <button
                    type="button"
                    class="button plain"
                    data-testid="turn-camera"
                    on:click=move |_| open(camera.get_untracked().facing.turned())
                >
                    {app.say(texts::camera_turn)}
                </button>
            </Show>
            <Show when=is_failed>
                <button
                    type="button"
                    class="button primary"
                    data-testid="retry-camera"
                    on:click=move |_| open(camera.get_untracked().facing)
                >
                    {app.say(texts::try_again)}
                </button>
            </Show>
            <CameraApp app text=texts::camera_app/>
            <button
                type="button"
                class="button plain"
                data-testid="close-camera"
                on:click=move |_| app.send(Event::CameraClosed)
            >
                {app.say(texts::camera_close)}
            </button>
        </div>
    }
}
