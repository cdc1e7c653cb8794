//! The position of a random crop: torchvision's `RandomResizedCrop.get_params`
//! (<https://github.com/pytorch/vision/blob/main/torchvision/transforms/transforms.py>).

use rand::Rng;
use shared_model::preprocess::CropBox;

/// Attempts before the central crop is used.
const TRIES: usize = 10;

/// Draws a box in an image of `width` x `height` pixels.
///
/// `scale` bounds its share of the image's area (uniform), `ratio` its width in heights (uniform in the logarithm). If
/// ten draws do not fit, the largest central box whose shape is within `ratio`.
pub fn sample_crop(width: u32, height: u32, scale: [f64; 2], ratio: [f64; 2], rng: &mut impl Rng) -> CropBox {
    let area = f64::from(width) * f64::from(height);
    let log_ratio = ratio.map(f64::ln);
    for _ in 0..TRIES {
        let target_area = area * uniform(scale, rng);
        let aspect_ratio = uniform(log_ratio, rng).exp();
        let crop_width = (target_area * aspect_ratio).sqrt().round_ties_even();
        let crop_height = (target_area / aspect_ratio).sqrt().round_ties_even();
        let fits = |size: f64, limit: u32| 0.0 < size && size <= f64::from(limit);
        if fits(crop_width, width) && fits(crop_height, height) {
            let (crop_width, crop_height) = (crop_width as u32, crop_height as u32);
            let top = rng.random_range(0..=height - crop_height);
            let left = rng.random_range(0..=width - crop_width);
            return CropBox { left, top, width: crop_width, height: crop_height };
        }
    }
    central_crop(width, height, ratio)
}

fn central_crop(width: u32, height: u32, [narrowest, widest]: [f64; 2]) -> CropBox {
    let found = f64::from(width) / f64::from(height);
    // A box is never empty, even for very thin images; torchvision would pass Pillow an empty one.
    let rounded = |size: f64, limit: u32| (size.round_ties_even() as u32).clamp(1, limit);
    let (crop_width, crop_height) = if found < narrowest {
        (width, rounded(f64::from(width) / narrowest, height))
    } else if found > widest {
        (rounded(f64::from(height) * widest, width), height)
    } else {
        (width, height)
    };
    CropBox {
        left: (width - crop_width) / 2,
        top: (height - crop_height) / 2,
        width: crop_width,
        height: crop_height,
    }
}

fn uniform([low, high]: [f64; 2], rng: &mut impl Rng) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const RATIO: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];

    #[test]
    fn boxes_lie_inside_the_image_whatever_its_shape() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (width, height) in [(1, 1), (1, 5000), (5000, 1), (2, 3), (100, 75), (224, 224)] {
            for _ in 0..500 {
                let crop = sample_crop(width, height, [0.05, 1.0], RATIO, &mut rng);
                assert!(crop.width >= 1 && crop.height >= 1, "{crop:?}");
                assert!(crop.left + crop.width <= width && crop.top + crop.height <= height, "{crop:?}");
            }
        }
    }

    #[test]
    fn what_never_fits_is_cut_from_the_middle() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let crop = sample_crop(1000, 200, [0.9, 1.0], RATIO, &mut rng);
        assert_eq!(crop, CropBox { left: 366, top: 0, width: 267, height: 200 });
        let crop = sample_crop(90, 600, [0.9, 1.0], RATIO, &mut rng);
        assert_eq!(crop, CropBox { left: 0, top: 240, width: 90, height: 120 });
        assert_eq!(central_crop(20, 20, RATIO), CropBox { left: 0, top: 0, width: 20, height: 20 });
    }

    #[test]
    fn the_whole_image_is_a_fixed_box() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let crop = sample_crop(64, 64, [1.0, 1.0], [1.0, 1.0], &mut rng);
        assert_eq!(crop, CropBox { left: 0, top: 0, width: 64, height: 64 });
    }
}
