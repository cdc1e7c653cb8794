//! A picture of a similarity map: the square that the model looked at, and the same marked by the map.

use shared_model::preprocess::RgbImage8;
use shared_model::{Result, SimilarityMap};

/// Shorter side of one of the two squares, at least, in pixels.
const LEAST_SIDE: usize = 448;
/// Brightness of a patch that is not like the text, out of 1. Brightness tells more and less alike for all eyes.
const DIMMED: f32 = 0.3;
/// Pixels between the squares, and of the frame around the patch that is most like the text.
const GAP: usize = 16;
const FRAME: usize = 3;

/// Returns the square on the left, and on the right the same, darker where it is less like the text, with a frame around
/// the patch that is most like it.
///
/// # Errors
/// None for a picture of at least one pixel.
pub fn map_picture(view: &RgbImage8, map: &SimilarityMap) -> Result<RgbImage8> {
    let (width, height) = (view.width() as usize, view.height() as usize);
    let zoom = LEAST_SIDE.div_ceil(width.min(height)).max(1);
    let (width, height) = (width * zoom, height * zoom);
    let (pixels, _) = view.as_bytes().as_chunks::<3>();
    let strengths = map.strengths();
    let (rows, columns) = (map.rows.max(1), map.columns.max(1));
    let patch_at = |x: usize, y: usize| (y * rows / height, x * columns / width);
    let mut bytes = Vec::with_capacity((2 * width + GAP) * height * 3);
    for y in 0..height {
        let pixel = |x: usize| pixels[y / zoom * (width / zoom) + x / zoom];
        (0..width).for_each(|x| bytes.extend(pixel(x)));
        bytes.resize(bytes.len() + 3 * GAP, u8::MAX);
        for x in 0..width {
            let (row, column) = patch_at(x, y);
            let is_maximum = map.maximum() == Some((row, column));
            if is_maximum && is_in_frame((x, width, columns), (y, height, rows)) {
                bytes.extend([u8::MAX; 3]);
                continue;
            }
            let strength = strengths.get(row * columns + column).copied().unwrap_or(0.0);
            let brightness = DIMMED + (1.0 - DIMMED) * strength;
            bytes.extend(pixel(x).map(|value| (f32::from(value) * brightness).round() as u8));
        }
    }
    RgbImage8::new((2 * width + GAP) as u32, height as u32, bytes)
}

/// Whether a pixel is at the border of its patch. Each side: the pixel's place, all pixels, and all patches.
fn is_in_frame(horizontal: (usize, usize, usize), vertical: (usize, usize, usize)) -> bool {
    [horizontal, vertical].into_iter().any(|(at, size, patches)| {
        let patch = at * patches / size;
        let (start, end) = ((patch * size).div_ceil(patches), ((patch + 1) * size).div_ceil(patches));
        at < start + FRAME || at + FRAME >= end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_half_is_dark_but_where_the_map_is_high() {
        let view = RgbImage8::new(8, 8, vec![200; 8 * 8 * 3]).unwrap();
        let map = SimilarityMap::new(2, 2, vec![-0.5, 0.02, 0.01, 0.0]).unwrap();
        let picture = map_picture(&view, &map).unwrap();
        assert_eq!((picture.width(), picture.height()), (2 * 448 + 16, 448));
        let pixel = |x: usize, y: usize| picture.as_bytes()[(y * picture.width() as usize + x) * 3];
        assert!([10, 440].iter().all(|&x| pixel(x, 100) == 200), "the square as it is");
        assert_eq!(pixel(455, 100), 255, "between the squares");
        let right = |x: usize, y: usize| pixel(448 + 16 + x, y);
        assert_eq!((right(100, 100), right(330, 100), right(100, 330), right(330, 330)), (60, 200, 130, 60));
        assert!(
            [(224, 100), (447, 100), (330, 0), (330, 223)].iter().all(|&(x, y)| right(x, y) == 255),
            "the frame"
        );
        assert_eq!((right(223, 100), right(330, 224)), (60, 60), "outside of the frame");
    }

    #[test]
    fn a_map_without_a_maximum_has_no_frame() {
        let view = RgbImage8::new(3, 3, vec![100; 27]).unwrap();
        let map = SimilarityMap::new(3, 3, vec![0.0; 9]).unwrap();
        let picture = map_picture(&view, &map).unwrap();
        let width = picture.width() as usize;
        let right = |x: usize| picture.as_bytes()[(width * 10 + width - 1 - x) * 3];
        assert!((0..450).all(|x| right(x) == 30));
    }
}
