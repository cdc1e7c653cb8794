//! From light to an 8-bit picture: lamp falloff, vignette, blur, white balance, exposure, noise, and instruments in the
//! picture.

use super::canvas::{Canvas, Point, Rgb, from_srgb};
use super::case::CaseRng;
use super::noise::{Noise, smoothstep};
use image::RgbImage;
use rand::Rng;
use std::f32::consts::PI;
use std::sync::OnceLock;

/// A ruler at the edge or the ring of a dermatoscope, in some pictures; returns the words for it.
pub fn add_tools(canvas: &mut Canvas, field_mm: f32, rng: &mut CaseRng) -> Option<&'static str> {
    match rng.random_range(0..100) {
        0..6 => {
            ruler(canvas, field_mm, rng);
            Some("a ruler at the edge")
        }
        6..11 => {
            dermatoscope_ring(canvas, rng);
            Some("a dark dermatoscope ring")
        }
        _ => None,
    }
}

fn ruler(canvas: &mut Canvas, field_mm: f32, rng: &mut CaseRng) {
    let (paper, ink) = (from_srgb([232, 230, 222]), from_srgb([34, 34, 40]));
    let (along_x, far_side) = (rng.random_bool(0.5), rng.random_bool(0.5));
    let depth = rng.random_range(0.07..0.11f32);
    let extent = canvas.extent();
    // Ticks of a millimeter would blur together on a wide field, so they mark the next round length.
    let tick_mm = if field_mm < 45.0 { 1.0 } else { 5.0 };
    let spacing = tick_mm / field_mm;
    canvas.paint_all(|p, pixel| {
        let (along, mut inward, limit) = if along_x { (p.x, p.y, extent.y) } else { (p.y, p.x, extent.x) };
        if far_side {
            inward = limit - inward;
        }
        if inward > depth {
            return;
        }
        let tick = (along / spacing).round();
        let is_long = tick as i32 % 5 == 0;
        let tick_length = if is_long { 0.6 } else { 0.35 };
        let is_ink = (along - tick * spacing).abs() < 0.004 && depth - inward < depth * tick_length;
        pixel.blend(if is_ink { ink } else { paper }, 0.96);
    });
}

fn dermatoscope_ring(canvas: &mut Canvas, rng: &mut CaseRng) {
    let center = canvas.center();
    let radius = rng.random_range(0.47..0.56f32);
    let soft = rng.random_range(0.005..0.02);
    canvas.paint_all(|p, pixel| {
        let beyond = smoothstep(-soft, soft, p.distance(center) - radius);
        pixel.blend([0.012, 0.012, 0.014], beyond);
    });
}

/// Takes the photo.
pub fn expose(canvas: &Canvas, rng: &mut CaseRng) -> RgbImage {
    let mut colors = lit(canvas, rng);
    let n_blurs = [0, 0, 0, 1, 1, 2, 3][rng.random_range(0..7)];
    for _ in 0..n_blurs {
        colors = blur(&colors, canvas.width as usize);
    }
    develop(&colors, canvas, rng)
}

/// Lamp falloff, vignette, exposure and white balance on every pixel.
fn lit(canvas: &Canvas, rng: &mut CaseRng) -> Vec<Rgb> {
    let (direction, falloff) = (rng.random_range(0.0..2.0 * PI), rng.random_range(0.0..0.45f32));
    let vignette = if rng.random_bool(0.5) { rng.random_range(0.0..0.7f32) } else { 0.0 };
    let gain = exposure(canvas) * rng.random_range(0.8..1.22f32);
    let warmth = rng.random_range(-0.08..0.09f32);
    let tint = rng.random_range(-0.03..0.03f32);
    let balance = [gain * (1.0 + warmth), gain * (1.0 + tint), gain * (1.0 - warmth)];
    let saturation = rng.random_range(0.85..1.15f32);
    let center = canvas.center();
    let (cos, sin) = (direction.cos(), direction.sin());
    let (width, unit) = (canvas.width as usize, canvas.pixel());
    let shade = |index: usize, color: Rgb| {
        let p = Point::new((index % width) as f32 * unit - center.x, (index / width) as f32 * unit - center.y);
        let light = 1.0 + falloff * (p.x * cos + p.y * sin) - vignette * (p.x * p.x + p.y * p.y);
        let gray = (color[0] + color[1] + color[2]) / 3.0;
        std::array::from_fn(|channel| {
            let vivid = gray + saturation * (color[channel] - gray);
            (vivid * balance[channel] * light).max(0.0)
        })
    };
    canvas.pixels.iter().enumerate().map(|(index, pixel)| shade(index, pixel.color)).collect()
}

/// A camera lifts dark scenes and dims bright ones, a third of the way.
fn exposure(canvas: &Canvas) -> f32 {
    let step = 37;
    let sum: f32 = canvas.pixels.iter().step_by(step).map(|pixel| pixel.color[1]).sum();
    let mean = sum / canvas.pixels.len().div_ceil(step) as f32;
    (0.26 / mean.max(0.01)).powf(0.30).clamp(0.75, 1.9)
}

/// A three by three binomial filter; the outermost pixels keep their value.
fn blur(colors: &[Rgb], width: usize) -> Vec<Rgb> {
    let filter = |from: &[Rgb], stride: usize| -> Vec<Rgb> {
        let mut to = from.to_vec();
        for index in stride..from.len() - stride {
            let (before, here, after) = (from[index - stride], from[index], from[index + stride]);
            to[index] = std::array::from_fn(|c| 0.25 * before[c] + 0.5 * here[c] + 0.25 * after[c]);
        }
        to
    };
    filter(&filter(colors, 1), width)
}

/// Film curve, sensor noise, 8 bits.
fn develop(colors: &[Rgb], canvas: &Canvas, rng: &mut CaseRng) -> RgbImage {
    let curve = film_curve();
    let contrast = rng.random_range(0.9..1.15f32);
    let noise = rng.random_range(0.8..6.0f32);
    let grain = Noise::new(rng);
    let mut bytes = Vec::with_capacity(colors.len() * 3);
    for (index, color) in colors.iter().enumerate() {
        for (channel, &value) in (0u32..).zip(color) {
            let position = (value * CURVE_STEPS as f32) as usize;
            let encoded = curve[position.min(CURVE_STEPS - 1)];
            let random = grain.grain(index as u32, channel) + grain.grain(index as u32, channel + 3) - 1.0;
            let level = (encoded - 128.0) * contrast + 128.0 + noise * random;
            bytes.push((level + 0.5).clamp(0.0, 255.0) as u8);
        }
    }
    RgbImage::from_raw(canvas.width, canvas.height, bytes).expect("three bytes were made for each pixel")
}

const CURVE_STEPS: usize = 16384;

/// sRGB encoding of linear light in [0, 1), scaled to [0, 255].
fn film_curve() -> &'static [f32] {
    static CURVE: OnceLock<Vec<f32>> = OnceLock::new();
    CURVE.get_or_init(|| {
        let encode = |step: usize| {
            let value = (step as f32 + 0.5) / CURVE_STEPS as f32;
            let encoded = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
            encoded * 255.0
        };
        (0..CURVE_STEPS).map(encode).collect()
    })
}
