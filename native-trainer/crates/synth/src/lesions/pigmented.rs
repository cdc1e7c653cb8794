//! Nevus and melanoma: symmetric, even and round against asymmetric, irregular and many-colored.

use super::marks;
use crate::canvas::{Point, from_srgb, mix_color};
use crate::findings::Concept;
use crate::noise::{Noise, smoothstep};
use crate::scene::Scene;
use crate::shape::{Blob, inside, ridge, scatter};
use std::f32::consts::PI;

enum NevusKind {
    /// Flat, often with a network.
    Junctional,
    /// A low brown bump.
    Compound,
    /// A dome of skin color or light brown.
    Dermal,
}

pub fn nevus(scene: &mut Scene) {
    let kind = match scene.uniform(0.0, 1.0) {
        u if u < 0.45 => NevusKind::Junctional,
        u if u < 0.8 => NevusKind::Compound,
        _ => NevusKind::Dermal,
    };
    let count = if scene.chance(0.8) { 1 } else { 2 + usize::from(scene.chance(0.4)) };
    let largest = scene.size(0.07, 0.19);
    let places = scene.places(count, 0.28, 2.2 * largest);
    let amount = match kind {
        NevusKind::Dermal => scene.uniform(0.3, 0.75),
        _ => scene.uniform(0.95, 2.1),
    };
    let has_network = matches!(kind, NevusKind::Junctional) && scene.chance(0.6);
    for (index, &place) in places.iter().enumerate() {
        let radius = if index == 0 { largest } else { largest * scene.uniform(0.35, 0.9) };
        let blob = Blob::round(place, radius, &mut scene.rng).rough(scene.uniform(0.03, 0.1), 1.2);
        even_pigment(scene, &blob, amount, has_network);
        match kind {
            NevusKind::Junctional => {}
            NevusKind::Compound => marks::dome(scene, &blob, 0.16, 0.12),
            NevusKind::Dermal => marks::dome(scene, &blob, 0.45, 0.2),
        }
    }
    let brown = scene.skin.brown_word(amount);
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (places.len(), 2.0 * largest, "round");
    findings.border = "even, well-defined borders";
    findings.color(brown);
    findings.add(Concept::Hyperpigmentation);
    match kind {
        NevusKind::Junctional => {
            findings.lesion = ("macule", "macules");
            findings.add(Concept::Macule);
            findings.details.push("uniform pigmentation");
        }
        NevusKind::Compound => {
            findings.lesion = ("papule", "papules");
            findings.detail(Concept::Papule, "a slightly raised surface");
        }
        NevusKind::Dermal => {
            findings.lesion = ("papule", "papules");
            findings.detail(Concept::Papule, "a smooth dome-shaped surface");
        }
    }
    if has_network {
        findings.detail(Concept::PigmentNetwork, "a regular pigment network");
    }
}

/// Melanin that is the same all around, a little darker or lighter in the middle.
fn even_pigment(scene: &mut Scene, blob: &Blob, amount: f32, has_network: bool) {
    let softness = scene.uniform(0.008, 0.02);
    let (fine, net) = (Noise::new(&mut scene.rng), Noise::new(&mut scene.rng));
    let center_weight = scene.uniform(-0.25, 0.35);
    let mesh = scene.uniform(36.0, 52.0);
    scene.canvas.paint(blob.center, blob.reach(softness), |p, pixel| {
        let distance = blob.distance(p);
        let cover = inside(distance, softness);
        if cover == 0.0 {
            return;
        }
        let depth = (-distance / blob.radius).clamp(0.0, 1.0);
        let mut local = amount * (1.0 + center_weight * (depth - 0.4) + 0.1 * fine.fbm(p.times(25.0), 2));
        if has_network {
            local *= 0.62 + 0.75 * smoothstep(0.55, 0.1, net.cells(p.times(mesh)));
        }
        pixel.pigment(local * cover);
    });
}

pub fn melanoma(scene: &mut Scene) {
    let radius = scene.size(0.12, 0.24);
    let focus = scene.focus();
    let angle = scene.uniform(0.0, 2.0 * PI);
    let (irregularity, frequency) = (scene.uniform(0.20, 0.34), scene.uniform(1.2, 2.0));
    let (stretch, stretch_angle) = (scene.uniform(1.0, 1.5), scene.uniform(0.0, PI));
    let main =
        Blob::round(focus, radius, &mut scene.rng).rough(irregularity, frequency).stretched(stretch, stretch_angle);
    let lobe_radius = radius * scene.uniform(0.4, 0.75);
    let lobe_place = focus.toward(angle, radius * scene.uniform(0.6, 1.0));
    let lobe = Blob::round(lobe_place, lobe_radius, &mut scene.rng).rough(irregularity, frequency);
    let plan = Colors::sample(scene, focus.toward(angle, 0.45 * radius));
    paint_colors(scene, &main, &lobe, &plan);
    let is_nodular = scene.chance(0.35);
    if is_nodular {
        let place = focus.toward(angle + scene.uniform(-0.6, 0.6), 0.4 * radius);
        let nodule = Blob::round(place, radius * scene.uniform(0.28, 0.45), &mut scene.rng);
        scene.canvas.paint(nodule.center, nodule.reach(0.01), |p, pixel| {
            pixel.blend([0.012, 0.010, 0.014], 0.85 * inside(nodule.distance(p), 0.012));
        });
        marks::dome(scene, &nodule, 0.32, 0.22);
    }
    if scene.chance(0.45) {
        let satellites = scatter(&mut scene.rng, 7, focus, 1.35 * radius, 0.05);
        for place in satellites {
            marks::dot(scene, place, 0.008, from_srgb([40, 24, 18]), 0.75);
        }
    }
    note_melanoma(scene, radius + 0.5 * lobe_radius, &plan, is_nodular);
}

