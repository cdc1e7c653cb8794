//! Atopic dermatitis: blurred red patches, thickened skin lines, scratches, dry scale.

use super::marks::{self, Scale};
use crate::canvas::from_srgb;
use crate::findings::Concept;
use crate::hair::curl;
use crate::noise::{Noise, smoothstep};
use crate::scene::Scene;
use crate::shape::{Blob, inside, scatter};
use std::f32::consts::PI;

pub fn atopic_dermatitis(scene: &mut Scene) {
    let count = scene.uniform(1.0, 3.99) as usize;
    let largest = if count == 1 { scene.size(0.22, 0.38) } else { scene.size(0.15, 0.24) };
    let focus = scene.focus();
    let places = scene.places(count, 0.32, 1.3 * largest);
    let redness = scene.uniform(0.55, 1.05);
    let is_lichenified = scene.chance(0.6);
    let (is_eroded, is_crusted) = (scene.chance(0.35), scene.chance(0.3));
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.5, 1.0) };
        let (aspect, angle) = (scene.uniform(1.0, 1.8), scene.uniform(0.0, PI));
        let blob = Blob::round(place, radius, &mut scene.rng).rough(0.25, 1.5).stretched(aspect, angle);
        inflamed_patch(scene, &blob, redness, is_lichenified);
        let color = scene.skin.scale_color();
        let dry = Scale { color, coverage: 0.3, grain: 80.0, thickness: 0.002, opacity: 0.3 };
        marks::scale(scene, &blob, &dry);
    }
    let is_scratched = is_eroded || scene.chance(0.55);
    if is_scratched {
        scratches(scene, largest);
    }
    let spots = scatter(&mut scene.rng, 6, focus, 0.7 * largest, 0.05);
    for (index, &place) in spots.iter().enumerate() {
        let spot = Blob::round(place, scene.uniform(0.010, 0.024), &mut scene.rng).rough(0.25, 1.8);
        if is_eroded && index % 2 == 0 {
            marks::erosion(scene, &spot);
        } else if is_crusted && index % 2 == 1 {
            marks::crust(scene, &spot, false);
        }
    }
    let red = scene.skin.erythema_word(redness);
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (places.len(), 2.0 * largest, "irregular");
    findings.border = "blurred borders";
    findings.color(red);
    findings.lesion = if is_lichenified { ("plaque", "plaques") } else { ("patch", "patches") };
    findings.add(if is_lichenified { Concept::Plaque } else { Concept::Patch });
    findings.add(Concept::Erythema);
    findings.detail(Concept::Scale, "fine dry scale");
    if is_lichenified {
        findings.detail(Concept::Lichenification, "lichenification with deep skin lines");
    }
    if is_scratched {
        findings.detail(Concept::Excoriation, "linear scratch marks");
    }
    if is_eroded {
        findings.detail(Concept::Erosion, "small erosions");
    }
    if is_crusted {
        findings.detail(Concept::Crust, "small crusts");
    }
}

/// Red that fades out far, uneven, with tiny papules and coarse lines.
fn inflamed_patch(scene: &mut Scene, blob: &Blob, redness: f32, is_lichenified: bool) {
    let skin = scene.skin;
    let [mottle, papules, lines] = std::array::from_fn(|_| Noise::new(&mut scene.rng));
    let softness = blob.radius * scene.uniform(0.28, 0.45);
    let line_scale = scene.uniform(22.0, 34.0);
    scene.canvas.paint(blob.center, blob.reach(softness), |p, pixel| {
        let cover = inside(blob.distance(p), softness);
        if cover == 0.0 {
            return;
        }
        let uneven = (1.0 + 0.9 * mottle.fbm(p.times(11.0), 3)).max(0.0);
        skin.redden(pixel, redness * cover * uneven);
        let papule = smoothstep(0.45, 0.8, papules.value(p.times(26.0)));
        skin.redden(pixel, 0.35 * cover * papule);
        pixel.height += 0.004 * cover * papule;
        if is_lichenified {
            let cell = lines.cells(p.times(line_scale));
            pixel.height += 0.006 * cover * cell;
            pixel.pigment(cover * (0.25 + 0.25 * smoothstep(0.4, 0.0, cell)));
        }
    });
}

fn scratches(scene: &mut Scene, reach: f32) {
    let count = scene.uniform(3.0, 8.0) as usize;
    let direction = scene.uniform(0.0, PI);
    let focus = scene.focus();
    let roots = scatter(&mut scene.rng, count, focus, 0.7 * reach, 0.03);
    let blood = from_srgb(if scene.skin.darkness > 0.5 { [84, 26, 24] } else { [150, 40, 38] });
    for root in roots {
        let (turn, length) = (scene.uniform(-0.3, 0.3), scene.uniform(0.05, 0.16));
        let heading = direction + scene.uniform(-0.25, 0.25);
        let path = curl(root, heading, length, turn);
        scene.canvas.stroke(&path, (0.0035, 0.0015), |coverage, pixel| {
            pixel.blend(blood, 0.75 * coverage);
            pixel.height -= 0.003 * coverage;
        });
    }
}
