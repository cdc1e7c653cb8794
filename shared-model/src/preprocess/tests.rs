//! The whole of preprocessing on sizes that no fixture has.

use super::pixels::Samples;
use super::*;
use crate::Error;
use crate::config::{CropRounding, Interpolation, ResizeMode, RgbConversion};
use proptest::prelude::*;

const MODES: [PixelMode; 8] = [
    PixelMode::OneBit,
    PixelMode::Gray,
    PixelMode::GrayAlpha,
    PixelMode::Gray16,
    PixelMode::Palette,
    PixelMode::Rgb,
    PixelMode::Rgba,
    PixelMode::Cmyk,
];

/// An image of arbitrary but always the same pixels.
fn image(width: u32, height: u32, mode: PixelMode) -> DecodedImage {
    let count = width * height * mode.channels() as u32;
    let noise = (0..count).map(|i| i.wrapping_mul(0x9e37_79b9) >> 15);
    let samples = match mode {
        PixelMode::Gray16 => Samples::U16(noise.map(|v| v as u16).collect()),
        _ => Samples::U8(noise.map(|v| v as u8).collect()),
    };
    DecodedImage::new(width, height, mode, samples).unwrap()
}

/// What [`resize_and_crop`] promises, computed the long way: the whole image is scaled, then cropped.
fn cropped_from_the_whole(image: &DecodedImage, config: &PreprocessConfig) -> RgbImage8 {
    let image = match config.rgb_conversion {
        RgbConversion::AfterResize => image.clone(),
        RgbConversion::OverWhite => image.rgb_over_white().unwrap().into_owned(),
        RgbConversion::DropAlpha => image.to_rgb().into(),
    };
    let plan = ResizePlan::new(image.width(), image.height(), config).unwrap();
    let all = CropBox { left: 0, top: 0, width: image.width(), height: image.height() };
    let (width, height) = (plan.scaled_width as u32, plan.scaled_height as u32);
    let scaled = resample(&image, all, width, height, config.interpolation).unwrap();
    let side = config.image_size as u32;
    let center = CropBox { left: plan.crop_left as u32, top: plan.crop_top as u32, width: side, height: side };
    resample(&scaled, center, side, side, config.interpolation).unwrap().to_rgb()
}

fn sizes() -> impl Strategy<Value = (u32, u32)> {
    prop_oneof![(1..80u32, 1..80u32), (1..4u32, 1..20_000u32), (1..20_000u32, 1..4u32), Just((1, 1))]
}

fn configs() -> impl Strategy<Value = PreprocessConfig> {
    let interpolation = prop_oneof![Just(Interpolation::Bicubic), Just(Interpolation::Bilinear)];
    let resize_mode = prop::sample::select(&[ResizeMode::Shortest, ResizeMode::Longest, ResizeMode::Squash][..]);
    let order = prop_oneof![
        Just((RgbConversion::AfterResize, CropRounding::HalfToEven)),
        Just((RgbConversion::OverWhite, CropRounding::Down)),
        Just((RgbConversion::DropAlpha, CropRounding::Down)),
    ];
    (1..40usize, interpolation, resize_mode, order).prop_map(
        |(image_size, interpolation, resize_mode, (rgb_conversion, crop_rounding))| PreprocessConfig {
            interpolation,
            resize_mode,
            rgb_conversion,
            crop_rounding,
            ..PreprocessConfig::openai(image_size)
        },
    )
}

proptest! {
    #[test]
    fn every_size_and_mode_becomes_a_square(
        (width, height) in sizes(),
        mode in prop::sample::select(&MODES[..]),
        config in configs(),
    ) {
        let image = image(width, height, mode);
        let ours = resize_and_crop(&image, &config).unwrap();
        prop_assert_eq!((ours.width() as usize, ours.height() as usize), (config.image_size, config.image_size));
        prop_assert_eq!(pixel_values(&ours, &config).len(), 3 * config.image_size * config.image_size);
        let plan = ResizePlan::new(width, height, &config).unwrap();
        if config.resize_mode != ResizeMode::Longest && plan.scaled_width * plan.scaled_height < 1_000_000 {
            prop_assert_eq!(ours, cropped_from_the_whole(&image, &config));
        }
    }

    #[test]
    fn bytes_of_any_kind_are_no_more_than_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes, Reading::Photo).is_err());
    }
}

