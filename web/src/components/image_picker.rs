//! The photo, and the controls to choose, take or remove one.

use super::batch::AddMany;
use super::camera::TakePhoto;
use super::crop::{CropControls, CropStage, ModelView, PhotoHints};
use super::photo_input::{PHOTO_ID, PHOTO_INPUT_ID, accepted, choose, open_file_dialog};
use super::server_switch::ServerSwitch;
use super::to_answers::ToAnswers;
use crate::app::{App, SAMPLES};
use crate::state::Event;
use crate::texts::{self, Text};
use leptos::prelude::*;

#[component]
pub fn ImagePicker(app: App) -> impl IntoView {
    let has_photo = app.watch(|state| state.photo.is_some());
    view! {
        <section class="photo card" id=PHOTO_ID aria-labelledby="photo-title">
            <h2 id="photo-title">{app.say(texts::photo)}</h2>
            <PhotoFrame app/>
            <ToAnswers app/>
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
            <p class="hint">
                <span class="not-on-phones">{app.say(texts::photo_other_ways)}</span>
                " "
                {app.say(texts::photo_samples)}
            </p>
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
