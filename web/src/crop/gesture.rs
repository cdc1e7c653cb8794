//! A gesture on the photo that moves or scales the crop, from where the pointers were put down.

use super::{Crop, PhotoSize, Point};

/// A corner of the square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corner {
    pub is_right: bool,
    pub is_bottom: bool,
}

/// A gesture of one or two pointers. The crop follows from its start alone, so that rounding does not add up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gesture {
    Move { crop: Crop, start: Point },
    Resize { crop: Crop, corner: Corner },
    Pinch { crop: Crop, start: [Point; 2] },
}

impl Corner {
    pub const ALL: [Self; 4] = [
        Self { is_right: false, is_bottom: false },
        Self { is_right: true, is_bottom: false },
        Self { is_right: false, is_bottom: true },
        Self { is_right: true, is_bottom: true },
    ];

    /// Name of the corner, for the document.
    pub fn name(self) -> &'static str {
        match (self.is_bottom, self.is_right) {
            (false, false) => "top-left",
            (false, true) => "top-right",
            (true, false) => "bottom-left",
            (true, true) => "bottom-right",
        }
    }

    /// The corner of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|corner| corner.name() == name)
    }
}

impl Gesture {
    /// The crop when the pointers are at these points. A pinch needs two points; with one it changes nothing.
    pub fn crop_at(&self, points: &[Point], size: PhotoSize) -> Crop {
        match (*self, points) {
            (Self::Move { crop, start }, [at, ..]) => crop.moved(at.x - start.x, at.y - start.y, size),
            (Self::Resize { crop, corner }, [at, ..]) => resized(crop, corner, *at, size),
            (Self::Pinch { crop, start }, [first, second]) => {
                let factor = distance([*first, *second]) / distance(start).max(1.0);
                let (from, to) = (middle(start), middle([*first, *second]));
                let center = crop.center();
                let center = Point { x: center.x + to.x - from.x, y: center.y + to.y - from.y };
                Crop::around(center, f64::from(crop.side) * factor, size)
            }
            (Self::Move { crop, .. } | Self::Resize { crop, .. } | Self::Pinch { crop, .. }, _) => crop,
        }
    }
}

/// Moves a corner to a point; the opposite corner stays.
fn resized(crop: Crop, corner: Corner, at: Point, size: PhotoSize) -> Crop {
    // For each axis: the length from the fixed edge to the point, and the most that the photo has room for.
    let along = |start: u32, at: f64, edge: u32, moves_end: bool| match moves_end {
        true => (at - f64::from(start), edge - start),
        false => (f64::from(start + crop.side) - at, start + crop.side),
    };
    let (wide, most_wide) = along(crop.left, at.x, size.width, corner.is_right);
    let (high, most_high) = along(crop.top, at.y, size.height, corner.is_bottom);
    let side = super::clamped_side(wide.max(high).min(most_wide.min(most_high).into()), size);
    let side = side.min(most_wide.min(most_high));
    Crop {
        left: if corner.is_right { crop.left } else { crop.left + crop.side - side },
        top: if corner.is_bottom { crop.top } else { crop.top + crop.side - side },
        side,
    }
}

fn distance([a, b]: [Point; 2]) -> f64 {
    (a.x - b.x).hypot(a.y - b.y)
}

fn middle([a, b]: [Point; 2]) -> Point {
    Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: PhotoSize = PhotoSize { width: 400, height: 300 };
    const CROP: Crop = Crop { left: 100, top: 100, side: 100 };

    fn at(x: f64, y: f64) -> Point {
        Point { x, y }
    }

    #[test]
    fn a_drag_moves_the_square_and_a_corner_resizes_it_about_the_opposite_one() {
        let drag = Gesture::Move { crop: CROP, start: at(150.0, 150.0) };
        assert_eq!(drag.crop_at(&[at(160.4, 140.0)], SIZE), Crop { left: 110, top: 90, side: 100 });
        let corner = |name: &str| Gesture::Resize { crop: CROP, corner: Corner::named(name).unwrap() };
        assert_eq!(corner("bottom-right").crop_at(&[at(250.0, 180.0)], SIZE), Crop { side: 150, ..CROP });
        assert_eq!(corner("top-left").crop_at(&[at(60.0, 120.0)], SIZE), Crop { left: 60, top: 60, side: 140 });
        // The photo ends 100 pixels above the fixed corner's row plus the side.
        assert_eq!(corner("top-left").crop_at(&[at(-500.0, -500.0)], SIZE), Crop { left: 0, top: 0, side: 200 });
        assert_eq!(corner("bottom-right").crop_at(&[at(0.0, 0.0)], SIZE).side, super::super::LEAST_SIDE);
        for corner in Corner::ALL {
            for far in [at(1e6, 1e6), at(-1e6, 1e6), at(f64::NAN, 0.0)] {
                assert!(Gesture::Resize { crop: CROP, corner }.crop_at(&[far], SIZE).fits(SIZE));
            }
        }
    }

    #[test]
    fn two_fingers_scale_the_square_and_take_it_along() {
        let pinch = Gesture::Pinch { crop: CROP, start: [at(140.0, 150.0), at(160.0, 150.0)] };
        assert_eq!(pinch.crop_at(&[at(140.0, 150.0), at(160.0, 150.0)], SIZE), CROP);
        assert_eq!(
            pinch.crop_at(&[at(135.0, 150.0), at(165.0, 150.0)], SIZE),
            Crop { left: 75, top: 75, side: 150 }
        );
        assert_eq!(
            pinch.crop_at(&[at(150.0, 160.0), at(170.0, 160.0)], SIZE),
            Crop { left: 110, top: 110, side: 100 }
        );
        assert_eq!(pinch.crop_at(&[at(150.0, 160.0)], SIZE), CROP, "one finger was lifted");
        let together = Gesture::Pinch { crop: CROP, start: [at(1.0, 1.0), at(1.0, 1.0)] };
        assert!(together.crop_at(&[at(0.0, 0.0), at(400.0, 300.0)], SIZE).fits(SIZE));
    }
}
