//! Bare skin: its tone, mottling, lines, pores, freckles, and how blood and melanin change its color.

use super::canvas::{Canvas, MELANIN, Pixel, Point, Rgb, from_srgb, mix_color};
use super::case::CaseRng;
use super::noise::{Noise, smoothstep};
use rand::Rng;
use std::f32::consts::PI;

/// Typical colors of Fitzpatrick I to VI, sRGB.
const TONES: [[u8; 3]; 6] =
    [[245, 214, 199], [234, 192, 168], [214, 164, 132], [176, 122, 88], [128, 84, 60], [82, 54, 43]];

/// The color of one person's skin and what happens to it in a lesion.
#[derive(Clone, Copy, Debug)]
pub struct Skin {
    pub base: Rgb,
    /// Skin without melanin.
    pub bare: Rgb,
    /// Absorption of one unit of blood near the surface: red on fair skin, violaceous on dark skin.
    pub blood: Rgb,
    /// 0 for the fairest to 1 for the darkest tone.
    pub darkness: f32,
}

impl Skin {
    /// Skin of a Fitzpatrick type, 1 to 6, with the variation between people.
    pub fn sample(fitzpatrick: u8, rng: &mut CaseRng) -> Self {
        let position = (f32::from(fitzpatrick) - 1.0 + rng.random_range(-0.4f32..0.4)).clamp(0.0, 5.0);
        let lower = (position as usize).min(TONES.len() - 2);
        let mut base = mix_color(from_srgb(TONES[lower]), from_srgb(TONES[lower + 1]), position - lower as f32);
        for channel in &mut base {
            *channel *= rng.random_range(0.94..1.06);
        }
        let darkness = position / 5.0;
        Self {
            base,
            bare: mix_color([0.86, 0.66, 0.58], [0.72, 0.52, 0.44], darkness),
            blood: mix_color([0.10, 0.85, 0.70], [0.34, 0.86, 0.50], darkness),
            darkness,
        }
    }

    pub fn redden(&self, pixel: &mut Pixel, amount: f32) {
        pixel.absorb(self.blood, amount);
    }

    /// Dry scale: it scatters light, so it is pale on every skin, but takes some of the tone.
    pub fn scale_color(&self) -> Rgb {
        mix_color([0.74, 0.70, 0.67], [0.31, 0.28, 0.265], self.darkness)
    }

    /// Color of blood on this skin, for captions; `strength` as in [`Skin::redden`].
    pub fn erythema_word(&self, strength: f32) -> &'static str {
        match (self.darkness, strength) {
            (d, s) if d > 0.75 && s > 0.8 => "dark violaceous",
            (d, _) if d > 0.75 => "violaceous",
            (d, s) if d > 0.5 && s > 0.8 => "reddish-brown",
            (d, _) if d > 0.5 => "dusky red",
            (_, s) if s > 1.0 => "bright red",
            (_, s) if s > 0.6 => "red",
            _ => "pink",
        }
    }

    pub fn brown_word(&self, amount: f32) -> &'static str {
        match amount + 1.2 * self.darkness {
            total if total > 2.6 => "very dark brown",
            total if total > 1.6 => "dark brown",
            total if total > 0.9 => "brown",
            _ => "light brown",
        }
    }
}

/// Body part, as far as it is visible.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Surface {
    /// The skin fills the picture.
    Flat,
    /// A limb along `angle`, with the cloth behind it where it ends.
    Limb { angle: f32, cloth: Rgb, half_width: f32 },
    /// Deep lines along `angle`.
    Creased { angle: f32 },
}

impl Surface {
    pub fn sample(rng: &mut CaseRng) -> Self {
        let angle = rng.random_range(0.0..PI);
        match rng.random_range(0..10) {
            0..7 => Self::Flat,
            7..9 => {
                let cloths = [[38, 84, 120], [64, 128, 110], [210, 210, 206], [30, 30, 34], [150, 160, 172]];
                let cloth = from_srgb(cloths[rng.random_range(0..cloths.len())]);
                Self::Limb { angle, cloth, half_width: rng.random_range(0.44..0.62) }
            }
            _ => Self::Creased { angle },
        }
    }

    /// Returns whether the place is on skin with a margin; `middle` is the center of the picture.
    pub fn holds(self, place: Point, middle: Point) -> bool {
        match self {
            Self::Limb { angle, half_width, .. } => axes(place, middle, angle).1.abs() < half_width - 0.06,
            Self::Flat | Self::Creased { .. } => true,
        }
    }
}

