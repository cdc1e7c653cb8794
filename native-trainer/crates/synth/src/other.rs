//! Pictures that show no skin: what a model of skin should answer nothing to.

use super::canvas::Point;
use super::case::{CaseRng, Split, rng_for};
use super::noise::Noise;
use image::{Rgb, RgbImage};
use rand::Rng;

type Color = [u8; 3];

/// Draws one picture, the same for the same arguments. The kinds take turns: squares, stripes, boxes, a landscape,
/// bricks, writing, clouds of colors, noise.
pub fn paint(seed: u64, number: u64, size: u32) -> RgbImage {
    let mut rng = rng_for(seed, Split::Other, number, 0);
    match number % 8 {
        0 => squares(size, &mut rng),
        1 => stripes(size, &mut rng),
        2 => boxes(size, &mut rng),
        3 => landscape(size, &mut rng),
        4 => bricks(size, &mut rng),
        5 => writing(size, &mut rng),
        6 => clouds(size, &mut rng),
        _ => RgbImage::from_fn(size, size, |_, _| Rgb(rng.random())),
    }
}

/// A picture from the color at each point of the unit square.
fn picture(size: u32, mut color: impl FnMut(Point) -> Color) -> RgbImage {
    let at = |pixel: u32| (pixel as f32 + 0.5) / size as f32;
    RgbImage::from_fn(size, size, |x, y| Rgb(color(Point::new(at(x), at(y)))))
}

fn mixed(a: Color, b: Color, share: f32) -> Color {
    let share = share.clamp(0.0, 1.0);
    std::array::from_fn(|channel| {
        (f32::from(a[channel]) + share * (f32::from(b[channel]) - f32::from(a[channel]))) as u8
    })
}

fn squares(size: u32, rng: &mut CaseRng) -> RgbImage {
    let (a, b, n) = (rng.random(), rng.random(), rng.random_range(3.0..12.0f32));
    picture(size, |p| if ((p.x * n) as u32 + (p.y * n) as u32).is_multiple_of(2) { a } else { b })
}

fn stripes(size: u32, rng: &mut CaseRng) -> RgbImage {
    let (a, b, n) = (rng.random(), rng.random(), rng.random_range(3.0..20.0f32));
    let angle = rng.random_range(0.0..std::f32::consts::PI);
    picture(size, |p| mixed(a, b, 4.0 * (n * (p.x * angle.cos() + p.y * angle.sin())).sin() + 0.5))
}

fn boxes(size: u32, rng: &mut CaseRng) -> RgbImage {
    struct Box {
        center: Point,
        half: Point,
        color: Color,
    }
    let ground: Color = rng.random();
    let drawn = |_| Box {
        center: Point::new(rng.random(), rng.random()),
        half: Point::new(rng.random_range(0.03..0.2), rng.random_range(0.03..0.2)),
        color: rng.random(),
    };
    let boxes: Vec<Box> = (0..14).map(drawn).collect();
    let holds =
        |one: &Box, p: Point| (p.x - one.center.x).abs() < one.half.x && (p.y - one.center.y).abs() < one.half.y;
    picture(size, |p| boxes.iter().find(|one| holds(one, p)).map_or(ground, |one| one.color))
}

fn landscape(size: u32, rng: &mut CaseRng) -> RgbImage {
    let (hills, grass) = (Noise::new(rng), Noise::new(rng));
    let horizon = rng.random_range(0.3..0.7f32);
    let (sky, green) = ([rng.random_range(60..140), rng.random_range(140..200), 235], rng.random_range(80..150));
    picture(size, |p| {
        if p.y < horizon + 0.1 * hills.fbm(Point::new(3.0 * p.x, 0.0), 3) {
            return mixed(sky, [235, 240, 250], p.y / horizon);
        }
        let shade = grass.fbm(Point::new(30.0 * p.x, 60.0 * p.y), 3);
        mixed([20, green / 2, 15], [90, green, 50], 0.5 + shade)
    })
}

fn bricks(size: u32, rng: &mut CaseRng) -> RgbImage {
    let (brick, mortar): (Color, Color) = ([rng.random_range(90..170), 60, 50], [190, 185, 175]);
    let (rows, noise) = (rng.random_range(4.0..10.0f32), Noise::new(rng));
    picture(size, |p| {
        let row = (p.y * rows).floor();
        let column = p.x * rows / 2.0 + if (row as u32).is_multiple_of(2) { 0.0 } else { 0.5 };
        let is_mortar = (p.y * rows).fract() < 0.12 || column.fract() < 0.06;
        let shade = 0.5 + 0.4 * noise.value(Point::new(column.floor() * 3.1, row * 5.7));
        if is_mortar { mortar } else { mixed(brick, [60, 30, 25], shade) }
    })
}

fn writing(size: u32, rng: &mut CaseRng) -> RgbImage {
    let (lines, letters) = (rng.random_range(8.0..20.0f32), rng.random_range(20.0..50.0f32));
    let (words, strokes) = (Noise::new(rng), Noise::new(rng));
    picture(size, |p| {
        let line = (p.y * lines).floor();
        let letter = (p.x * letters).floor();
        let is_word = words.value(Point::new(letter * 0.37, line * 1.3)) > -0.35;
        let in_line = (0.25..0.75).contains(&(p.y * lines).fract()) && (0.05..0.95).contains(&p.x);
        let is_ink = strokes.value(Point::new(p.x * letters * 2.0, p.y * lines * 4.0)) > 0.1;
        if is_word && in_line && is_ink { [30, 30, 40] } else { [245, 243, 238] }
    })
}

fn clouds(size: u32, rng: &mut CaseRng) -> RgbImage {
    let (noise, scale) = (Noise::new(rng), rng.random_range(2.0..9.0f32));
    let colors: [Color; 3] = rng.random();
    picture(size, |p| {
        let value = noise.fbm(p.times(scale), 4);
        if value < 0.0 {
            mixed(colors[1], colors[0], -2.0 * value)
        } else {
            mixed(colors[1], colors[2], 2.0 * value)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_number_is_another_picture_and_the_same_each_time() {
        let pictures: HashSet<Vec<u8>> = (0..24).map(|number| paint(1, number, 32).into_raw()).collect();
        assert_eq!(pictures.len(), 24);
        assert_eq!(paint(1, 5, 32), paint(1, 5, 32));
        assert_ne!(paint(1, 5, 32), paint(2, 5, 32));
    }
}
