//! A photo: decoded, turned upright, converted to sRGB, made `pixel_values` and a preview.

use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{DecodedImage, Reading, check_size, decode_within, preprocess_within, preview};

/// So that no input needs much memory or time to be found harmless.
const MAX_MEGAPIXELS: u32 = 1;

/// S.
const IMAGE_SIZE: usize = 16;

/// The most pixels of a preview's edge.
const PREVIEW_EDGE: u32 = 7;

fn decoded(photo: &[u8], reading: Reading) -> Option<DecodedImage> {
    let image = decode_within(photo, reading, MAX_MEGAPIXELS).ok()?;
    let (width, height) = (u64::from(image.width()), u64::from(image.height()));
    assert!(width * height <= u64::from(MAX_MEGAPIXELS) * 1_000_000, "{image:?} is over the limit");
    assert_eq!(image.to_rgb().as_bytes().len() as u64, width * height * 3);
    Some(image)
}

/// Decodes the input as a photo, prepares it for the model and makes a preview.
pub(super) fn run(photo: &[u8]) {
    let config = PreprocessConfig::openai(IMAGE_SIZE);
    let size = check_size(photo, MAX_MEGAPIXELS);
    let reference = decoded(photo, Reading::Reference);
    let Some(image) = decoded(photo, Reading::Photo) else {
        assert!(reference.is_none(), "what the reference reads is a photo, too");
        return;
    };
    size.expect("a file that can be decoded has a header that says so");
    if let Some(reference) = reference {
        assert_eq!(image.width() * image.height(), reference.width() * reference.height());
    }
    let pixel_values = preprocess_within(photo, &config, Reading::Photo, MAX_MEGAPIXELS);
    let pixel_values = pixel_values.expect("a file that can be decoded can be prepared");
    assert_eq!(pixel_values.dims(), [3, IMAGE_SIZE, IMAGE_SIZE]);
    let values = pixel_values.flatten_all().and_then(|values| values.to_vec1::<f32>()).expect("f32, on the CPU");
    assert!(values.iter().all(|value| value.is_finite()));
    let small = preview(&image, PREVIEW_EDGE).expect("a preview of a pixel or more");
    assert!((1..=PREVIEW_EDGE).contains(&small.width()) && (1..=PREVIEW_EDGE).contains(&small.height()));
}
