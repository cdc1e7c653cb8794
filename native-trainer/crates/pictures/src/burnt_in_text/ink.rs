//! Pixels that stand out from their surroundings, as the strokes of letters do.

use shared_model::preprocess::RgbImage8;

/// Pixels on each side whose mean is the surroundings.
const AROUND: usize = 21;
/// Pixels on each side among which ink is compared: more than the gap between two letters.
const NEAR: usize = 8;
/// Contrast below which nothing is ink, in gray levels.
const LEAST: f32 = 18.0;

/// Whether ink is brighter than its surroundings.
#[derive(Clone, Copy)]
pub enum Side {
    Brighter,
    Darker,
}

/// The difference of each pixel of a channel from the mean of its surroundings.
pub fn contrast(image: &RgbImage8, channel: usize) -> Vec<f32> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (pixels, _) = image.as_bytes().as_chunks::<3>();
    // Sums of the columns over the rows of the window, which moves down.
    let mut columns = vec![0u32; width];
    let row = |at: usize| pixels[at * width..][..width].iter().map(|pixel| u32::from(pixel[channel]));
    let mut values = Vec::with_capacity(pixels.len());
    let mut sums = vec![0u32; width + 1];
    (0..AROUND.min(height)).for_each(|at| columns.iter_mut().zip(row(at)).for_each(|(sum, value)| *sum += value));
    for y in 0..height {
        if y + AROUND < height {
            columns.iter_mut().zip(row(y + AROUND)).for_each(|(sum, value)| *sum += value);
        }
        if let Some(gone) = y.checked_sub(AROUND + 1) {
            columns.iter_mut().zip(row(gone)).for_each(|(sum, value)| *sum -= value);
        }
        let rows = (y + AROUND + 1).min(height) - y.saturating_sub(AROUND);
        (0..width).for_each(|x| sums[x + 1] = sums[x] + columns[x]);
        for (x, value) in row(y).enumerate() {
            let (from, to) = (x.saturating_sub(AROUND), (x + AROUND + 1).min(width));
            values.push(value as f32 - (sums[to] - sums[from]) as f32 / (rows * (to - from)) as f32);
        }
    }
    values
}

/// Pixels that stand out at least half as much as any near to them, so that letters do not run together.
pub fn ink(contrast: &[f32], image: &RgbImage8, side: Side) -> Vec<bool> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let signed: Vec<f32> = match side {
        Side::Brighter => contrast.to_vec(),
        Side::Darker => contrast.iter().map(|value| -value).collect(),
    };
    let most = largest_near(&signed, width, height);
    signed.iter().zip(most).map(|(&value, most)| value > LEAST.max(0.5 * most)).collect()
}

/// The largest value of the square around each pixel.
fn largest_near(values: &[f32], width: usize, height: usize) -> Vec<f32> {
    let mut along_rows = vec![0.0; values.len()];
    let (mut padded, mut scratch) = (vec![f32::MIN; width + 2 * NEAR], Vec::new());
    for (row, results) in values.chunks_exact(width).zip(along_rows.chunks_exact_mut(width)) {
        padded[NEAR..NEAR + width].copy_from_slice(row);
        scratch.clone_from(&padded);
        // Of 2, 4, 8 and 16 values from each on, then of 17.
        for step in [1, 2, 4, 8] {
            (0..scratch.len() - step).for_each(|at| scratch[at] = scratch[at].max(scratch[at + step]));
        }
        for (at, result) in results.iter_mut().enumerate() {
            *result = scratch[at].max(scratch[at + 1]);
        }
    }
    // The same along the columns, with a row in place of a value.
    let row = |at: usize| (at < height).then(|| &along_rows[at * width..][..width]);
    let mut most = vec![f32::MIN; values.len()];
    for (y, results) in most.chunks_exact_mut(width).enumerate() {
        for from in (y.saturating_sub(NEAR)..=y + NEAR).filter_map(row) {
            results.iter_mut().zip(from).for_each(|(most, value)| *most = most.max(*value));
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 70;
    const HEIGHT: usize = 50;

    /// A gray image with one white pixel and one of light gray.
    fn image() -> RgbImage8 {
        let mut bytes = vec![100; 3 * WIDTH * HEIGHT];
        bytes[3 * (20 * WIDTH + 30)..][..3].fill(255);
        bytes[3 * (20 * WIDTH + 38)..][..3].fill(160);
        bytes[3 * (20 * WIDTH + 60)..][..3].fill(160);
        RgbImage8::new(WIDTH as u32, HEIGHT as u32, bytes).unwrap()
    }

    #[test]
    fn the_surroundings_are_the_mean_of_the_window_also_at_the_border() {
        let image = image();
        let contrast = contrast(&image, 1);
        let value = |x: usize, y: usize| f32::from(image.as_bytes()[3 * (y * WIDTH + x)]);
        for (x, y) in [(30, 20), (0, 0), (69, 49), (50, 3)] {
            let window = (0..HEIGHT).flat_map(|row| (0..WIDTH).map(move |column| (column, row)));
            let window: Vec<f32> = window
                .filter(|&(column, row)| column.abs_diff(x) <= AROUND && row.abs_diff(y) <= AROUND)
                .map(|(column, row)| value(column, row))
                .collect();
            let mean = window.iter().sum::<f32>() / window.len() as f32;
            let found = contrast[y * WIDTH + x];
            assert!((found - (value(x, y) - mean)).abs() < 1e-2, "{x} {y}: {found}");
        }
    }

    #[test]
    fn ink_is_what_stands_out_most_nearby() {
        let image = image();
        let contrast = contrast(&image, 0);
        let found = ink(&contrast, &image, Side::Brighter);
        let places: Vec<usize> = (0..found.len()).filter(|&at| found[at]).collect();
        // The light gray pixel beside the white one is no ink, and the same far from it is.
        assert_eq!(places, [20 * WIDTH + 30, 20 * WIDTH + 60]);
        assert!(ink(&contrast, &image, Side::Darker).iter().all(|&is_ink| !is_ink));
    }
}