#[test]
fn the_longest_images_cost_no_more_than_their_window() {
    for mode in MODES {
        for (width, height) in [(1, MAX_EDGE), (MAX_EDGE, 1)] {
            let image = image(width, height, mode);
            for resize_mode in [ResizeMode::Shortest, ResizeMode::Longest, ResizeMode::Squash] {
                let config = PreprocessConfig { resize_mode, ..PreprocessConfig::openai(224) };
                assert_eq!(resize_and_crop(&image, &config).unwrap().as_bytes().len(), 3 * 224 * 224);
            }
        }
    }
}

proptest! {
    /// A page may so send a server what the model sees, instead of the photo.
    #[test]
    fn a_crop_sent_as_png_is_preprocessed_to_itself(
        config in configs(), width in 1..90u32, height in 1..90u32, mode in prop::sample::select(&MODES[..])
    ) {
        let crop = resize_and_crop(&image(width, height, mode), &config).unwrap();
        let received = decode(&encode_png(&crop), Reading::Photo).unwrap();
        prop_assert_eq!(resize_and_crop(&received, &config).unwrap(), crop);
    }
}

proptest! {
    #[test]
    fn a_preview_keeps_the_proportions_and_never_enlarges(
        (width, height) in sizes(), mode in prop::sample::select(&MODES[..]), max_edge in 1..64u32
    ) {
        let image = image(width, height, mode);
        let small = preview(&image, max_edge).unwrap();
        let (long, short) = (width.max(height), width.min(height));
        if long <= max_edge {
            prop_assert_eq!(small, image.to_rgb());
        } else {
            prop_assert_eq!(small.width().max(small.height()), max_edge);
            let expected = f64::from(short) * f64::from(max_edge) / f64::from(long);
            let found = f64::from(small.width().min(small.height()));
            prop_assert!((found - expected.max(1.0)).abs() <= 0.5, "{found} for {expected}");
            prop_assert_eq!(small.width() < small.height(), small.width() != small.height() && width < height);
        }
    }
}

#[test]
fn image_sizes_out_of_range_are_errors() {
    let pixel = image(1, 1, PixelMode::Rgb);
    for image_size in [0, 10_001, usize::MAX] {
        let found = resize_and_crop(&pixel, &PreprocessConfig::openai(image_size));
        assert!(matches!(found, Err(Error::Config { .. })), "{image_size}: {found:?}");
    }
}

#[test]
fn values_are_normalized_plane_by_plane() {
    let config = PreprocessConfig { mean: [0.5, 0.25, 0.0], std: [0.5, 0.25, 1.0], ..PreprocessConfig::openai(2) };
    let pixels = RgbImage8::new(2, 1, vec![0, 0, 0, 255, 255, 255]).unwrap();
    assert_eq!(pixel_values(&pixels, &config), [-1.0, 1.0, -1.0, 3.0, 0.0, 1.0]);
}

#[test]
fn a_batch_of_bytes_is_normalized_as_each_of_its_images() {
    let config = PreprocessConfig::openai(2);
    let images = [[7u8, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18], [0, 255, 3, 99, 5, 6, 200, 1, 2, 128, 64, 32]]
        .map(|bytes| RgbImage8::new(2, 2, bytes.to_vec()).unwrap());
    let planes: Vec<u8> = images.iter().flat_map(RgbImage8::to_planes).collect();
    let batch = Tensor::from_vec(planes, (2, 3, 2, 2), &Device::Cpu).unwrap();
    let values: Vec<f32> = normalized(&batch, &config).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let expected: Vec<f32> = images.iter().flat_map(|image| pixel_values(image, &config)).collect();
    assert_eq!(values, expected);
}
