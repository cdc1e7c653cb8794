//! Light on the height field: what is raised gets a bright and a dark side, what is glossy a highlight.

use super::canvas::Canvas;
use super::case::CaseRng;
use rand::Rng;
use std::f32::consts::PI;

/// Shades every pixel by the slope of the height field under one lamp and soft light from everywhere.
pub fn light(canvas: &mut Canvas, rng: &mut CaseRng) {
    let azimuth = rng.random_range(0.0..2.0 * PI);
    let elevation = rng.random_range(0.75..1.25f32);
    let lamp = [azimuth.cos() * elevation.cos(), azimuth.sin() * elevation.cos(), elevation.sin()];
    let ambient = rng.random_range(0.25..0.5f32);
    // The viewer is straight above, so the half vector is the lamp's direction lifted.
    let half = unit([lamp[0], lamp[1], lamp[2] + 1.0]);
    let (width, height) = (canvas.width as usize, canvas.height as usize);
    let per_unit = 0.5 / canvas.pixel();
    let heights: Vec<f32> = canvas.pixels.iter().map(|pixel| pixel.height).collect();
    for row in 0..height {
        let (above, below) = (row.saturating_sub(1) * width, (row + 1).min(height - 1) * width);
        for column in 0..width {
            let (left, right) = (column.saturating_sub(1), (column + 1).min(width - 1));
            let slope_x = (heights[row * width + right] - heights[row * width + left]) * per_unit;
            let slope_y = (heights[below + column] - heights[above + column]) * per_unit;
            let normal = unit([-slope_x, -slope_y, 1.0]);
            let direct = dot(normal, lamp).max(0.0) / lamp[2];
            let pixel = &mut canvas.pixels[row * width + column];
            pixel.brighten(ambient + (1.0 - ambient) * direct.min(1.7));
            if pixel.gloss > 0.01 {
                let highlight = pixel.gloss * dot(normal, half).max(0.0).powi(48);
                pixel.blend([1.0, 0.98, 0.95], (0.75 * highlight).min(0.85));
            }
        }
    }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = dot(v, v).sqrt();
    v.map(|value| value / length)
}
