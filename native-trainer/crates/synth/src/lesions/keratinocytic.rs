//! Basal and squamous cell carcinoma: pearly with branching vessels against keratotic, fleshy and ulcerated.

use super::marks::{self, Scale};
use crate::canvas::{from_srgb, mix_color};
use crate::findings::Concept;
use crate::noise::Noise;
use crate::scene::Scene;
use crate::shape::{Blob, inside, ridge, scatter};
use std::f32::consts::PI;

pub fn basal_cell_carcinoma(scene: &mut Scene) {
    let radius = scene.size(0.10, 0.22);
    let focus = scene.focus();
    let (aspect, angle) = (scene.uniform(1.0, 1.4), scene.uniform(0.0, PI));
    let blob = Blob::round(focus, radius, &mut scene.rng).rough(0.09, 1.6).stretched(aspect, angle);
    let is_ulcerated = scene.chance(0.42);
    let is_pigmented = scene.chance(if scene.skin.darkness > 0.5 { 0.6 } else { 0.25 });
    let has_crust = is_ulcerated && scene.chance(0.5);
    pearly_nodule(scene, &blob, is_ulcerated);
    let (n_trunks, width) = (scene.uniform(3.0, 6.99) as usize, scene.uniform(0.0024, 0.0042));
    marks::arborizing_vessels(scene, &blob, n_trunks, width);
    if is_pigmented {
        let places = scatter(&mut scene.rng, 12, focus, 0.85 * radius, 0.025);
        for place in places {
            let size = scene.uniform(0.008, 0.022);
            marks::dot(scene, place, size, from_srgb([62, 62, 80]), 0.75);
        }
    }
    if is_ulcerated {
        let core = Blob::round(focus, radius * scene.uniform(0.3, 0.48), &mut scene.rng).rough(0.2, 1.8);
        marks::ulcer(scene, &core);
        if has_crust {
            let shift = scene.uniform(0.0, 2.0 * PI);
            let scab = Blob { center: focus.toward(shift, 0.2 * core.radius), ..core.scaled(0.7) };
            let is_bloody = scene.chance(0.6);
            marks::crust(scene, &scab, is_bloody);
        }
    }
    let red = scene.skin.erythema_word(0.5);
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (1, 2.0 * radius, "round");
    findings.border = "a rolled pearly border";
    findings.color(red);
    if radius > 0.15 {
        findings.lesion = ("nodule", "nodules");
        findings.add(Concept::Nodule);
    } else {
        findings.lesion = ("papule", "papules");
        findings.add(Concept::Papule);
    }
    findings.detail(Concept::Telangiectasia, "arborizing telangiectasia");
    findings.detail(Concept::Translucent, "a pearly translucent sheen");
    if is_ulcerated {
        findings.detail(Concept::Ulcer, "a central ulcer");
    }
    if has_crust {
        findings.detail(Concept::Crust, "a central crust");
    }
    if is_pigmented {
        findings.color("blue-gray");
        findings.details.push("blue-gray globules");
    }
}

/// A translucent bump with a raised, shining rim.
fn pearly_nodule(scene: &mut Scene, blob: &Blob, is_hollow: bool) {
    let skin = scene.skin;
    let pearl = mix_color(from_srgb([238, 194, 184]), from_srgb([128, 88, 80]), skin.darkness);
    let bumps = Noise::new(&mut scene.rng);
    let steepness = scene.uniform(0.16, 0.30);
    let rim_width = 0.26 * blob.radius;
    scene.canvas.paint(blob.center, blob.reach(0.05), |p, pixel| {
        let distance = blob.distance(p);
        let cover = inside(distance, 0.012);
        skin.redden(pixel, 0.3 * inside(distance, 0.04));
        if cover == 0.0 {
            return;
        }
        let depth = (-distance / blob.radius).clamp(0.0, 1.0);
        let rim = ridge(distance + 0.2 * blob.radius, rim_width);
        // The nodule's own relief takes the place of the skin's lines, which are stretched away.
        pixel.height *= 1.0 - 0.8 * cover;
        pixel.blend(pearl, cover * (0.4 + 0.3 * rim));
        skin.redden(pixel, 0.35 * cover * depth);
        let crown = if is_hollow { rim } else { rim.max((depth * (2.0 - depth)).sqrt()) };
        let beads = 1.0 + 0.16 * bumps.value(p.times(2.6 / blob.radius));
        pixel.height += cover * steepness * blob.radius * crown * beads;
        pixel.gloss += cover * (0.2 + 0.22 * rim);
    });
}

