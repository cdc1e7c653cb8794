//! Smooth random fields: value noise on a lattice, its octave sum, and a cracked-earth cell pattern.
//!
//! Everything irregular in a picture comes from here, so the fields are cheap: a hash per lattice corner and no
//! tables, except the cell pattern, which is computed once and then looked up.

use super::canvas::Point;
use rand::Rng;
use std::sync::OnceLock;

/// One random field; two fields differ by their seed.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    seed: u32,
}

impl Noise {
    pub fn new(rng: &mut impl Rng) -> Self {
        Self { seed: rng.random() }
    }

    /// Value noise in [-1, 1] with a lattice spacing of 1.
    pub fn value(self, p: Point) -> f32 {
        let (column, row) = (floor(p.x), floor(p.y));
        let (tx, ty) = (ease(p.x - column as f32), ease(p.y - row as f32));
        let (column, row) = (column as u32, row as u32);
        let corner = |dx: u32, dy: u32| hash(column.wrapping_add(dx), row.wrapping_add(dy), self.seed);
        let top = mix(corner(0, 0), corner(1, 0), tx);
        let bottom = mix(corner(0, 1), corner(1, 1), tx);
        mix(top, bottom, ty) * 2.0 - 1.0
    }

    /// Sum of `octaves` fields, each of twice the frequency and half the weight; about [-1, 1].
    pub fn fbm(self, p: Point, octaves: u32) -> f32 {
        let (mut sum, mut weight, mut total, mut q) = (0.0, 1.0, 0.0, p);
        for octave in 0..octaves {
            sum += weight * Self { seed: self.seed.wrapping_add(octave * 7919) }.value(q);
            total += weight;
            weight *= 0.5;
            // The turn keeps the lattices of the octaves from lining up.
            q = Point::new(1.6 * q.x + 1.2 * q.y, 1.6 * q.y - 1.2 * q.x);
        }
        sum / total
    }

    /// Independent uniform value in [0, 1) for a pixel and a channel.
    pub fn grain(self, index: u32, channel: u32) -> f32 {
        hash(index, channel, self.seed)
    }

    /// Cell pattern: 0 in the furrows between cells of about unit size, rising to 1 in their middle.
    pub fn cells(self, p: Point) -> f32 {
        let shift = (self.seed % 997) as f32 * 0.37;
        cell_tile().at(p.x + shift, p.y + shift * 1.7)
    }
}

/// `t` in [0, 1] from `from` to `to`, eased at both ends; either order of the bounds.
pub fn smoothstep(from: f32, to: f32, value: f32) -> f32 {
    ease(((value - from) / (to - from)).clamp(0.0, 1.0))
}

pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// `f32::floor` is a call into the C library on targets without an instruction for it; this is the hottest place.
fn floor(value: f32) -> i32 {
    let cut = value as i32;
    cut - i32::from(cut as f32 > value)
}

fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

fn hash(x: u32, y: u32, seed: u32) -> f32 {
    let mut bits = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77).rotate_left(13) ^ seed;
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2C1B_3C6D);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297A_2D39);
    bits ^= bits >> 15;
    (bits >> 8) as f32 / (1 << 24) as f32
}

/// The cell pattern, drawn once: it repeats after `PERIOD` cells, which no picture shows whole.
struct CellTile {
    values: Vec<f32>,
}

const PERIOD: usize = 40;
const SAMPLES_PER_CELL: usize = 10;
const TILE_SIDE: usize = PERIOD * SAMPLES_PER_CELL;

fn cell_tile() -> &'static CellTile {
    static TILE: OnceLock<CellTile> = OnceLock::new();
    TILE.get_or_init(|| {
        let value = |i: usize| cell_value(i % TILE_SIDE, i / TILE_SIDE);
        CellTile { values: (0..TILE_SIDE * TILE_SIDE).map(value).collect() }
    })
}

/// Distance to the border between the two nearest cell centers (Worley's F2 - F1), cut at 1.
fn cell_value(column: usize, row: usize) -> f32 {
    let (x, y) = (column as f32 / SAMPLES_PER_CELL as f32, row as f32 / SAMPLES_PER_CELL as f32);
    let (cell_x, cell_y) = (x.floor() as i32, y.floor() as i32);
    let (mut nearest, mut second) = (f32::MAX, f32::MAX);
    for dy in -2..=2 {
        for dx in -2..=2 {
            let (cx, cy) = (cell_x + dx, cell_y + dy);
            let wrap = |cell: i32| cell.rem_euclid(PERIOD as i32) as u32;
            let center_x = cx as f32 + hash(wrap(cx), wrap(cy), 1);
            let center_y = cy as f32 + hash(wrap(cx), wrap(cy), 2);
            let distance = (center_x - x).hypot(center_y - y);
            if distance < nearest {
                second = nearest;
                nearest = distance;
            } else if distance < second {
                second = distance;
            }
        }
    }
    ((second - nearest) * 1.6).min(1.0)
}

impl CellTile {
    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x * SAMPLES_PER_CELL as f32, y * SAMPLES_PER_CELL as f32);
        let (column, row) = (floor(x), floor(y));
        let index = |value: i32| value.rem_euclid(TILE_SIDE as i32) as usize;
        let (left, top) = (index(column), index(row));
        let (x0, y0) = (column as f32, row as f32);
        let (right, bottom) = ((left + 1) % TILE_SIDE, (top + 1) % TILE_SIDE);
        let value = |column: usize, row: usize| self.values[row * TILE_SIDE + column];
        let upper = mix(value(left, top), value(right, top), x - x0);
        let lower = mix(value(left, bottom), value(right, bottom), x - x0);
        mix(upper, lower, y - y0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stay_in_range_and_differ_by_seed() {
        let (a, b) = (Noise { seed: 1 }, Noise { seed: 2 });
        let mut difference = 0.0;
        for i in 0..500 {
            let p = Point::new(i as f32 * 0.37 - 60.0, i as f32 * 0.11);
            assert!(a.fbm(p, 4).abs() <= 1.0);
            assert!((0.0..=1.0).contains(&a.cells(p)));
            difference += (a.value(p) - b.value(p)).abs();
        }
        assert!(difference / 500.0 > 0.1);
    }
}
