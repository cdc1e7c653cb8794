//! Urticaria and cherry angioma: smooth pale-centered wheals, and glossy red domes.

use super::marks;
use crate::canvas::{Rgb, from_srgb, mix_color};
use crate::findings::Concept;
use crate::noise::{Noise, smoothstep};
use crate::scene::Scene;
use crate::shape::{Blob, inside, ridge};
use std::f32::consts::PI;

pub fn urticaria(scene: &mut Scene) {
    let is_giant = scene.chance(0.4);
    let count = if is_giant { scene.uniform(1.0, 4.99) } else { scene.uniform(5.0, 13.99) } as usize;
    let largest = if is_giant { scene.size(0.16, 0.28) } else { scene.size(0.06, 0.11) };
    let places = scene.places(count, 0.42, 1.45 * largest);
    let redness = scene.uniform(0.5, 0.95);
    let paleness = scene.uniform(0.3, 0.75);
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.4, 1.0) };
        let (aspect, angle) = (scene.uniform(1.0, 1.8), scene.uniform(0.0, PI));
        let blob = Blob::round(place, radius, &mut scene.rng).rough(0.26, 1.1).stretched(aspect, angle);
        wheal(scene, &blob, redness, paleness);
    }
    let red = scene.skin.erythema_word(redness);
    let findings = &mut scene.findings;
    (findings.count, findings.largest) = (places.len(), 2.0 * largest);
    findings.shape = if is_giant { "polycyclic" } else { "irregular" };
    findings.border = "smooth raised edges";
    findings.color(red);
    findings.lesion = ("wheal", "wheals");
    findings.add(Concept::Wheal);
    findings.add(Concept::Erythema);
    if paleness > 0.45 {
        findings.details.push("pale centers");
        findings.color("pale");
    }
    findings.details.push("a smooth swollen surface");
    findings.arrangement = (places.len() > 1).then_some("partly running together");
}

/// A smooth swelling that is redder at its edge, in a faint flare.
fn wheal(scene: &mut Scene, blob: &Blob, redness: f32, paleness: f32) {
    let skin = scene.skin;
    let pale = mix_color(skin.base, [0.9, 0.78, 0.72], 0.35);
    let flare = scene.uniform(0.02, 0.06);
    let height = scene.uniform(0.010, 0.018);
    let softness = scene.uniform(0.010, 0.018);
    scene.canvas.paint(blob.center, blob.reach(flare + softness), |p, pixel| {
        let distance = blob.distance(p);
        let cover = inside(distance, softness);
        let depth = (-distance / blob.radius).clamp(0.0, 1.0);
        let center = smoothstep(0.12, 0.5, depth);
        skin.redden(pixel, redness * cover * (1.0 - paleness * center));
        skin.redden(pixel, 0.35 * redness * (1.0 - cover) * smoothstep(flare, 0.0, distance));
        pixel.blend(pale, 0.3 * paleness * center);
        // The swollen skin is stretched smooth.
        pixel.height = pixel.height * (1.0 - 0.6 * cover) + height * inside(distance, 1.5 * softness);
        pixel.gloss += 0.10 * cover;
    });
}

pub fn cherry_angioma(scene: &mut Scene) {
    let count = [1, 1, 2, 3, 5, 8, 11][scene.uniform(0.0, 6.99) as usize];
    let largest = if count == 1 { scene.size(0.06, 0.15) } else { scene.size(0.03, 0.07) };
    let places = scene.places(count, 0.42, 2.4 * largest);
    let is_purple = scene.chance(0.22);
    let bright = if is_purple { from_srgb([146, 26, 76]) } else { from_srgb([204, 28, 34]) };
    let color = mix_color(bright, from_srgb([62, 6, 20]), 0.92 * scene.skin.darkness);
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.3, 1.0) };
        let blob = Blob::round(place, radius, &mut scene.rng).rough(0.05, 1.4);
        vascular_dome(scene, &blob, color);
    }
    let is_dark = scene.skin.darkness > 0.6;
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (places.len(), 2.0 * largest, "round");
    findings.border = "sharp borders";
    findings.color(match (is_purple, is_dark) {
        (true, _) => "purple",
        (false, true) => "dark red",
        (false, false) => "cherry-red",
    });
    if is_purple {
        findings.add(Concept::Purple);
    }
    findings.lesion = ("papule", "papules");
    findings.add(Concept::Papule);
    findings.details.push("a smooth shiny dome");
    findings.arrangement = (places.len() > 2).then_some("scattered");
}

/// A bump full of blood, with lacunae.
fn vascular_dome(scene: &mut Scene, blob: &Blob, color: Rgb) {
    let lacunae = Noise::new(&mut scene.rng);
    let shade = scene.uniform(0.75, 1.15);
    scene.canvas.paint(blob.center, blob.reach(0.02), |p, pixel| {
        let distance = blob.distance(p);
        let cover = inside(distance, 0.006);
        let cell = 0.72 + 0.5 * lacunae.cells(p.times(2.6 / blob.radius));
        pixel.brighten(1.0 - 0.15 * (1.0 - cover) * ridge(distance, 0.012));
        pixel.blend(color.map(|channel| channel * shade * cell), 0.92 * cover);
        pixel.height *= 1.0 - cover;
    });
    marks::dome(scene, blob, 0.36, 0.45);
}
