//! An unfinished picture: the canvas, the random generator, the skin, and the list of what has been drawn.

use super::camera;
use super::canvas::{Canvas, Point};
use super::case::{Case, CaseRng};
use super::findings::Findings;
use super::hair;
use super::lesions;
use super::relief;
use super::shape::scatter;
use super::skin::{self, Skin, Surface};
use image::RgbImage;
use rand::Rng;

pub struct Scene<'a> {
    pub case: &'a Case,
    pub canvas: Canvas,
    pub rng: CaseRng,
    pub skin: Skin,
    pub surface: Surface,
    pub findings: Findings,
}

/// A finished picture and what is on it.
pub struct Picture {
    pub image: RgbImage,
    pub findings: Findings,
    /// Words for what the camera added: "ruler in the picture".
    pub extras: Vec<&'static str>,
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

/// Paints the case; `size` is (width, height) in pixels.
pub fn paint(case: &Case, size: (u32, u32), mut rng: CaseRng) -> Picture {
    let skin = Skin::sample(case.fitzpatrick, &mut rng);
    let surface = Surface::sample(&mut rng);
    let mut canvas = Canvas::new(size.0, size.1, skin.base);
    skin::paint(&mut canvas, &skin, surface, &mut rng);
    let mut scene = Scene { case, canvas, rng, skin, surface, findings: Findings::default() };
    lesions::paint(&mut scene);
    let Scene { mut canvas, mut rng, findings, .. } = scene;
    let mut extras = Vec::new();
    if hair::paint(&mut canvas, &skin, &mut rng) {
        extras.push("hairs across the skin");
    }
    skin::paint_background(&mut canvas, surface, &mut rng);
    relief::light(&mut canvas, &mut rng);
    extras.extend(camera::add_tools(&mut canvas, case.field_mm, &mut rng));
    let image = camera::expose(&canvas, &mut rng);
    Picture { image, findings, extras }
}
