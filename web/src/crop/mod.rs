//! The crop: the square of the photo that the visitor has the model look at, and how it is moved.
//!
//! All lengths are in pixels of the decoded photo.

mod gesture;

pub use gesture::{Corner, Gesture};

use serde::{Deserialize, Serialize};
use shared_model::preprocess::CropBox;

/// Shortest side of a crop.
const LEAST_SIDE: u32 = 32;
/// Side of the first crop, as a part of the photo's shorter side.
const FIRST_PART: f64 = 0.6;
/// How far an arrow key moves the square, as a part of its side.
const STEP_PART: f64 = 0.05;
/// The same, with the Shift key.
const LARGE_STEP_PART: f64 = 0.25;
/// By how much a key or a notch of a wheel changes the side.
const SCALE_STEP: f64 = 1.1;

/// Width and height of the decoded photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoSize {
    pub width: u32,
    pub height: u32,
}

/// A point of the photo, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// A square within the photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Crop {
    pub left: u32,
    pub top: u32,
    pub side: u32,
}

/// What a key does to the crop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CropKey {
    Move { right: f64, down: f64 },
    Scale(f64),
    WholePhoto,
}

impl CropKey {
    /// The meaning of a key by the name that browsers give it; `None` for keys without one.
    pub fn of(key: &str, is_shift: bool) -> Option<Self> {
        let step = if is_shift { LARGE_STEP_PART } else { STEP_PART };
        Some(match key {
            "ArrowLeft" => Self::Move { right: -step, down: 0.0 },
            "ArrowRight" => Self::Move { right: step, down: 0.0 },
            "ArrowUp" => Self::Move { right: 0.0, down: -step },
            "ArrowDown" => Self::Move { right: 0.0, down: step },
            "+" | "=" => Self::Scale(SCALE_STEP),
            "-" | "_" => Self::Scale(1.0 / SCALE_STEP),
            "Escape" => Self::WholePhoto,
            _ => return None,
        })
    }
}

impl PhotoSize {
    /// Length of the shorter side.
    pub fn shorter(self) -> u32 {
        self.width.min(self.height)
    }
}

impl Crop {
    /// The square that cropping begins with, in the middle of the photo.
    pub fn first(size: PhotoSize) -> Self {
        Self::middle(size).around_place(Point { x: 0.5, y: 0.5 }, size)
    }

    /// The largest square in the middle of the photo.
    pub fn middle(size: PhotoSize) -> Self {
        let middle = Point { x: f64::from(size.width) / 2.0, y: f64::from(size.height) / 2.0 };
        Self::around(middle, size.shorter().into(), size)
    }

    /// A square of the part of this one that cropping begins with, around a place of this one in shares of its side.
    pub fn around_place(self, place: Point, size: PhotoSize) -> Self {
        let side = f64::from(self.side);
        let center = Point { x: f64::from(self.left) + place.x * side, y: f64::from(self.top) + place.y * side };
        Self::around(center, FIRST_PART * side, size)
    }

    /// The square of this side around a point, moved and made smaller so that it lies within the photo.
    pub fn around(center: Point, side: f64, size: PhotoSize) -> Self {
        let side = clamped_side(side, size);
        let start = |center: f64, edge: u32| {
            (center - f64::from(side) / 2.0).round().clamp(0.0, f64::from(edge - side)) as u32
        };
        Self { left: start(center.x, size.width), top: start(center.y, size.height), side }
    }

    /// Moves the square, without leaving the photo.
    pub fn moved(self, right: f64, down: f64, size: PhotoSize) -> Self {
        let Point { x, y } = self.center();
        Self::around(Point { x: x + right, y: y + down }, self.side.into(), size)
    }

    /// Changes the side by a factor, around the square's center.
    pub fn scaled(self, factor: f64, size: PhotoSize) -> Self {
        let side = f64::from(self.side);
        // At least one pixel, so that a small square grows, too.
        let side = match factor {
            factor if factor > 1.0 => (side * factor).max(side + 1.0),
            factor if factor < 1.0 => (side * factor).min(side - 1.0),
            _ => side,
        };
        Self::around(self.center(), side, size)
    }

