//! The elementary lesions that several conditions share: domes, scale, crust, ulcers, vesicles, vessels.

use crate::canvas::{Point, Rgb, from_srgb, mix_color};
use crate::noise::{Noise, smoothstep};
use crate::scene::Scene;
use crate::shape::{Blob, inside, ridge};
use rand::Rng;
use std::f32::consts::PI;

/// Reddens the blob evenly up to an edge of half-width `softness`, with some mottling.
pub fn erythema(scene: &mut Scene, blob: &Blob, amount: f32, softness: f32) {
    let (skin, noise) = (scene.skin, Noise::new(&mut scene.rng));
    scene.canvas.paint(blob.center, blob.reach(softness), |p, pixel| {
        let cover = inside(blob.distance(p), softness);
        if cover > 0.0 {
            skin.redden(pixel, amount * cover * (1.0 + 0.25 * noise.value(p.times(14.0))));
        }
    });
}

/// Raises a smooth dome; `steepness` is height by radius.
pub fn dome(scene: &mut Scene, blob: &Blob, steepness: f32, gloss: f32) {
    scene.canvas.paint(blob.center, blob.reach(0.0), |p, pixel| {
        let depth = (-blob.distance(p) / blob.radius).clamp(0.0, 1.0);
        if depth > 0.0 {
            let rise = (depth * (2.0 - depth)).sqrt();
            pixel.height += steepness * blob.radius * rise;
            pixel.gloss += gloss * depth.min(0.3) / 0.3;
        }
    });
}

/// Raises the blob to a flat top with a slope of half-width `slope` at the edge.
pub fn plateau(scene: &mut Scene, blob: &Blob, height: f32, slope: f32) {
    scene.canvas.paint(blob.center, blob.reach(slope), |p, pixel| {
        pixel.height += height * inside(blob.distance(p), slope);
    });
}

/// The arrangement of scale: see [`scale`].
pub struct Scale {
    pub color: Rgb,
    /// Share of the blob that is covered, 0 to 1.
    pub coverage: f32,
    /// Flakes on the unit of length.
    pub grain: f32,
    pub thickness: f32,
    pub opacity: f32,
}

/// Flakes on the blob, thinning out toward its edge.
pub fn scale(scene: &mut Scene, blob: &Blob, flakes: &Scale) {
    let [patches, edges, bends] = std::array::from_fn(|_| Noise::new(&mut scene.rng));
    let threshold = 0.55 - 1.1 * flakes.coverage;
    scene.canvas.paint(blob.center, blob.reach(0.0), |p, pixel| {
        let within = smoothstep(0.0, 0.22 * blob.radius, -blob.distance(p));
        if within == 0.0 {
            return;
        }
        let patch = patches.fbm(p.times(flakes.grain * 0.4), 3);
        // Bent cells look like flakes, straight ones like paving.
        let bend = 0.055 * bends.fbm(p.times(flakes.grain * 0.5), 2);
        let cell = edges.cells(Point::new(p.x + bend, p.y - bend).times(flakes.grain));
        let fine = bends.value(p.times(flakes.grain * 2.3));
        let rough = 0.6 * cell + 0.25 * fine + 0.2;
        let cover = within * smoothstep(threshold - 0.18, threshold + 0.2, patch + 0.3 * (rough - 0.5));
        let shine = 0.88 + 0.2 * rough;
        pixel.blend(flakes.color.map(|channel| channel * shine), flakes.opacity * cover);
        pixel.height += flakes.thickness * cover * (0.4 + rough);
    });
}

/// A dried crust: yellow-brown to dark red, rough.
pub fn crust(scene: &mut Scene, blob: &Blob, is_bloody: bool) {
    let (tone, bumps) = (Noise::new(&mut scene.rng), Noise::new(&mut scene.rng));
    let dim = 1.0 - 0.5 * scene.skin.darkness;
    let honey = from_srgb([186, 132, 66]);
    let dark = if is_bloody { from_srgb([66, 22, 16]) } else { from_srgb([112, 66, 34]) };
    scene.canvas.paint(blob.center, blob.reach(0.01), |p, pixel| {
        let cover = inside(blob.distance(p), 0.006);
        if cover == 0.0 {
            return;
        }
        let mixed = mix_color(dark, honey, smoothstep(-0.5, 0.6, tone.fbm(p.times(24.0), 2))).map(|c| c * dim);
        pixel.blend(mixed, 0.9 * cover);
        pixel.height += cover * (0.006 + 0.006 * bumps.fbm(p.times(60.0), 2));
    });
}