/// Coarseness of the skin, independent of lesions.
struct Texture {
    line_scale: f32,
    line_depth: f32,
    pore_depth: f32,
    mottling: f32,
    freckles: f32,
    freckle_scale: f32,
}

impl Texture {
    fn sample(rng: &mut CaseRng) -> Self {
        Self {
            line_scale: rng.random_range(28.0..64.0),
            line_depth: rng.random_range(0.0003..0.0016),
            pore_depth: rng.random_range(0.0..0.0012),
            mottling: rng.random_range(0.04..0.22),
            freckle_scale: rng.random_range(18.0..44.0),
            freckles: if rng.random_bool(0.16) { rng.random_range(0.2..0.6) } else { 0.0 },
        }
    }
}

/// Covers the canvas with skin.
pub fn paint(canvas: &mut Canvas, skin: &Skin, surface: Surface, rng: &mut CaseRng) {
    let texture = Texture::sample(rng);
    let (blush, melanin, lines, spots) = (Noise::new(rng), Noise::new(rng), Noise::new(rng), Noise::new(rng));
    let middle = canvas.center();
    let (line_angle, line_stretch) = (rng.random_range(0.0..PI), rng.random_range(1.0..1.8f32));
    let (line_sin, line_cos) = line_angle.sin_cos();
    canvas.paint_all(|p, pixel| {
        let mottling = texture.mottling * (0.6 + 1.6 * blush.fbm(p.times(3.5), 3)).max(0.0);
        let tan = texture.mottling * 0.8 * melanin.value(p.times(7.0));
        pixel.absorb(std::array::from_fn(|channel| mottling * skin.blood[channel] + tan * MELANIN[channel]), 1.0);
        if texture.freckles > 0.0 {
            let share = smoothstep(0.1, 0.6, melanin.value(p.times(5.0)));
            let freckle = smoothstep(0.72, 0.95, spots.cells(p.times(texture.freckle_scale))) * share;
            pixel.pigment(texture.freckles * freckle);
        }
        let turned = Point::new((p.x * line_cos + p.y * line_sin) * line_stretch, p.y * line_cos - p.x * line_sin);
        let cell = lines.cells(turned.times(texture.line_scale));
        pixel.height += texture.line_depth * cell;
        pixel.height += texture.pore_depth * lines.value(p.times(90.0));
        if let Surface::Creased { angle } = surface {
            crease(pixel, p, middle, skin, angle, lines);
        }
    });
}

/// Deep lines that run through creased skin.
fn crease(pixel: &mut Pixel, p: Point, middle: Point, skin: &Skin, angle: f32, noise: Noise) {
    let (_, across) = axes(p, middle, angle);
    let wave = across * 3.6 + 0.5 * noise.fbm(p.times(3.0), 2);
    let furrow = smoothstep(0.72, 1.0, (wave.fract() - 0.5).abs() * 2.0);
    pixel.height -= 0.005 * furrow;
    skin.redden(pixel, 0.10 * furrow);
}

/// Draws the edge of a limb: it darkens toward its sides, and cloth covers everything beyond, lesions and hairs too.
pub fn paint_background(canvas: &mut Canvas, surface: Surface, rng: &mut CaseRng) {
    let Surface::Limb { angle, cloth, half_width } = surface else { return };
    let (noise, middle) = (Noise::new(rng), canvas.center());
    canvas.paint_all(|p, pixel| {
        let (along, across) = axes(p, middle, angle);
        let edge = half_width + 0.025 * noise.value(Point::new(along * 2.0, 0.0));
        pixel.brighten(1.0 - 0.55 * (across / edge).abs().min(1.0).powi(4));
        let beyond = smoothstep(-0.006, 0.006, across.abs() - edge);
        if beyond > 0.0 {
            let fold = 0.8 + 0.25 * noise.fbm(p.times(5.0), 2);
            pixel.blend(cloth.map(|channel| channel * fold), beyond);
            pixel.height *= 1.0 - beyond;
            pixel.gloss *= 1.0 - beyond;
        }
    });
}

/// Distance from the middle along and across the direction `angle`.
fn axes(p: Point, middle: Point, angle: f32) -> (f32, f32) {
    let ((sin, cos), dx, dy) = (angle.sin_cos(), p.x - middle.x, p.y - middle.y);
    (dx * cos + dy * sin, dy * cos - dx * sin)
}
