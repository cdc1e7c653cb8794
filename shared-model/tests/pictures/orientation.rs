//! The EXIF orientation in every format that has one.

use crate::files;
use image::metadata::Orientation as Transform;
use image::{DynamicImage, ImageFormat, RgbImage};
use shared_model::preprocess::{Reading, RgbImage8, decode};

const ALL_ORIENTATIONS: std::ops::RangeInclusive<u8> = 1..=8;

fn turned(picture: &RgbImage8, exif_orientation: u8) -> RgbImage {
    let stored = RgbImage::from_raw(picture.width(), picture.height(), picture.as_bytes().to_vec()).unwrap();
    let mut image = DynamicImage::ImageRgb8(stored);
    image.apply_orientation(Transform::from_exif(exif_orientation).unwrap());
    image.into_rgb8()
}

fn assert_same(what: &str, ours: &RgbImage8, expected: &RgbImage) {
    assert_eq!((ours.width(), ours.height()), expected.dimensions(), "{what}");
    assert!(ours.as_bytes() == expected.as_raw(), "{what}: pixels differ");
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn all_eight_values_in_every_format_with_exif() {
    let picture = files::picture(20, 13);
    for orientation in ALL_ORIENTATIONS {
        let (little, big) = (files::exif(orientation, false), files::exif(orientation, true));
        for (what, file) in [
            ("JPEG", files::jpeg_with_exif(&picture, &little)),
            ("JPEG, big endian", files::jpeg_with_exif(&picture, &big)),
            ("PNG", files::png_with_exif(&picture, &little, true)),
            ("PNG, EXIF behind the pixels", files::png_with_exif(&picture, &big, false)),
            ("WebP", files::webp_with_exif(&picture, &little)),
            ("WebP, with JPEG's prefix", files::webp_with_exif(&picture, &[&b"Exif\0\0"[..], &big].concat())),
        ] {
            let what = format!("{what}, orientation {orientation}");
            let stored = decode(&file, Reading::Reference).unwrap().to_rgb();
            assert_eq!((stored.width(), stored.height()), picture.dimensions(), "{what}");
            let upright = decode(&file, Reading::Photo).unwrap().to_rgb();
            assert_same(&what, &upright, &turned(&stored, orientation));
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_tiff_is_turned_by_its_own_tag_whatever_is_asked() {
    let picture = files::picture(20, 13);
    let stored = RgbImage8::new(20, 13, picture.as_raw().clone()).unwrap();
    for orientation in ALL_ORIENTATIONS {
        let file = files::tiff_with_orientation(&picture, orientation);
        for asked in [Reading::Reference, Reading::Photo] {
            let ours = decode(&file, asked).unwrap().to_rgb();
            assert_same(&format!("orientation {orientation}"), &ours, &turned(&stored, orientation));
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn files_without_exif_are_upright() {
    let picture = files::picture(20, 13);
    for format in files::FORMATS {
        let file = files::encode(&picture, format);
        let stored = decode(&file, Reading::Reference).unwrap();
        assert_eq!(decode(&file, Reading::Photo).unwrap(), stored, "{format:?}");
        if !matches!(format, ImageFormat::Jpeg | ImageFormat::Gif) {
            assert_same(&format!("{format:?}"), &stored.to_rgb(), &picture);
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn orientations_that_do_not_exist_turn_nothing() {
    let picture = files::picture(20, 13);
    for orientation in [0, 9, 255] {
        let file = files::png_with_exif(&picture, &files::exif(orientation, false), true);
        assert_same("PNG", &decode(&file, Reading::Photo).unwrap().to_rgb(), &picture);
    }
}