/// A defect with a moist red base and a steep edge.
pub fn ulcer(scene: &mut Scene, blob: &Blob) {
    let base = mix_color(from_srgb([150, 36, 34]), from_srgb([96, 26, 28]), scene.skin.darkness);
    let noise = Noise::new(&mut scene.rng);
    scene.canvas.paint(blob.center, blob.reach(0.02), |p, pixel| {
        let distance = blob.distance(p);
        let cover = inside(distance, 0.006);
        let grain = noise.fbm(p.times(40.0), 2);
        pixel.height += 0.006 * ridge(distance, 0.012);
        if cover > 0.0 {
            pixel.blend(base.map(|channel| channel * (1.0 + 0.45 * grain)), 0.92 * cover);
            pixel.height += cover * (0.003 * grain - 0.016);
            pixel.gloss += 0.5 * cover;
        }
    });
}

/// A shallow raw spot.
pub fn erosion(scene: &mut Scene, blob: &Blob) {
    let base = mix_color(from_srgb([206, 84, 78]), from_srgb([142, 54, 50]), scene.skin.darkness);
    scene.canvas.paint(blob.center, blob.reach(0.01), |p, pixel| {
        let cover = inside(blob.distance(p), 0.005);
        pixel.blend(base, 0.8 * cover);
        pixel.height -= 0.004 * cover;
        pixel.gloss += 0.35 * cover;
    });
}

/// A blister with clear fluid.
pub fn vesicle(scene: &mut Scene, center: Point, radius: f32, is_cloudy: bool) {
    let skin = scene.skin;
    let fluid = if is_cloudy {
        mix_color(from_srgb([232, 212, 150]), from_srgb([180, 150, 100]), skin.darkness)
    } else {
        mix_color(from_srgb([240, 206, 196]), from_srgb([156, 118, 104]), skin.darkness)
    };
    let blob = Blob::round(center, radius, &mut scene.rng);
    scene.canvas.paint(center, blob.reach(radius), |p, pixel| {
        let distance = blob.distance(p);
        skin.redden(pixel, 0.7 * ridge(distance, 0.35 * radius));
        let cover = inside(distance, 0.12 * radius + 0.002);
        pixel.blend(fluid, 0.62 * cover);
    });
    dome(scene, &blob, 0.55, 0.85);
}

/// A papule with pus on top.
pub fn pustule(scene: &mut Scene, center: Point, radius: f32) {
    let skin = scene.skin;
    let blob = Blob::round(center, radius, &mut scene.rng);
    let pus = mix_color(from_srgb([244, 230, 178]), from_srgb([214, 190, 134]), skin.darkness);
    scene.canvas.paint(center, blob.reach(1.6 * radius), |p, pixel| {
        let distance = blob.distance(p);
        skin.redden(pixel, 1.15 * inside(distance, 0.7 * radius));
        let cover = inside(distance + 0.45 * radius, 0.2 * radius);
        pixel.blend(pus, 0.9 * cover);
    });
    dome(scene, &blob, 0.5, 0.3);
}

/// A dot of one color, flat.
pub fn dot(scene: &mut Scene, center: Point, radius: f32, color: Rgb, alpha: f32) {
    let soft = 0.3 * radius + scene.canvas.pixel() * 0.7;
    scene.canvas.paint(center, radius + soft, |p, pixel| {
        pixel.blend(color, alpha * inside(p.distance(center) - radius, soft));
    });
}

/// Fine vessels that enter the blob from its edge and branch like a tree.
pub fn arborizing_vessels(scene: &mut Scene, blob: &Blob, n_trunks: usize, width: f32) {
    for _ in 0..n_trunks {
        let angle = scene.uniform(0.0, 2.0 * PI);
        let start = blob.center.toward(angle, 0.82 * blob.radius);
        let inward = angle + PI + scene.uniform(-0.5, 0.5);
        branch(scene, start, inward, 0.6 * blob.radius, width, 2);
    }
}

fn branch(scene: &mut Scene, start: Point, direction: f32, length: f32, width: f32, generations: u32) {
    let mut path = vec![start];
    let (mut place, mut heading) = (start, direction);
    for _ in 0..5 {
        heading += scene.uniform(-0.45, 0.45);
        place = place.toward(heading, length / 5.0);
        path.push(place);
    }
    let blood = mix_color(from_srgb([190, 30, 40]), from_srgb([116, 16, 32]), scene.skin.darkness);
    scene.canvas.stroke(&path, (width, 0.5 * width), |coverage, pixel| pixel.blend(blood, 0.82 * coverage));
    if generations > 0 {
        for fork in [path[2], path[4]] {
            let side = if scene.rng.random_bool(0.5) { 1.0 } else { -1.0 };
            let turn = side * scene.uniform(0.5, 1.1);
            branch(scene, fork, heading + turn, 0.6 * length, 0.65 * width, generations - 1);
        }
    }
}
