//! The surface that is painted on: linear RGB with a height and a gloss for every pixel.
//!
//! Coordinates are in units of the picture's shorter edge, so that a case looks the same at any resolution.

/// Linear RGB, 1.0 is white.
pub type Rgb = [f32; 3];

/// Absorption of light by melanin, per channel.
pub const MELANIN: Rgb = [0.62, 0.86, 1.0];

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

impl Point {
    pub fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The point at `distance` in direction `angle` (radians).
    pub fn toward(self, angle: f32, distance: f32) -> Self {
        Self::new(self.x + angle.cos() * distance, self.y + angle.sin() * distance)
    }

    pub fn distance(self, other: Self) -> f32 {
        ((self.x - other.x).powi(2) + (self.y - other.y).powi(2)).sqrt()
    }

    pub fn times(self, factor: f32) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Pixel {
    pub color: Rgb,
    /// Elevation above the skin, in the units of the coordinates.
    pub height: f32,
    /// Strength of the light's reflection, 0 is matt.
    pub gloss: f32,
}

impl Pixel {
    /// Covers the pixel with an opaque color to the share `alpha`.
    pub fn blend(&mut self, color: Rgb, alpha: f32) {
        for (mine, theirs) in self.color.iter_mut().zip(color) {
            *mine += (theirs - *mine) * alpha;
        }
    }

    /// Lets light pass through a layer with these absorptions.
    pub fn absorb(&mut self, absorption: Rgb, amount: f32) {
        for (channel, absorption) in self.color.iter_mut().zip(absorption) {
            *channel *= (-absorption * amount).exp();
        }
    }

    /// Adds melanin; 1.0 is the step from fair skin to a light brown mark.
    pub fn pigment(&mut self, amount: f32) {
        self.absorb(MELANIN, amount);
    }

    pub fn brighten(&mut self, factor: f32) {
        self.color = self.color.map(|channel| channel * factor);
    }
}

pub struct Canvas {
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub pixels: Vec<Pixel>,
    pixels_per_unit: f32,
}

impl Canvas {
    pub fn new(width: u32, height: u32, color: Rgb) -> Self {
        let pixel = Pixel { color, height: 0.0, gloss: 0.05 };
        let pixels = vec![pixel; width as usize * height as usize];
        Self { width, height, pixels, pixels_per_unit: width.min(height) as f32 }
    }

    pub fn center(&self) -> Point {
        self.extent().times(0.5)
    }

    /// The lower right corner.
    pub fn extent(&self) -> Point {
        Point::new(self.width as f32, self.height as f32).times(1.0 / self.pixels_per_unit)
    }

    /// Size of one pixel in units.
    pub fn pixel(&self) -> f32 {
        1.0 / self.pixels_per_unit
    }

    pub fn paint_all(&mut self, mut brush: impl FnMut(Point, &mut Pixel)) {
        let unit = self.pixel();
        for (row, line) in self.pixels.chunks_exact_mut(self.width as usize).enumerate() {
            for (column, pixel) in line.iter_mut().enumerate() {
                brush(Point::new((column as f32 + 0.5) * unit, (row as f32 + 0.5) * unit), pixel);
            }
        }
    }

    /// Applies the brush to the square of half-width `reach` around `center`.
    pub fn paint(&mut self, center: Point, reach: f32, mut brush: impl FnMut(Point, &mut Pixel)) {
        let unit = self.pixel();
        let low = |value: f32| ((value - reach) / unit).floor().max(0.0) as usize;
        let high = |value: f32, limit: u32| ((value + reach) / unit).ceil().clamp(0.0, limit as f32) as usize;
        let (left, right) = (low(center.x), high(center.x, self.width));
        for row in low(center.y)..high(center.y, self.height) {
            for column in left..right {
                let pixel = &mut self.pixels[row * self.width as usize + column];
                brush(Point::new((column as f32 + 0.5) * unit, (row as f32 + 0.5) * unit), pixel);
            }
        }
    }

    /// Draws a line through `path`; `widths` are its half-widths at the start and the end. The brush gets the
    /// coverage in [0, 1], once for each pixel.
    pub fn stroke(&mut self, path: &[Point], widths: (f32, f32), mut brush: impl FnMut(f32, &mut Pixel)) {
        let Some(bounds) = Bounds::of(path, widths.0.max(widths.1) + self.pixel()) else { return };
        let unit = self.pixel();
        let n_segments = (path.len() - 1).max(1) as f32;
        let (center, reach) = bounds;
        self.paint(center, reach, |p, pixel| {
            let mut coverage = 0.0f32;
            for (index, pair) in path.windows(2).enumerate() {
                let (distance, along) = segment_distance(p, pair[0], pair[1]);
                let width = widths.0 + (widths.1 - widths.0) * (index as f32 + along) / n_segments;
                // A line thinner than a pixel gets fainter instead of vanishing.
                let strength = (2.0 * width / unit).min(1.0);
                coverage =
                    coverage.max(((width.max(0.5 * unit) - distance) / unit + 0.5).clamp(0.0, 1.0) * strength);
            }
            if coverage > 0.0 {
                brush(coverage, pixel);
            }
        });
    }
}

struct Bounds;

impl Bounds {
    /// Center and half-width of a square around the path.
    fn of(path: &[Point], margin: f32) -> Option<(Point, f32)> {
        let first = *path.first()?;
        let (low, high) = path.iter().fold((first, first), |(low, high), p| {
            (Point::new(low.x.min(p.x), low.y.min(p.y)), Point::new(high.x.max(p.x), high.y.max(p.y)))
        });
        let center = Point::new(0.5 * (low.x + high.x), 0.5 * (low.y + high.y));
        Some((center, 0.5 * (high.x - low.x).max(high.y - low.y) + margin))
    }
}

/// Distance from `p` to the segment, and the position of the nearest point along it (0 to 1).
fn segment_distance(p: Point, a: Point, b: Point) -> (f32, f32) {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length_squared = (dx * dx + dy * dy).max(1e-12);
    let along = (((p.x - a.x) * dx + (p.y - a.y) * dy) / length_squared).clamp(0.0, 1.0);
    (p.distance(Point::new(a.x + dx * along, a.y + dy * along)), along)
}

/// Linear RGB of an 8-bit sRGB color.
pub fn from_srgb(color: [u8; 3]) -> Rgb {
    color.map(|channel| {
        let value = f32::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

pub fn mix_color(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|channel| a[channel] + (b[channel] - a[channel]) * t)
}