    /// Applies a key; `None` for the whole photo.
    pub fn after_key(self, key: CropKey, size: PhotoSize) -> Option<Self> {
        let pixels = |part: f64| {
            let distance = part * f64::from(self.side);
            if distance == 0.0 { 0.0 } else { distance.signum() * distance.abs().max(1.0) }
        };
        match key {
            CropKey::Move { right, down } => Some(self.moved(pixels(right), pixels(down), size)),
            CropKey::Scale(factor) => Some(self.scaled(factor, size)),
            CropKey::WholePhoto => None,
        }
    }

    pub fn center(self) -> Point {
        let half = f64::from(self.side) / 2.0;
        Point { x: f64::from(self.left) + half, y: f64::from(self.top) + half }
    }

    /// The same for the model's preprocessing.
    pub fn to_box(self) -> CropBox {
        CropBox { left: self.left, top: self.top, width: self.side, height: self.side }
    }

    /// Whether it lies within a photo of this size.
    pub fn fits(self, size: PhotoSize) -> bool {
        let ends_within = |start: u32, edge: u32| start.checked_add(self.side).is_some_and(|end| end <= edge);
        self.side > 0 && ends_within(self.left, size.width) && ends_within(self.top, size.height)
    }
}

fn clamped_side(side: f64, size: PhotoSize) -> u32 {
    let most = size.shorter();
    side.round().clamp(LEAST_SIDE.min(most).into(), most.into()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: PhotoSize = PhotoSize { width: 400, height: 300 };

    #[test]
    fn a_crop_never_leaves_the_photo() {
        let first = Crop::first(SIZE);
        assert_eq!(first, Crop { left: 110, top: 60, side: 180 });
        assert_eq!(first.moved(-1e9, 1e9, SIZE), Crop { left: 0, top: 120, side: 180 });
        assert_eq!(first.scaled(100.0, SIZE), Crop { left: 50, top: 0, side: 300 });
        assert_eq!(first.scaled(0.0, SIZE).side, LEAST_SIDE);
        let tiny = PhotoSize { width: 3, height: 1 };
        assert_eq!(Crop::first(tiny), Crop { left: 1, top: 0, side: 1 });
        for crop in [first, first.moved(1e9, -1e9, SIZE), first.scaled(1.3, SIZE)] {
            assert!(crop.fits(SIZE), "{crop:?}");
        }
        assert!(!Crop { left: 300, top: 0, side: 101 }.fits(SIZE));
        assert!(!Crop { left: u32::MAX, top: 0, side: 2 }.fits(SIZE));
        assert!(!Crop { left: 0, top: 0, side: 0 }.fits(SIZE));
    }

    #[test]
    fn a_place_of_a_square_is_framed_by_a_smaller_one() {
        let middle = Crop::middle(SIZE);
        assert_eq!(middle, Crop { left: 50, top: 0, side: 300 });
        assert_eq!(middle.around_place(Point { x: 0.5, y: 0.4 }, SIZE), Crop { left: 110, top: 30, side: 180 });
        assert_eq!(middle.around_place(Point { x: 1.0, y: 0.0 }, SIZE), Crop { left: 220, top: 0, side: 180 });
        let crop = Crop { left: 200, top: 100, side: 100 };
        assert_eq!(crop.around_place(Point { x: 0.0, y: 1.0 }, SIZE), Crop { left: 170, top: 170, side: 60 });
    }

    #[test]
    fn keys_move_and_scale_the_square_by_at_least_a_pixel() {
        let crop = Crop { left: 100, top: 100, side: 100 };
        let after = |crop: Crop, key: &str, is_shift| crop.after_key(CropKey::of(key, is_shift).unwrap(), SIZE);
        assert_eq!(after(crop, "ArrowRight", false), Some(Crop { left: 105, ..crop }));
        assert_eq!(after(crop, "ArrowUp", true), Some(Crop { top: 75, ..crop }));
        assert_eq!(after(crop, "+", false).unwrap().side, 110);
        assert_eq!(after(crop, "-", false).unwrap().side, 91);
        assert_eq!(after(crop, "Escape", false), None);
        assert_eq!(CropKey::of("Tab", false), None);
        let small = Crop { left: 100, top: 100, side: 32 };
        assert!(after(small, "+", false).unwrap().side > 32);
    }
}
