//! Hairs over the skin, in a random share of the pictures.

use super::canvas::{Canvas, Point, Rgb, from_srgb};
use super::case::CaseRng;
use super::skin::Skin;
use rand::Rng;
use std::f32::consts::PI;

/// Returns whether hairs are worth a mention.
pub fn paint(canvas: &mut Canvas, skin: &Skin, rng: &mut CaseRng) -> bool {
    let n_hairs = match rng.random_range(0..10) {
        0..6 => 0,
        6..9 => rng.random_range(3..14),
        _ => rng.random_range(14..36),
    };
    let color = hair_color(skin, rng);
    let direction = rng.random_range(0.0..2.0 * PI);
    let length = rng.random_range(0.12..0.38f32);
    let width = rng.random_range(0.0010..0.0028f32);
    let extent = canvas.extent();
    for _ in 0..n_hairs {
        let root = Point::new(rng.random_range(0.0..extent.x), rng.random_range(0.0..extent.y));
        let own_length = length * rng.random_range(0.5..1.2);
        let path = curl(root, direction + rng.random_range(-0.5..0.5), own_length, rng.random_range(-1.2..1.2));
        canvas.stroke(&path, (width, 0.4 * width), |coverage, pixel| pixel.blend(color, 0.85 * coverage));
    }
    n_hairs >= 6
}

/// A curve of five points that turns by `turn` radians on its way.
pub fn curl(root: Point, direction: f32, length: f32, turn: f32) -> Vec<Point> {
    let mut path = vec![root];
    let mut place = root;
    for step in 0..4 {
        place = place.toward(direction + turn * step as f32 / 4.0, length / 4.0);
        path.push(place);
    }
    path
}

fn hair_color(skin: &Skin, rng: &mut CaseRng) -> Rgb {
    let fair = [[140, 104, 60], [92, 62, 40], [190, 186, 180], [52, 38, 30]];
    let dark = [[28, 22, 20], [38, 30, 26], [24, 20, 20], [150, 148, 146]];
    let colors = if skin.darkness < 0.45 { fair } else { dark };
    from_srgb(colors[rng.random_range(0..colors.len())])
}
