//! Outlines of lesions: ellipses whose edge is moved by noise.

use super::canvas::Point;
use super::case::CaseRng;
use super::noise::{Noise, smoothstep};
use rand::Rng;
use std::f32::consts::PI;

#[derive(Clone, Copy, Debug)]
pub struct Blob {
    pub center: Point,
    pub radius: f32,
    /// Square root of long by short axis, at least 1.
    pub stretch: f32,
    /// Sine and cosine of the direction of the long axis.
    pub axis: (f32, f32),
    /// Share of the radius by which the edge wanders.
    pub irregularity: f32,
    /// Bumps on the length of a radius.
    pub frequency: f32,
    pub noise: Noise,
}

impl Blob {
    /// A nearly round blob.
    pub fn round(center: Point, radius: f32, rng: &mut CaseRng) -> Self {
        Self {
            center,
            radius,
            stretch: rng.random_range(1.0f32..1.3).sqrt(),
            axis: rng.random_range(0.0..PI).sin_cos(),
            irregularity: 0.08,
            frequency: 1.5,
            noise: Noise::new(rng),
        }
    }

    /// The same with another edge.
    pub fn rough(self, irregularity: f32, frequency: f32) -> Self {
        Self { irregularity, frequency, ..self }
    }

    /// `aspect` is long by short axis, `angle` the direction of the long one (radians).
    pub fn stretched(self, aspect: f32, angle: f32) -> Self {
        Self { stretch: aspect.sqrt(), axis: angle.sin_cos(), ..self }
    }

    /// A blob about the same center with `factor` times the radius.
    pub fn scaled(self, factor: f32) -> Self {
        Self { radius: self.radius * factor, ..self }
    }

    /// About the distance from the edge, negative inside.
    pub fn distance(&self, p: Point) -> f32 {
        let (sin, cos) = self.axis;
        let (dx, dy) = (p.x - self.center.x, p.y - self.center.y);
        let along = (dx * cos + dy * sin) / self.stretch;
        let across = (dy * cos - dx * sin) * self.stretch;
        let far = (along * along + across * across).sqrt();
        if far > self.radius * (1.05 + self.irregularity) + 0.12 {
            return far - self.radius;
        }
        let wander = self.noise.fbm(p.times(self.frequency / self.radius), 3);
        far - self.radius * (1.0 + 1.6 * self.irregularity * wander)
    }

    /// Half-width of a square that holds the blob and `margin` around it.
    pub fn reach(&self, margin: f32) -> f32 {
        self.radius * self.stretch * (1.0 + 1.6 * self.irregularity) + margin
    }
}

/// 1 inside, 0 outside, with an edge of half-width `softness`.
pub fn inside(distance: f32, softness: f32) -> f32 {
    smoothstep(softness, -softness, distance)
}

/// A ridge of half-width `width` about `distance` zero.
pub fn ridge(distance: f32, width: f32) -> f32 {
    let t = distance / width;
    (-t * t).exp()
}

/// Up to `count` places in a disc about `center`, at least `gap` from each other.
pub fn scatter(rng: &mut CaseRng, count: usize, center: Point, spread: f32, gap: f32) -> Vec<Point> {
    let mut places: Vec<Point> = Vec::with_capacity(count);
    for _ in 0..count * 12 {
        if places.len() == count {
            break;
        }
        let place = center.toward(rng.random_range(0.0..2.0 * PI), spread * rng.random::<f32>().sqrt());
        if places.iter().all(|other| other.distance(place) >= gap) {
            places.push(place);
        }
    }
    places
}
