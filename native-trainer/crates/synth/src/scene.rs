//! An unfinished picture: the canvas, the random generator, the skin, and the list of what has been drawn.

use super::canvas::{Canvas, Point};
use super::case::{Case, CaseRng};
use super::findings::Findings;
use super::shape::scatter;
use super::skin::{Skin, Surface};
use rand::Rng;

pub struct Scene<'a> {
    pub case: &'a Case,
    pub canvas: Canvas,
    pub rng: CaseRng,
    pub skin: Skin,
    pub surface: Surface,
    pub findings: Findings,
}

impl Scene<'_> {
    /// The middle of the lesions.
    pub fn focus(&self) -> Point {
        let center = self.canvas.center();
        Point::new(center.x + self.case.focus.x, center.y + self.case.focus.y)
    }

    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        self.rng.random_range(low..high)
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    /// Up to `count` places, the first at the focus, the others within `spread` of it and `gap` from each other; all of
    /// them in the picture and on skin, so that what is counted is seen.
    pub fn places(&mut self, count: usize, spread: f32, gap: f32) -> Vec<Point> {
        let focus = self.focus();
        let mut places = vec![focus];
        let others = scatter(&mut self.rng, 2 * count, focus, spread, gap);
        let is_seen = |place: &Point| place.distance(focus) >= gap && self.is_on_skin(*place);
        places.extend(others.into_iter().filter(is_seen).take(count - 1));
        places
    }

    pub fn is_on_skin(&self, place: Point) -> bool {
        let (middle, extent) = (self.canvas.center(), self.canvas.extent());
        let margin = 0.04;
        let is_inside = |value: f32, limit: f32| value > margin && value < limit - margin;
        is_inside(place.x, extent.x) && is_inside(place.y, extent.y) && self.surface.holds(place, middle)
    }

    /// A size between the bounds, times the case's zoom.
    pub fn size(&mut self, low: f32, high: f32) -> f32 {
        self.uniform(low, high) * self.case.zoom
    }
}
