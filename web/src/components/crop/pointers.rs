//! The pointers on the photo, and the gesture that they make.

use crate::crop::{Corner, Crop, Gesture, PhotoSize, Point};
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

/// A pointer that moved less than this, in CSS pixels, has tapped.
const TAP_PIXELS: f64 = 5.0;

/// Pointers that are down on the photo, at most two.
#[derive(Clone, Copy)]
pub struct Pointers {
    stage: NodeRef<Div>,
    size: PhotoSize,
    down: StoredValue<Down>,
}

#[derive(Default)]
struct Down {
    pointers: Vec<Pointer>,
    gesture: Option<Gesture>,
}

#[derive(Clone, Copy)]
struct Pointer {
    id: i32,
    start: Point,
    at: Point,
    is_outside: bool,
    has_moved: bool,
}

impl Pointers {
    pub fn new(stage: NodeRef<Div>, size: PhotoSize) -> Self {
        Self { stage, size, down: StoredValue::new(Down::default()) }
    }

    /// Begins a gesture, or a pinch with the second finger.
    pub fn put_down(self, event: &PointerEvent, crop: Crop) {
        let Some((at, _)) = self.point(event).filter(|_| event.button() == 0) else { return };
        event.prevent_default();
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let corner = target.as_ref().and_then(|target| Corner::named(&target.get_attribute("data-corner")?));
        let is_outside = !target.as_ref().is_some_and(|target| matches!(target.closest(".square"), Ok(Some(_))));
        if let Some(stage) = self.stage.get_untracked() {
            // Without it, a pointer that leaves the photo stops the gesture.
            let _ = stage.set_pointer_capture(event.pointer_id());
        }
        self.down.update_value(|down| {
            if down.pointers.len() < 2 {
                let id = event.pointer_id();
                down.pointers.push(Pointer { id, start: at, at, is_outside, has_moved: false });
            }
            down.gesture = Some(match (&down.pointers[..], corner) {
                ([first, second], _) => Gesture::Pinch { crop, start: [first.at, second.at] },
                (_, Some(corner)) => Gesture::Resize { crop, corner },
                (_, None) => Gesture::Move { crop, start: at },
            });
        });
    }

    /// The crop after a pointer moved; `None` if that changes nothing.
    pub fn moved(self, event: &PointerEvent) -> Option<Crop> {
        let (at, photo_pixels_per_css_pixel) = self.point(event)?;
        let mut crop = None;
        self.down.update_value(|down| {
            let Some(pointer) = down.pointers.iter_mut().find(|pointer| pointer.id == event.pointer_id()) else {
                return;
            };
            pointer.at = at;
            let distance = (at.x - pointer.start.x).hypot(at.y - pointer.start.y);
            pointer.has_moved |= distance > TAP_PIXELS * photo_pixels_per_css_pixel;
            if down.pointers.iter().any(|pointer| pointer.has_moved) {
                let points: Vec<Point> = down.pointers.iter().map(|pointer| pointer.at).collect();
                crop = down.gesture.map(|gesture| gesture.crop_at(&points, self.size));
            }
        });
        crop
    }

    /// Ends the gesture; returns the point if the pointer tapped outside the square, which then moves there.
    pub fn lifted(self, event: &PointerEvent) -> Option<Point> {
        let mut tapped = None;
        self.down.update_value(|down| {
            let is_alone = down.pointers.len() == 1;
            let lifted = down.pointers.iter().position(|pointer| pointer.id == event.pointer_id());
            let Some(pointer) = lifted.map(|index| down.pointers.remove(index)) else { return };
            down.gesture = None;
            tapped = (is_alone && pointer.is_outside && !pointer.has_moved).then_some(pointer.start);
        });
        tapped
    }

    /// The point of the photo under a pointer, and how many of its pixels a CSS pixel shows.
    fn point(self, event: &PointerEvent) -> Option<(Point, f64)> {
        let stage = self.stage.get_untracked()?.get_bounding_client_rect();
        let scale = f64::from(self.size.width) / stage.width().max(1.0);
        let from_edge = |at: i32, edge: f64| (f64::from(at) - edge) * scale;
        let at =
            Point { x: from_edge(event.client_x(), stage.left()), y: from_edge(event.client_y(), stage.top()) };
        Some((at, scale))
    }
}
