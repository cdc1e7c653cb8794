//! The photo with the square that the model looks at: moved by drag, pinch, wheel and keys.

mod controls;
mod pointers;

pub use controls::{CropControls, ModelView, PhotoHints};

use crate::app::App;
use crate::crop::{Corner, Crop, CropKey, PhotoSize};
use crate::state::Event;
use crate::texts;
use leptos::ev::{KeyboardEvent, WheelEvent};
use leptos::html::Div;
use leptos::prelude::*;
use pointers::Pointers;
use std::time::Duration;

/// Id of the square, which gets the focus when cropping begins.
const SQUARE_ID: &str = "crop-square";
/// How long the crop must rest before the model is given it.
const REST: Duration = Duration::from_millis(300);
/// Pixels of a wheel that scale the square by half, or double it.
const WHEEL_PIXELS: f64 = 400.0;
/// Frames whose sides have this ratio are filled by photos of the same ratio.
const FRAME_RATIO: f64 = 4.0 / 3.0;

/// Changes the crop, and gives it to the model once it rests.
#[derive(Clone, Copy)]
struct Cropping {
    app: App,
    size: PhotoSize,
    /// Number of changes so far; the rest after one of them is over if another follows.
    n_changes: StoredValue<u32>,
}

impl Cropping {
    fn change(self, crop: Option<Crop>) {
        self.app.send(Event::CropChanged(crop));
        self.n_changes.update_value(|n_changes| *n_changes += 1);
        let n_changes = self.n_changes.get_value();
        set_timeout(
            move || {
                if self.n_changes.try_get_value() == Some(n_changes) {
                    self.app.send(Event::CropSettled);
                }
            },
            REST,
        );
    }

    fn press(self, crop: Crop, key: CropKey) {
        self.change(crop.after_key(key, self.size));
    }
}

/// The photo in its frame, and over it the square while there is a crop.
#[component]
pub fn CropStage(app: App, url: String, name: String, size: PhotoSize) -> impl IntoView {
    let crop = app.watch(|state| state.crop());
    let cropping = Cropping { app, size, n_changes: StoredValue::new(0) };
    let stage = NodeRef::<Div>::new();
    let pointers = Pointers::new(stage, size);
    let on_wheel = move |event: WheelEvent| {
        let Some(crop) = crop.get_untracked() else { return };
        event.prevent_default();
        // Lines and pages of a wheel are about this many pixels.
        let pixels = event.delta_y() * [1.0, 16.0, 400.0][event.delta_mode().min(2) as usize];
        cropping.change(Some(crop.scaled(2f64.powf(-pixels / WHEEL_PIXELS), size)));
    };
    let is_wide = f64::from(size.width) >= FRAME_RATIO * f64::from(size.height);
    view! {
        <div
            class="stage"
            class:wide=is_wide
            class:cropped=move || crop.get().is_some()
            style:aspect-ratio=format!("{} / {}", size.width, size.height)
            data-testid="crop-stage"
            node_ref=stage
            on:wheel=on_wheel
            on:pointerdown=move |event| {
                if let Some(crop) = crop.get_untracked() {
                    pointers.put_down(&event, crop);
                }
            }
            on:pointermove=move |event| {
                if let Some(crop) = pointers.moved(&event) {
                    cropping.change(Some(crop));
                }
            }
            on:pointerup=move |event| {
                if let (Some(center), Some(crop)) = (pointers.lifted(&event), crop.get_untracked()) {
                    cropping.change(Some(Crop::around(center, crop.side.into(), size)));
                }
            }
            on:pointercancel=move |event| {
                pointers.lifted(&event);
            }
        >
            <img
                src=url
                alt=move || texts::photo_chosen(&app.texts(), &name)
                decoding="async"
                draggable="false"
                data-testid="preview"
            />
            <Show when=move || crop.get().is_some()>
                <Square cropping/>
            </Show>
        </div>
    }
}

#[component]
fn Square(cropping: Cropping) -> impl IntoView {
    let Cropping { app, size, .. } = cropping;
    let crop = app.watch(move |state| state.crop().unwrap_or_else(|| Crop::first(size)));
    let percent = |part: u32, whole: u32| format!("{:.3}%", 100.0 * f64::from(part) / f64::from(whole));
    let on_key = move |event: KeyboardEvent| {
        let is_shortcut = event.ctrl_key() || event.meta_key() || event.alt_key();
        if let Some(key) = CropKey::of(&event.key(), event.shift_key()).filter(|_| !is_shortcut) {
            event.prevent_default();
            cropping.press(crop.get_untracked(), key);
        }
    };
    let handle = |corner: Corner| view! { <span class=format!("handle {}", corner.name()) data-corner=corner.name()></span> };
    view! {
        <div
            id=SQUARE_ID
            class="square"
            role="application"
            tabindex="0"
            aria-label=app.say(texts::crop_square)
            aria-describedby="crop-hint crop-keys crop-words"
            data-testid="crop-square"
            data-crop=move || {
                let Crop { left, top, side } = crop.get();
                format!("{left} {top} {side}")
            }
            style:left=move || percent(crop.get().left, size.width)
            style:top=move || percent(crop.get().top, size.height)
            style:width=move || percent(crop.get().side, size.width)
            style:height=move || percent(crop.get().side, size.height)
            on:keydown=on_key
        >
            {Corner::ALL.map(handle).collect_view()}
        </div>
    }
}
