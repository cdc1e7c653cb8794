//! Psoriasis and tinea corporis: sharp plaques under silvery scale against scaly rings that clear in the middle.

use super::marks::{self, Scale};
use crate::findings::Concept;
use crate::noise::{Noise, smoothstep};
use crate::scene::Scene;
use crate::shape::{Blob, inside, ridge};
use std::f32::consts::PI;

pub fn psoriasis(scene: &mut Scene) {
    let is_guttate = scene.chance(0.2);
    let (count, largest) = if is_guttate {
        (scene.uniform(10.0, 22.99) as usize, scene.size(0.03, 0.05))
    } else {
        let count = [1, 1, 2, 3, 4, 5][scene.uniform(0.0, 5.99) as usize];
        let size = if count == 1 { scene.size(0.18, 0.32) } else { scene.size(0.10, 0.19) };
        (count, size)
    };
    let gap = if is_guttate { 2.2 } else { 1.9 } * largest;
    let places = scene.places(count, 0.40, gap);
    let redness = scene.uniform(0.85, 1.45);
    let coverage = scene.uniform(0.38, 0.85);
    let silver = scene.skin.scale_color();
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.45, 1.0) };
        let (aspect, angle) = (scene.uniform(1.0, 1.6), scene.uniform(0.0, PI));
        let blob = Blob::round(place, radius, &mut scene.rng).rough(0.17, 1.5).stretched(aspect, angle);
        marks::erythema(scene, &blob, redness, 0.010);
        marks::plateau(scene, &blob, 0.009, 0.014);
        let grain = scene.uniform(24.0, 44.0);
        let lamellae = Scale { color: silver, coverage, grain, thickness: 0.006, opacity: 0.8 };
        marks::scale(scene, &blob.scaled(0.94), &lamellae);
    }
    let red = scene.skin.erythema_word(redness);
    let findings = &mut scene.findings;
    (findings.count, findings.largest) = (places.len(), 2.0 * largest);
    findings.border = "sharp borders";
    findings.color(red);
    findings.color("silvery white");
    if is_guttate {
        (findings.lesion, findings.shape) = (("papule", "papules"), "drop-like");
        findings.add(Concept::Papule);
        findings.arrangement = Some("scattered like drops");
    } else {
        (findings.lesion, findings.shape) = (("plaque", "plaques"), "well-demarcated");
        findings.add(Concept::Plaque);
    }
    findings.detail(Concept::Scale, if coverage > 0.6 { "thick silvery scale" } else { "silvery scale" });
    findings.add(Concept::Erythema);
}

pub fn tinea(scene: &mut Scene) {
    let count = [1, 1, 1, 2, 2, 3][scene.uniform(0.0, 5.99) as usize];
    let largest = if count == 1 { scene.size(0.17, 0.32) } else { scene.size(0.12, 0.18) };
    let places = scene.places(count, 0.30, 1.6 * largest);
    let redness = scene.uniform(0.7, 1.25);
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.5, 0.95) };
        let (aspect, angle) = (scene.uniform(1.0, 1.35), scene.uniform(0.0, PI));
        let blob = Blob::round(place, radius, &mut scene.rng).rough(0.12, 1.8).stretched(aspect, angle);
        ring(scene, &blob, redness);
    }
    let red = scene.skin.erythema_word(redness);
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (places.len(), 2.0 * largest, "annular");
    findings.border = "a raised active border";
    findings.color(red);
    (findings.lesion.0, findings.lesion.1) = ("plaque", "plaques");
    findings.add(Concept::Plaque);
    findings.detail(Concept::Scale, "fine scale along the edge");
    findings.details.push("central clearing");
    findings.add(Concept::Erythema);
    findings.arrangement = (places.len() > 1).then_some("as overlapping rings");
}

/// A red, bumpy, scaling rim around skin that is nearly well again.
fn ring(scene: &mut Scene, blob: &Blob, redness: f32) {
    let skin = scene.skin;
    let [breaks, bumps, flakes] = std::array::from_fn(|_| Noise::new(&mut scene.rng));
    let width = blob.radius * scene.uniform(0.12, 0.24) + 0.008;
    let (center_red, center_brown) = (scene.uniform(0.08, 0.3), scene.uniform(0.0, 0.3));
    let silver = skin.scale_color();
    scene.canvas.paint(blob.center, blob.reach(2.5 * width), |p, pixel| {
        let distance = blob.distance(p);
        let gap = 0.75 + 0.25 * smoothstep(-0.4, 0.2, breaks.value(p.times(1.6 / blob.radius)));
        // The outer flank is steeper than the inner one, as the fungus moves outward.
        let flank = if distance > -width { 0.6 * width } else { 1.1 * width };
        let rim = ridge(distance + width, flank) * gap;
        let within = inside(distance + width, width);
        let bump = bumps.cells(p.times(34.0));
        skin.redden(pixel, redness * rim * (0.8 + 0.35 * bump) + center_red * within);
        pixel.pigment(center_brown * within);
        pixel.height += rim * (0.007 + 0.006 * bump);
        let trailing = ridge(distance + 1.9 * width, 0.75 * width) * gap;
        let flake = smoothstep(0.0, 0.4, flakes.fbm(p.times(26.0), 3) + 0.15);
        pixel.blend(silver, 0.7 * trailing * flake);
        pixel.height += 0.004 * trailing * flake * flakes.cells(p.times(60.0));
    });
}
