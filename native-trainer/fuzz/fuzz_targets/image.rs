//! A photo: decoded, turned upright, made `pixel_values`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{DecodedImage, Orientation, decode_within, preprocess_within};

/// So that no input needs much memory or time to be found harmless.
const MAX_MEGAPIXELS: u32 = 1;

/// S.
const IMAGE_SIZE: usize = 16;

fn decoded(photo: &[u8], orientation: Orientation) -> Option<DecodedImage> {
    let image = decode_within(photo, orientation, MAX_MEGAPIXELS).ok()?;
    let (width, height) = (u64::from(image.width()), u64::from(image.height()));
    assert!(width * height <= u64::from(MAX_MEGAPIXELS) * 1_000_000, "{image:?} is over the limit");
    Some(image)
}

fuzz_target!(|photo: &[u8]| {
    let config = PreprocessConfig::openai(IMAGE_SIZE);
    let Some(image) = decoded(photo, Orientation::AsStored) else { return };
    assert_eq!(image.to_rgb().as_bytes().len(), image.width() as usize * image.height() as usize * 3);
    let upright = decoded(photo, Orientation::FromExif).expect("the same file as before");
    assert_eq!(image.width() * image.height(), upright.width() * upright.height());
    let pixel_values = preprocess_within(photo, &config, Orientation::FromExif, MAX_MEGAPIXELS);
    let pixel_values = pixel_values.expect("a file that can be decoded can be prepared");
    assert_eq!(pixel_values.dims(), [3, IMAGE_SIZE, IMAGE_SIZE]);
    let values = pixel_values.flatten_all().and_then(|values| values.to_vec1::<f32>()).expect("f32, on the CPU");
    assert!(values.iter().all(|value| value.is_finite()));
});
