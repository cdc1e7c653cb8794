//! Parts of ink that may be letters, with what tells letters from other marks.

use super::components::{Part, components};
use super::median::median;
use shared_model::preprocess::RgbImage8;
use std::ops::RangeInclusive;

/// Rows of a letter. Larger ones are found in the halved image.
const HEIGHTS: RangeInclusive<usize> = 6..=44;
/// A letter, or two that touch, is at most so many times as wide as high.
const MAX_ASPECT: usize = 2;
/// Share of its box that a letter covers at least.
const LEAST_FILL: f32 = 0.12;
/// More parts than this are a texture.
const MAX_PARTS: usize = 20_000;

/// A part that may be a letter. Lengths are in pixels, colors in gray levels.
#[derive(Clone, Debug)]
pub struct Letter {
    pub left: f32,
    pub right: f32,
    pub bottom: f32,
    pub height: f32,
    /// Width of its strokes: twice its area for the length of its border.
    pub stroke: f32,
    /// Share of its box that it covers.
    pub fill: f32,
    /// Color of the pixels that stand out most.
    pub color: [f32; 3],
    /// How much these differ from each other.
    pub spread: f32,
    /// How much they differ from the pixels around the part.
    pub contrast: f32,
    /// How much the pixels around the part differ from each other.
    pub ground_deviation: f32,
}

/// What a pixel of the box and its margin is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    /// Beside a pixel of the part: of the blurred edge.
    Edge,
    /// One pixel further.
    Around,
    Outside,
}

/// Returns the parts that may be letters, from left to right; none of a texture.
pub fn letters(image: &RgbImage8, channel: usize, contrast: &[f32], ink: &[bool]) -> Vec<Letter> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let found = components(ink, width);
    let may_be = |part: &Part| {
        let (columns, rows) = (part.right - part.left, part.bottom - part.top);
        let is_inside = part.left > 0 && part.top > 0 && part.right < width && part.bottom < height;
        let fill = part.n_pixels as f32 / (columns * rows) as f32;
        is_inside && HEIGHTS.contains(&rows) && columns <= MAX_ASPECT * rows && fill >= LEAST_FILL
    };
    let parts: Vec<usize> = (0..found.parts.len()).filter(|&at| may_be(&found.parts[at])).collect();
    if parts.len() > MAX_PARTS {
        return Vec::new();
    }
    let measure = |at: usize| {
        let view = View { image, channel, contrast, numbers: &found.numbers, number: at as u32 + 1 };
        view.measure(&found.parts[at])
    };
    let mut letters: Vec<Letter> = parts.into_iter().map(measure).collect();
    letters.sort_by(|a, b| a.left.total_cmp(&b.left));
    letters
}

/// One part in its image.
struct View<'a> {
    image: &'a RgbImage8,
    channel: usize,
    contrast: &'a [f32],
    numbers: &'a [u32],
    number: u32,
}

impl View<'_> {
    fn measure(&self, part: &Part) -> Letter {
        let width = self.image.width() as usize;
        // The box with a margin of one pixel.
        let (columns, rows) = (part.right - part.left + 2, part.bottom - part.top + 2);
        let pixel = |at: usize| (part.top - 1 + at / columns) * width + part.left - 1 + at % columns;
        let inside: Vec<bool> = (0..columns * rows).map(|at| self.numbers[pixel(at)] == self.number).collect();
        let edge = grown(&inside, columns);
        let around = grown(&edge, columns);
        let place = |at: usize| match (inside[at], edge[at], around[at]) {
            (true, ..) => Place::Inside,
            (_, true, _) => Place::Edge,
            (.., true) => Place::Around,
            _ => Place::Outside,
        };
        let n_border = (0..inside.len()).filter(|&at| inside[at] && is_at_border(&inside, columns, at)).count();
        let of_place = |wanted: Place| (0..inside.len()).filter(move |&at| place(at) == wanted).map(pixel);
        let strength = |at: usize| self.contrast[at].abs();
        let typical = median(&mut of_place(Place::Inside).map(strength).collect::<Vec<f32>>());
        let core: Vec<usize> = of_place(Place::Inside).filter(|&at| strength(at) >= typical).collect();
        let mut surroundings: Vec<usize> = of_place(Place::Around).collect();
        if surroundings.is_empty() {
            surroundings = of_place(Place::Edge).collect();
        }
        let (mut core_values, mut values) = (self.values(&core), self.values(&surroundings));
        let (spread, ground_deviation) = (deviation(&core_values), deviation(&values));
        Letter {
            left: part.left as f32,
            right: part.right as f32,
            bottom: part.bottom as f32,
            height: (part.bottom - part.top) as f32,
            stroke: 2.0 * part.n_pixels as f32 / n_border.max(1) as f32,
            fill: part.n_pixels as f32 / ((columns - 2) * (rows - 2)) as f32,
            color: self.mean_color(&core),
            spread,
            contrast: median(&mut core_values) - median(&mut values),
            ground_deviation,
        }
    }

    fn values(&self, pixels: &[usize]) -> Vec<f32> {
        pixels.iter().map(|&at| f32::from(self.image.as_bytes()[3 * at + self.channel])).collect()
    }

    fn mean_color(&self, pixels: &[usize]) -> [f32; 3] {
        let sum =
            |color: usize| pixels.iter().map(|&at| f32::from(self.image.as_bytes()[3 * at + color])).sum::<f32>();
        [0, 1, 2].map(|color| sum(color) / pixels.len().max(1) as f32)
    }
}

/// The eight neighbors of a pixel that are in the box.
fn neighbors(columns: usize, n_pixels: usize, at: usize) -> impl Iterator<Item = usize> {
    let (x, y, rows) = (at % columns, at / columns, n_pixels / columns);
    let xs = x.saturating_sub(1)..=(x + 1).min(columns - 1);
    (y.saturating_sub(1)..=(y + 1).min(rows - 1)).flat_map(move |y| xs.clone().map(move |x| y * columns + x))
}

fn is_at_border(inside: &[bool], columns: usize, at: usize) -> bool {
    neighbors(columns, inside.len(), at).any(|neighbor| !inside[neighbor])
}

/// The mask with all neighbors of its pixels.
fn grown(mask: &[bool], columns: usize) -> Vec<bool> {
    let is_near = |at: usize| neighbors(columns, mask.len(), at).any(|neighbor| mask[neighbor]);
    (0..mask.len()).map(is_near).collect()
}

/// The standard deviation.
fn deviation(values: &[f32]) -> f32 {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / n).sqrt()
}
