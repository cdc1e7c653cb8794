//! Seborrheic and actinic keratosis: stuck on and waxy against flat, red and rough.

use super::marks::{self, Scale};
use crate::canvas::{Point, from_srgb, mix_color};
use crate::findings::Concept;
use crate::noise::{Noise, smoothstep};
use crate::scene::Scene;
use crate::shape::{Blob, inside, ridge, scatter};
use std::f32::consts::PI;

pub fn seborrheic_keratosis(scene: &mut Scene) {
    let count = if scene.chance(0.65) { 1 } else { 2 + usize::from(scene.chance(0.5)) };
    let largest = scene.size(0.09, 0.22);
    let places = scene.places(count, 0.34, 2.1 * largest);
    let amount = scene.uniform(0.5, 1.9);
    let (has_cysts, is_fissured) = (scene.chance(0.8), scene.chance(0.5));
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.4, 0.9) };
        let (aspect, angle) = (scene.uniform(1.0, 1.5), scene.uniform(0.0, PI));
        let blob = Blob::round(place, radius, &mut scene.rng).rough(0.12, 2.6).stretched(aspect, angle);
        waxy_plaque(scene, &blob, amount, is_fissured);
        if has_cysts {
            openings(scene, &blob);
        }
    }
    let brown = scene.skin.brown_word(amount);
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (places.len(), 2.0 * largest, "oval");
    findings.border = "sharp, stuck-on borders";
    findings.color(brown);
    findings.add(Concept::Hyperpigmentation);
    if largest < 0.12 {
        findings.lesion = ("papule", "papules");
        findings.add(Concept::Papule);
    } else {
        findings.lesion = ("plaque", "plaques");
        findings.add(Concept::Plaque);
    }
    findings.detail(Concept::Warty, "a waxy, warty surface");
    if has_cysts {
        findings.details.push("horn cysts and dark plugged openings");
    }
    if is_fissured {
        findings.details.push("dark fissures");
    }
}

/// A raised slab of dull brown, bumpy, with a step at its edge.
fn waxy_plaque(scene: &mut Scene, blob: &Blob, amount: f32, is_fissured: bool) {
    let [bumps, tone, bends] = std::array::from_fn(|_| Noise::new(&mut scene.rng));
    let warp = scene.uniform(0.01, 0.05);
    let cobbles = scene.uniform(0.15, 0.9);
    let grain = scene.uniform(18.0, 34.0);
    let wax = mix_color(from_srgb([178, 134, 92]), from_srgb([92, 66, 50]), scene.skin.darkness);
    let height = scene.uniform(0.012, 0.022);
    scene.canvas.paint(blob.center, blob.reach(0.02), |p, pixel| {
        let distance = blob.distance(p);
        let cover = inside(distance, 0.006);
        pixel.brighten(1.0 - 0.25 * (1.0 - cover) * ridge(distance, 0.014));
        if cover == 0.0 {
            return;
        }
        let bend = warp * bends.fbm(p.times(14.0), 2);
        let cobble = bumps.cells(Point::new(p.x + bend, p.y - bend).times(grain));
        let cell = cobbles * cobble + (1.0 - cobbles) * (0.5 + 0.5 * bends.fbm(p.times(1.6 * grain), 2));
        pixel.blend(wax, 0.55 * cover);
        pixel.pigment(cover * amount * (0.8 + 0.3 * tone.fbm(p.times(9.0), 2)));
        if is_fissured {
            pixel.pigment(cover * 0.9 * smoothstep(0.3, 0.0, cell));
        }
        pixel.height += cover * (height + 0.008 * cell);
        pixel.gloss += 0.22 * cover;
    });
}

/// White horn cysts and dark plugged openings.
fn openings(scene: &mut Scene, blob: &Blob) {
    let count = (4.0 + 50.0 * blob.radius + scene.uniform(0.0, 5.0)) as usize;
    let places = scatter(&mut scene.rng, count, blob.center, 0.72 * blob.radius, 0.02);
    for place in places {
        let radius = scene.uniform(0.005, 0.011);
        if scene.chance(0.55) {
            marks::dot(scene, place, radius, from_srgb([232, 216, 180]), 0.85);
        } else {
            marks::dot(scene, place, radius, from_srgb([34, 22, 16]), 0.85);
        }
    }
}

pub fn actinic_keratosis(scene: &mut Scene) {
    sun_damage(scene);
    let is_single = scene.chance(0.3);
    let count = if is_single { 1 } else { scene.uniform(2.0, 6.99) as usize };
    let largest = if is_single { scene.size(0.09, 0.15) } else { scene.size(0.05, 0.10) };
    let places = scene.places(count, 0.32, 1.7 * largest);
    let redness = scene.uniform(0.5, 0.95) * (1.0 + 0.4 * scene.skin.darkness);
    let yellow = mix_color(from_srgb([226, 206, 164]), from_srgb([160, 138, 108]), scene.skin.darkness);
    let coverage = scene.uniform(0.34, 0.66);
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.5, 1.0) };
        let blob = Blob::round(place, radius, &mut scene.rng).rough(0.24, 1.8);
        marks::erythema(scene, &blob, redness, 0.028);
        let grit = Scale { color: yellow, coverage, grain: 75.0, thickness: 0.007, opacity: 0.72 };
        marks::scale(scene, &blob.scaled(0.85), &grit);
    }
    let red = scene.skin.erythema_word(redness);
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (places.len(), 2.0 * largest, "irregular");
    findings.border = "ill-defined borders";
    findings.color(red);
    findings.color("yellowish");
    findings.lesion = if is_single { ("plaque", "plaques") } else { ("patch", "patches") };
    findings.add(if is_single { Concept::Plaque } else { Concept::Patch });
    findings.detail(Concept::Scale, "rough adherent yellow-white scale");
    findings.add(Concept::Erythema);
    findings.arrangement = (!is_single).then_some("scattered on sun-damaged skin");
}

/// Blotchy pigment and a few dilated vessels.
fn sun_damage(scene: &mut Scene) {
    let (skin, blotches, flush) = (scene.skin, Noise::new(&mut scene.rng), Noise::new(&mut scene.rng));
    let strength = scene.uniform(0.1, 0.45);
    scene.canvas.paint_all(|p, pixel| {
        pixel.pigment(strength * smoothstep(0.1, 0.5, blotches.fbm(p.times(9.0), 3)));
        skin.redden(pixel, 0.5 * strength * smoothstep(-0.1, 0.5, flush.fbm(p.times(5.0), 2)));
    });
}
