//! Herpes zoster: clusters of vesicles on red ground, in a band along a dermatome.

use super::marks;
use crate::canvas::Point;
use crate::findings::Concept;
use crate::scene::Scene;
use crate::shape::{Blob, scatter};
use std::f32::consts::PI;

/// Age of the eruption.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Fresh,
    Pustular,
    Crusting,
}

pub fn zoster(scene: &mut Scene) {
    let stage = match scene.uniform(0.0, 1.0) {
        u if u < 0.5 => Stage::Fresh,
        u if u < 0.75 => Stage::Pustular,
        _ => Stage::Crusting,
    };
    let n_groups = scene.uniform(2.0, 6.99) as usize;
    let band_angle = scene.uniform(0.0, PI);
    let spacing = scene.uniform(0.13, 0.19);
    let redness = scene.uniform(0.6, 1.15);
    let unit = scene.size(0.011, 0.019);
    let has_erosion = stage == Stage::Crusting || scene.chance(0.25);
    let focus = scene.focus();
    let mut centers = Vec::new();
    for group in 0..n_groups {
        let along = (group as f32 - 0.5 * (n_groups as f32 - 1.0)) * spacing;
        let on_band = focus.toward(band_angle, along);
        centers.push(on_band.toward(band_angle + 0.5 * PI, scene.uniform(-0.06, 0.06)));
    }
    centers.retain(|&center| scene.is_on_skin(center));
    if centers.is_empty() {
        centers.push(focus);
    }
    for (group, &center) in centers.iter().enumerate() {
        cluster(scene, center, stage, redness, unit, has_erosion && group % 2 == 0);
    }
    let red = scene.skin.erythema_word(redness);
    let findings = &mut scene.findings;
    findings.count = centers.len();
    findings.largest = 0.16;
    (findings.shape, findings.border) = ("grouped", "ill-defined red bases");
    findings.color(red);
    findings.lesion = ("cluster of vesicles", "clusters of vesicles");
    findings.add(Concept::Vesicle);
    findings.add(Concept::Erythema);
    findings.arrangement = (centers.len() > 1).then_some("in a band along a dermatome");
    findings.details.push("a red base");
    match stage {
        Stage::Fresh => findings.details.push("clear tense blisters"),
        Stage::Pustular => findings.detail(Concept::Pustule, "cloudy pustules"),
        Stage::Crusting => findings.detail(Concept::Crust, "brown crusts"),
    }
    if has_erosion {
        findings.detail(Concept::Erosion, "burst blisters with erosions");
    }
}

fn cluster(scene: &mut Scene, center: Point, stage: Stage, redness: f32, unit: f32, is_eroded: bool) {
    let radius = scene.size(0.06, 0.10);
    let base = Blob::round(center, radius, &mut scene.rng).rough(0.25, 1.6);
    marks::erythema(scene, &base, redness, 0.03);
    let count = scene.uniform(5.0, 13.0) as usize;
    let places = scatter(&mut scene.rng, count, center, 0.9 * radius, 1.5 * unit);
    for (index, &place) in places.iter().enumerate() {
        let size = unit * scene.uniform(0.6, 1.3);
        if is_eroded && index % 4 == 3 {
            let spot = Blob::round(place, size, &mut scene.rng).rough(0.2, 1.8);
            marks::erosion(scene, &spot);
        } else if stage == Stage::Crusting && index % 2 == 0 {
            let spot = Blob::round(place, size, &mut scene.rng).rough(0.2, 1.8);
            let is_bloody = scene.chance(0.4);
            marks::crust(scene, &spot, is_bloody);
        } else {
            marks::vesicle(scene, place, size, stage == Stage::Pustular);
        }
    }
}
