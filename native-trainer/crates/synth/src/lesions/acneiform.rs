//! Acne vulgaris: papules, pustules and comedones side by side on oily skin.

use super::marks;
use crate::canvas::{Point, from_srgb, mix_color};
use crate::findings::Concept;
use crate::scene::Scene;
use crate::shape::{Blob, scatter};

/// Number of each lesion.
struct Counts {
    papules: usize,
    pustules: usize,
    comedones: usize,
    stains: usize,
    nodules: usize,
}

impl Counts {
    fn sample(scene: &mut Scene) -> Self {
        let is_comedonal = scene.chance(0.2);
        Self {
            papules: scene.uniform(if is_comedonal { 2.0 } else { 5.0 }, if is_comedonal { 5.0 } else { 15.0 })
                as usize,
            pustules: if is_comedonal { 0 } else { scene.uniform(2.0, 9.0) as usize },
            comedones: scene.uniform(if is_comedonal { 14.0 } else { 3.0 }, if is_comedonal { 28.0 } else { 14.0 })
                as usize,
            stains: if scene.chance(0.5) { scene.uniform(3.0, 9.0) as usize } else { 0 },
            nodules: if scene.chance(0.25) { scene.uniform(1.0, 3.0) as usize } else { 0 },
        }
    }
}

pub fn acne(scene: &mut Scene) {
    let counts = Counts::sample(scene);
    let shine = scene.uniform(0.05, 0.22);
    scene.canvas.paint_all(|_, pixel| pixel.gloss += shine);
    let redness = scene.uniform(0.7, 1.25);
    let unit = scene.size(0.014, 0.022);
    let focus = scene.focus();
    let spread = scene.uniform(0.30, 0.50);
    let n_all = counts.papules + counts.pustules + counts.comedones + counts.stains + counts.nodules;
    let mut places = scatter(&mut scene.rng, n_all, focus, spread, 1.9 * unit);
    places.retain(|&place| scene.is_on_skin(place));
    let mut places = places.into_iter();
    let mut next = |count: usize| places.by_ref().take(count).collect::<Vec<Point>>();
    let [nodules, stains, papules, pustules, comedones] =
        [counts.nodules, counts.stains, counts.papules, counts.pustules, counts.comedones].map(&mut next);
    for &place in &stains {
        let blob = Blob::round(place, unit * scene.uniform(0.7, 1.3), &mut scene.rng);
        let skin = scene.skin;
        let amount = scene.uniform(0.35, 0.7);
        scene.canvas.paint(place, blob.reach(0.01), |p, pixel| {
            let cover = crate::shape::inside(blob.distance(p), 0.008);
            pixel.pigment(amount * cover);
            skin.redden(pixel, 0.25 * cover);
        });
    }
    for &place in &nodules {
        let blob = Blob::round(place, unit * scene.uniform(2.2, 3.2), &mut scene.rng);
        inflamed_dome(scene, &blob, redness * 1.1);
    }
    for &place in &papules {
        let blob = Blob::round(place, unit * scene.uniform(0.7, 1.4), &mut scene.rng);
        inflamed_dome(scene, &blob, redness);
    }
    for &place in &pustules {
        let radius = unit * scene.uniform(0.8, 1.35);
        marks::pustule(scene, place, radius);
    }
    for &place in &comedones {
        comedo(scene, place, 0.45 * unit);
    }
    let n_inflamed = papules.len() + pustules.len() + nodules.len();
    let red = scene.skin.erythema_word(redness);
    let findings = &mut scene.findings;
    findings.count = n_inflamed;
    findings.largest = unit * if nodules.is_empty() { 2.6 } else { 5.4 };
    (findings.shape, findings.border) = ("round", "small inflamed halos");
    findings.color(red);
    findings.lesion = ("papule", "papules");
    findings.add(Concept::Papule);
    if !pustules.is_empty() {
        findings.detail(Concept::Pustule, "pustules with yellow-white tips");
    }
    findings.detail(Concept::Comedo, "open and closed comedones");
    findings.add(Concept::Erythema);
    if !nodules.is_empty() {
        findings.detail(Concept::Nodule, "inflamed nodules");
    }
    if !stains.is_empty() {
        findings.detail(Concept::Hyperpigmentation, "brown post-inflammatory marks");
    }
    findings.arrangement = Some("scattered over oily skin");
}

fn inflamed_dome(scene: &mut Scene, blob: &Blob, redness: f32) {
    marks::erythema(scene, &blob.scaled(1.25), redness, 0.7 * blob.radius);
    marks::dome(scene, blob, 0.4, 0.2);
}

/// Blackhead or whitehead.
fn comedo(scene: &mut Scene, place: Point, radius: f32) {
    let blob = Blob::round(place, 1.5 * radius, &mut scene.rng);
    marks::dome(scene, &blob, 0.35, 0.1);
    if scene.chance(0.55) {
        marks::dot(scene, place, 0.8 * radius, from_srgb([36, 26, 22]), 0.85);
    } else {
        let white = mix_color(from_srgb([244, 232, 214]), from_srgb([196, 172, 146]), scene.skin.darkness);
        marks::dot(scene, place, radius, white, 0.7);
    }
}
