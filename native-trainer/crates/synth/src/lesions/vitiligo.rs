//! Vitiligo: skin without melanin, smooth, with scalloped borders.

use super::marks;
use crate::findings::Concept;
use crate::noise::{Noise, smoothstep};
use crate::scene::Scene;
use crate::shape::{Blob, inside, ridge, scatter};
use std::f32::consts::PI;

pub fn vitiligo(scene: &mut Scene) {
    tan(scene);
    let count = scene.uniform(1.0, 5.99) as usize;
    let largest = if count == 1 { scene.size(0.18, 0.34) } else { scene.size(0.10, 0.22) };
    let focus = scene.focus();
    let places = scene.places(count, 0.42, 1.7 * largest);
    let completeness = scene.uniform(0.72, 0.96);
    let has_dark_rim = scene.chance(0.4);
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.35, 1.0) };
        let (aspect, angle) = (scene.uniform(1.0, 1.7), scene.uniform(0.0, PI));
        let blob = Blob::round(place, radius, &mut scene.rng).rough(0.26, 1.4).stretched(aspect, angle);
        depigment(scene, &blob, completeness, has_dark_rim);
    }
    let has_confetti = scene.chance(0.35);
    if has_confetti {
        let bare = scene.skin.bare;
        let spots = scatter(&mut scene.rng, 16, focus, 0.45, 0.03);
        for place in spots {
            let radius = scene.uniform(0.006, 0.016);
            marks::dot(scene, place, radius, bare, 0.7);
        }
    }
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (places.len(), 2.0 * largest, "irregular");
    findings.border = "sharp scalloped borders";
    findings.color(if completeness > 0.85 { "milk-white" } else { "white" });
    findings.lesion = ("patch", "patches");
    findings.add(Concept::Patch);
    findings.detail(Concept::Hypopigmentation, "complete loss of pigment");
    findings.details.push("a smooth flat surface");
    if has_dark_rim {
        findings.details.push("a darker rim");
    }
    if has_confetti {
        findings.detail(Concept::Macule, "small confetti-like white macules");
    }
}

/// Fair skin shows the patches only when it is tanned, and is photographed then.
fn tan(scene: &mut Scene) {
    let amount = (0.5 - 1.2 * scene.skin.darkness).max(0.0) * scene.uniform(0.8, 1.3);
    scene.canvas.paint_all(|_, pixel| pixel.pigment(amount));
}

fn depigment(scene: &mut Scene, blob: &Blob, completeness: f32, has_dark_rim: bool) {
    let bare = scene.skin.bare;
    let (islands, flush) = (Noise::new(&mut scene.rng), Noise::new(&mut scene.rng));
    let softness = scene.uniform(0.004, 0.012);
    let has_islands = scene.chance(0.3);
    scene.canvas.paint(blob.center, blob.reach(0.06), |p, pixel| {
        let distance = blob.distance(p);
        if has_dark_rim {
            pixel.pigment(0.4 * ridge(distance - 0.02, 0.02));
        }
        let mut cover = completeness * inside(distance, softness);
        if cover == 0.0 {
            return;
        }
        if has_islands {
            cover *= 1.0 - 0.8 * smoothstep(0.72, 0.9, islands.cells(p.times(20.0)));
        }
        let tone = 1.0 + 0.06 * flush.fbm(p.times(7.0), 2);
        pixel.blend([bare[0], bare[1] * tone, bare[2] * tone], cover);
    });
}