/// Which colors a melanoma has and where its darkest place is.
struct Colors {
    tan: f32,
    dark: f32,
    has_black: bool,
    has_veil: bool,
    has_red: bool,
    has_regression: bool,
    darkest: Point,
}

impl Colors {
    fn sample(scene: &mut Scene, darkest: Point) -> Self {
        let has_black = scene.chance(0.75);
        Self {
            tan: scene.uniform(0.6, 1.1),
            dark: scene.uniform(2.0, 3.0),
            has_black,
            // At least three colors together with tan and dark brown.
            has_veil: !has_black || scene.chance(0.45),
            has_red: scene.chance(0.4),
            has_regression: scene.chance(0.22),
            darkest,
        }
    }
}

fn paint_colors(scene: &mut Scene, main: &Blob, lobe: &Blob, plan: &Colors) {
    let skin = scene.skin;
    let [brown, black, veil, red, scar] = std::array::from_fn(|_| Noise::new(&mut scene.rng));
    let softness = scene.uniform(0.006, 0.02);
    let veil_color = mix_color(from_srgb([92, 98, 114]), from_srgb([62, 68, 82]), skin.darkness);
    let radius = main.radius;
    scene.canvas.paint(main.center, main.reach(lobe.radius * 2.2), |p, pixel| {
        let distance = main.distance(p).min(lobe.distance(p));
        let cover = inside(distance, softness);
        if cover == 0.0 {
            return;
        }
        let q = p.times(1.1 / radius);
        let toward_dark = smoothstep(1.5 * radius, 0.1 * radius, p.distance(plan.darkest));
        let patch = smoothstep(-0.25, 0.25, brown.fbm(q.times(1.6), 3) + 0.9 * toward_dark - 0.5);
        pixel.pigment(cover * (plan.tan + plan.dark * patch));
        pixel.height += cover * 0.004 * (1.0 + patch);
        if plan.has_red {
            let share = cover * smoothstep(0.1, 0.4, red.fbm(q, 2) - 0.3 * toward_dark);
            pixel.blend([0.48, 0.17, 0.14], 0.55 * share);
        }
        if plan.has_black {
            let share = cover * smoothstep(0.25, 0.45, black.fbm(q.times(2.2), 3) + 0.75 * toward_dark - 0.3);
            pixel.blend([0.010, 0.008, 0.010], 0.9 * share);
        }
        if plan.has_veil {
            let share = cover * smoothstep(0.12, 0.4, veil.fbm(q, 2) + 0.35 * toward_dark - 0.1);
            pixel.blend(veil_color, 0.62 * share);
        }
        if plan.has_regression {
            let share = cover * smoothstep(0.2, 0.45, scar.fbm(q, 2) - 0.4 * toward_dark);
            pixel.blend(mix_color(skin.bare, skin.base, 0.35), 0.75 * share);
        }
        pixel.pigment(0.25 * cover * ridge(distance, 0.02));
    });
}

fn note_melanoma(scene: &mut Scene, half_width: f32, plan: &Colors, is_nodular: bool) {
    let findings = &mut scene.findings;
    (findings.count, findings.largest, findings.shape) = (1, 2.0 * half_width, "asymmetric");
    findings.border = "irregular, notched borders";
    findings.color("dark brown");
    findings.color("tan");
    if is_nodular {
        findings.lesion = ("lesion", "lesions");
        findings.detail(Concept::Nodule, "a dark nodule on one side");
    } else {
        findings.lesion = ("plaque", "plaques");
        findings.add(Concept::Plaque);
    }
    findings.add(Concept::Hyperpigmentation);
    if plan.has_black || is_nodular {
        findings.color("black");
        findings.add(Concept::Black);
    }
    if plan.has_veil {
        findings.color("blue-gray");
        findings.detail(Concept::BlueWhitishVeil, "a blue whitish veil");
    }
    if plan.has_red {
        findings.color("pink");
        findings.details.push("pink areas");
    }
    if plan.has_regression {
        findings.detail(Concept::Hypopigmentation, "pale regression areas");
    }
    findings.details.push("several colors");
}
