//! Drawn text of many colors and sizes, and pictures without text.

use super::*;

/// 5 x 7 letters of a terminal.
const LETTERS: [(char, [&str; 7]); 8] = [
    ('A', [" ### ", "#   #", "#   #", "#####", "#   #", "#   #", "#   #"]),
    ('E', ["#####", "#    ", "#    ", "#### ", "#    ", "#    ", "#####"]),
    ('M', ["#   #", "## ##", "# # #", "#   #", "#   #", "#   #", "#   #"]),
    ('N', ["#   #", "##  #", "# # #", "#  ##", "#   #", "#   #", "#   #"]),
    ('0', [" ### ", "#   #", "#  ##", "# # #", "##  #", "#   #", " ### "]),
    ('1', ["  #  ", " ##  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "]),
    ('2', [" ### ", "#   #", "    #", "  ## ", " #   ", "#    ", "#####"]),
    ('9', [" ### ", "#   #", "#   #", " ####", "    #", "    #", " ### "]),
];

const SKIN: [u8; 3] = [214, 160, 138];

struct Canvas {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, bytes: SKIN.repeat(width * height) }
    }

    /// The first drawn sample of the program, at its own size.
    fn sample() -> Self {
        let (_, sample) = shared_model::demo::SAMPLES[0];
        let image = crate::decode(sample, shared_model::preprocess::Reading::Photo).unwrap().to_rgb();
        Self { width: image.width() as usize, height: image.height() as usize, bytes: image.into_bytes() }
    }

    fn fill(&mut self, x: usize, y: usize, size: (usize, usize), color: [u8; 3]) {
        for row in y..(y + size.1).min(self.height) {
            for column in x..(x + size.0).min(self.width) {
                self.bytes[3 * (row * self.width + column)..][..3].copy_from_slice(&color);
            }
        }
    }

    /// Writes with strokes of `stroke` pixels.
    fn write(&mut self, text: &str, (x, y): (usize, usize), stroke: usize, color: [u8; 3]) {
        for (at, letter) in text.chars().enumerate() {
            let Some((_, rows)) = LETTERS.iter().find(|(known, _)| *known == letter) else { continue };
            for (row, line) in rows.iter().enumerate() {
                for (column, _) in line.bytes().enumerate().filter(|(_, byte)| *byte == b'#') {
                    let left = x + (at * 7 + column) * stroke;
                    self.fill(left, y + row * stroke, (stroke, stroke), color);
                }
            }
        }
    }

    fn has_text(&self) -> bool {
        let (width, height) = (self.width as u32, self.height as u32);
        has_text(&DecodedImage::from_samples(width, height, PixelMode::Rgb, self.bytes.clone()).unwrap()).unwrap()
    }
}

#[test]
fn text_is_found_in_every_usual_color_and_size() {
    for color in [[255, 255, 255], [0, 0, 0], [255, 220, 0], [230, 40, 30], [0, 190, 60], [30, 60, 200]] {
        for (stroke, width) in [(1, 300), (2, 300), (4, 900), (9, 1600)] {
            let mut canvas = Canvas::new(width, width * 3 / 4);
            assert!(!canvas.has_text());
            canvas.write("MEN 2019", (9, 9), stroke, color);
            assert!(canvas.has_text(), "{color:?}, strokes of {stroke}");
        }
    }
}

#[test]
fn text_on_a_photo_is_found_and_the_photo_alone_is_not_flagged() {
    let mut canvas = Canvas::sample();
    assert!(!canvas.has_text());
    canvas.write("NAME 12", (5, 5), 2, [255, 255, 255]);
    assert!(canvas.has_text());
}

#[test]
fn ticks_hairs_frames_and_dots_are_no_text() {
    let mut ruler = Canvas::new(600, 450);
    (0..50).for_each(|at| ruler.fill(10 + 11 * at, 400, (2, if at % 5 == 0 { 30 } else { 15 }), [10, 10, 10]));
    assert!(!ruler.has_text());
    let mut hairs = Canvas::new(600, 450);
    for hair in 0..12 {
        (0..300).for_each(|at| hairs.fill(20 + at, 20 + 30 * hair + (at * (hair + 1) / 17), (2, 2), [40, 30, 25]));
    }
    assert!(!hairs.has_text());
    let mut frame = Canvas::new(600, 450);
    for (x, y, size) in [(0, 0, (600, 20)), (0, 430, (600, 20)), (0, 0, (20, 450)), (580, 0, (20, 450))] {
        frame.fill(x, y, size, [0, 0, 0]);
    }
    assert!(!frame.has_text());
    let mut dots = Canvas::new(600, 450);
    (0..20).for_each(|at| dots.fill(30 + 25 * at, 200, (12, 12), [90, 50, 40]));
    assert!(!dots.has_text());
}

#[test]
fn images_of_any_size_and_noise_are_read() {
    for (width, height) in [(1, 1), (1, 400), (61, 60), (333, 60), (700, 641)] {
        let mut canvas = Canvas::new(width, height);
        let mut state = 1u64;
        for byte in &mut canvas.bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        assert!(!canvas.has_text(), "{width} x {height}");
    }
}
