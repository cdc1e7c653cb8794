//! A map as files of their own: a table, and pictures of its dots. The drawings with legends are the report's.

use super::{EmbeddingMap, MapPoint};
use anyhow::{Context, Result};
use dermake_drawing::COLORS;
use dermake_drawing::dots::Dots;
use dermake_files::output::replace_file;
use dermake_sheets::Sheet;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::path::{Path, PathBuf};

/// Side of a picture, pixels at its border, and the radius of a dot.
const SIDE: u32 = 1200;
const BORDER: f64 = 24.0;
const RADIUS: f64 = 6.0;
/// How much of a dot's color covers what is under it.
const OPACITY: f64 = 0.8;

/// Writes `NAME-map.csv` with the place, file, label and skin tone of each image, `NAME-label-map.png`, and
/// `NAME-tone-map.png` where there are skin tones; returns their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write(map: &EmbeddingMap, name: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut written = vec![folder.join(format!("{name}-map.csv"))];
    table(map).write(&written[0])?;
    let by_label = map.points.iter().map(|point| Some(point.label)).collect::<Vec<_>>();
    let mut pictures = vec![("label", by_label, map.class_names.len())];
    if !map.tone_names.is_empty() {
        pictures.push(("tone", map.points.iter().map(|point| point.tone).collect(), map.tone_names.len()));
    }
    for (kind, groups, n_groups) in pictures {
        let png = picture(map, &Dots::of(&groups, n_groups)).context("cannot encode a map as PNG")?;
        written.push(folder.join(format!("{name}-{kind}-map.png")));
        replace_file(&written[written.len() - 1], &png)?;
    }
    Ok(written)
}

fn table(map: &EmbeddingMap) -> Sheet {
    let mut sheet = Sheet::default();
    let text = |of: &dyn Fn(&MapPoint) -> String| map.points.iter().map(of).collect::<Vec<_>>();
    let number = |axis: usize| map.points.iter().map(|point| Some(point.at[axis])).collect();
    sheet.texts("row", text(&|point| point.row.to_string()));
    sheet.texts("file", text(&|point| point.file.to_string_lossy().into_owned()));
    sheet.numbers("x", number(0));
    sheet.numbers("y", number(1));
    sheet.texts("label", text(&|point| map.class_names[point.label].clone()));
    if !map.tone_names.is_empty() {
        let tone = |point: &MapPoint| point.tone.map_or(String::new(), |tone| map.tone_names[tone].clone());
        sheet.texts("skin_tone", text(&tone));
    }
    sheet
}

/// The dots as a PNG on white.
fn picture(map: &EmbeddingMap, dots: &Dots) -> Result<Vec<u8>> {
    let mut pixels = vec![255u8; (SIDE * SIDE * 3) as usize];
    let side = f64::from(SIDE);
    let places = map.placed([BORDER, side - BORDER], [side - BORDER, BORDER]);
    for (place, [x, y]) in places.into_iter().enumerate() {
        dot(&mut pixels, [x, y], color(dots.look(place).color), dots.look(place).is_square);
    }
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(&pixels, SIDE, SIDE, ExtendedColorType::Rgb8)?;
    Ok(png)
}

/// Covers the pixels of a dot with its color, those at its edge in part.
fn dot(pixels: &mut [u8], [x, y]: [f64; 2], color: [u8; 3], is_square: bool) {
    let range = |middle: f64| {
        let from = (middle - RADIUS - 1.0).floor().max(0.0) as u32;
        from..((middle + RADIUS + 2.0) as u32).min(SIDE)
    };
    for row in range(y) {
        for column in range(x) {
            let [dx, dy] = [f64::from(column) + 0.5 - x, f64::from(row) + 0.5 - y];
            let distance = if is_square { dx.abs().max(dy.abs()) + 0.12 * RADIUS } else { dx.hypot(dy) };
            let cover = OPACITY * (RADIUS + 0.5 - distance).clamp(0.0, 1.0);
            let at = ((row * SIDE + column) * 3) as usize;
            for (pixel, value) in pixels[at..at + 3].iter_mut().zip(color) {
                *pixel = (f64::from(*pixel) * (1.0 - cover) + f64::from(value) * cover).round() as u8;
            }
        }
    }
}

/// The red, green and blue of a color of drawings.
fn color(nth: usize) -> [u8; 3] {
    let digits = COLORS[nth].trim_start_matches('#');
    [0, 2, 4].map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::MapMethod;
    use super::super::tests::map;
    use super::*;

    #[test]
    fn a_map_is_a_table_and_pictures_of_its_dots() {
        let folder = tempfile::tempdir().unwrap();
        let mut few = map(12, MapMethod::Pca).unwrap();
        write(&few, "own", folder.path()).unwrap();
        let csv = std::fs::read_to_string(folder.path().join("own-map.csv")).unwrap();
        assert!(csv.starts_with("row,file,x,y,label,skin_tone\n6,0.jpg,"), "{csv}");
        assert_eq!(csv.lines().count(), 13);
        let picture = image::open(folder.path().join("own-label-map.png")).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (SIDE, SIDE));
        // Each dot has its color in its middle, where no other covers it.
        few.points.truncate(2);
        few.points[1].label = 1;
        write(&few, "two", folder.path()).unwrap();
        let picture = image::open(folder.path().join("two-label-map.png")).unwrap().to_rgb8();
        let side = f64::from(SIDE);
        for (place, [x, y]) in few.placed([BORDER, side - BORDER], [side - BORDER, BORDER]).into_iter().enumerate()
        {
            let expected = color(Dots::of(&[Some(0), Some(1)], 3).look(place).color);
            let found = picture.get_pixel(x.min(side - 1.0) as u32, y.min(side - 1.0) as u32).0;
            let mixed = expected.map(|value| (255.0 * (1.0 - OPACITY) + f64::from(value) * OPACITY).round() as u8);
            assert_eq!(found, mixed, "dot {place}");
        }
        assert!(folder.path().join("own-tone-map.png").is_file());
    }
}
