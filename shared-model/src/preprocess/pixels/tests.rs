//! Pixels of every mode to RGB, as Pillow converts them.

use super::*;

fn rgb(mode: PixelMode, samples: Samples) -> Vec<u8> {
    DecodedImage::new(1, 1, mode, samples).unwrap().to_rgb().into_bytes()
}

// Image.new(mode, (1, 1), color).convert("RGB").getpixel((0, 0))
#[test]
fn conversion_to_rgb_follows_pillow() {
    assert_eq!(rgb(PixelMode::OneBit, vec![255].into()), [255; 3]);
    assert_eq!(rgb(PixelMode::GrayAlpha, vec![7, 0].into()), [7; 3]);
    assert_eq!(rgb(PixelMode::Rgba, vec![7, 8, 9, 0].into()), [7, 8, 9]);
    assert_eq!(rgb(PixelMode::Cmyk, vec![10, 100, 200, 50].into()), [197, 125, 44]);
    assert_eq!(rgb(PixelMode::Gray16, Samples::U16(vec![255])), [255; 3]);
    assert_eq!(rgb(PixelMode::Gray16, Samples::U16(vec![254])), [254; 3]);
    assert_eq!(rgb(PixelMode::Gray16, Samples::U16(vec![256])), [255; 3]);
}

#[test]
fn wrong_numbers_of_samples_are_errors() {
    assert!(matches!(RgbImage8::new(2, 2, vec![0; 11]), Err(Error::ImageDecode { .. })));
    assert!(matches!(RgbImage8::new(0, 0, Vec::new()), Err(Error::ImageDecode { .. })));
}