pub fn squamous_cell_carcinoma(scene: &mut Scene) {
    let radius = scene.size(0.12, 0.25);
    let focus = scene.focus();
    let (aspect, angle) = (scene.uniform(1.0, 1.4), scene.uniform(0.0, PI));
    let blob = Blob::round(focus, radius, &mut scene.rng).rough(0.2, 1.7).stretched(aspect, angle);
    let redness = scene.uniform(0.8, 1.4);
    let (is_ulcerated, has_crust) = match scene.uniform(0.0, 1.0) {
        u if u < 0.30 => (true, true),
        u if u < 0.60 => (true, false),
        _ => (false, true),
    };
    marks::erythema(scene, &blob.scaled(1.18), 0.45 * redness, 0.035);
    fleshy_mass(scene, &blob, redness);
    let keratin = mix_color(from_srgb([226, 206, 158]), from_srgb([168, 142, 104]), scene.skin.darkness);
    let coverage = scene.uniform(0.5, 0.72);
    let horn = Scale { color: keratin, coverage, grain: 26.0, thickness: 0.014, opacity: 0.85 };
    marks::scale(scene, &blob.scaled(0.9), &horn);
    let direction = scene.uniform(0.0, 2.0 * PI);
    if is_ulcerated {
        let place = focus.toward(direction, 0.15 * radius);
        let core = Blob::round(place, radius * scene.uniform(0.34, 0.5), &mut scene.rng).rough(0.26, 1.8);
        marks::ulcer(scene, &core);
    }
    if has_crust {
        let place = focus.toward(direction + PI, if is_ulcerated { 0.35 * radius } else { 0.05 * radius });
        let scab = Blob::round(place, radius * scene.uniform(0.28, 0.42), &mut scene.rng).rough(0.28, 2.0);
        let is_bloody = scene.chance(0.4);
        marks::crust(scene, &scab, is_bloody);
    }
    let red = scene.skin.erythema_word(redness);
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (1, 2.0 * radius, "irregular");
    findings.border = "indurated, poorly defined borders";
    findings.color(red);
    findings.color("yellow");
    findings.lesion = if radius > 0.15 { ("nodule", "nodules") } else { ("plaque", "plaques") };
    findings.add(if radius > 0.15 { Concept::Nodule } else { Concept::Plaque });
    findings.detail(Concept::Scale, "thick yellow keratin");
    findings.add(Concept::Erythema);
    if is_ulcerated {
        findings.detail(Concept::Ulcer, "ulceration");
    }
    if has_crust {
        findings.detail(Concept::Crust, "crust");
    }
}

/// A firm red mass with an uneven top.
fn fleshy_mass(scene: &mut Scene, blob: &Blob, redness: f32) {
    let skin = scene.skin;
    let lumps = Noise::new(&mut scene.rng);
    let steepness = scene.uniform(0.22, 0.4);
    scene.canvas.paint(blob.center, blob.reach(0.02), |p, pixel| {
        let distance = blob.distance(p);
        let cover = inside(distance, 0.016);
        if cover == 0.0 {
            return;
        }
        let depth = (-distance / blob.radius).clamp(0.0, 1.0);
        skin.redden(pixel, redness * cover);
        let lump = 1.0 + 0.35 * lumps.fbm(p.times(3.0 / blob.radius), 3);
        pixel.height += steepness * blob.radius * (depth * (2.0 - depth)).sqrt() * lump;
        pixel.gloss += 0.12 * cover;
    });
}
