//! Painting a case: skin, lesions, hair, light and camera.

use super::camera;
use super::canvas::Canvas;
use super::case::{Case, CaseRng};
use super::findings::Findings;
use super::hair;
use super::lesions;
use super::mask;
use super::relief;
use super::scene::Scene;
use super::skin::{self, Skin, Surface};
use image::{GrayImage, RgbImage};

/// A finished picture and what is on it.
pub struct Picture {
    pub image: RgbImage,
    pub findings: Findings,
    /// White where lesions are.
    pub lesions: GrayImage,
    /// Words for what the camera added: "ruler in the picture".
    pub extras: Vec<&'static str>,
}

/// Paints the case; `size` is (width, height) in pixels.
pub fn paint(case: &Case, size: (u32, u32), mut rng: CaseRng) -> Picture {
    let skin = Skin::sample(case.fitzpatrick, &mut rng);
    let surface = Surface::sample(&mut rng);
    let mut canvas = Canvas::new(size.0, size.1, skin.base);
    skin::paint(&mut canvas, &skin, surface, &mut rng);
    let bare = canvas.pixels.clone();
    let mut scene = Scene { case, canvas, rng, skin, surface, findings: Findings::default() };
    lesions::paint(&mut scene);
    let Scene { mut canvas, mut rng, findings, .. } = scene;
    let lesions = mask::changed(&bare, &canvas);
    let mut extras = Vec::new();
    if hair::paint(&mut canvas, &skin, &mut rng) {
        extras.push("hairs across the skin");
    }
    skin::paint_background(&mut canvas, surface, &mut rng);
    relief::light(&mut canvas, &mut rng);
    extras.extend(camera::add_tools(&mut canvas, case.field_mm, &mut rng));
    let image = camera::expose(&canvas, &mut rng);
    Picture { image, findings, lesions, extras }
}
