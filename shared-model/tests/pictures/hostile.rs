//! No bytes may panic or take memory that their pixels do not justify.

use crate::{allocations, files};
use image::ImageFormat;
use shared_model::Error;
use shared_model::preprocess::{MAX_EDGE, MAX_MEGAPIXELS, Reading, decode, decode_within};

fn error(file: &[u8]) -> Error {
    decode(file, Reading::Reference).expect_err("this should not be readable")
}

fn assert_too_large(what: &str, file: &[u8]) {
    let error = error(file);
    assert!(matches!(error, Error::ImageTooLarge { .. }), "{what}: {error}");
}

fn assert_damaged(what: &str, file: &[u8]) {
    let error = error(file);
    assert!(matches!(error, Error::ImageDecode { .. }), "{what}: {error}");
}

/// Returns the file with the bytes from `at` on replaced by `bytes`.
fn patched(mut file: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

fn position(file: &[u8], pattern: &[u8]) -> usize {
    file.windows(pattern.len()).position(|window| window == pattern).expect("the pattern is in the file")
}

/// Every format's header, claiming `side` x `side` pixels where there are few.
fn claiming(side: u16) -> Vec<(&'static str, Vec<u8>)> {
    let picture = files::picture(16, 16);
    let wide = u32::from(side);
    let jpeg = files::encode(&picture, ImageFormat::Jpeg);
    let jpeg_size_at = position(&jpeg, &[0xff, 0xc0]) + 5;
    let gif = files::encode(&picture, ImageFormat::Gif);
    let gif_frame_at = position(&gif, &[b',', 0, 0, 0, 0, 16, 0, 16, 0]) + 5;
    let tiff = files::encode(&picture, ImageFormat::Tiff);
    // An entry that holds one LONG: tag, type, count, value.
    let tiff_value_at = |tag: u16| position(&tiff, &[&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0]].concat()) + 8;
    let (tiff_width_at, tiff_height_at) = (tiff_value_at(256), tiff_value_at(257));
    let webp = files::webp_with_exif(&picture, &files::exif(1, false));
    let (little, big) = (side.to_le_bytes().repeat(2), side.to_be_bytes().repeat(2));
    vec![
        ("JPEG", patched(jpeg, jpeg_size_at, &big)),
        ("PNG", files::png_header(wide, wide)),
        ("GIF screen", patched(gif.clone(), 6, &little)),
        ("GIF frame", patched(gif, gif_frame_at, &little)),
        (
            "BMP",
            patched(
                files::encode(&picture, ImageFormat::Bmp),
                18,
                &[wide.to_le_bytes(), wide.to_le_bytes()].concat(),
            ),
        ),
        ("TIFF", patched(patched(tiff, tiff_width_at, &wide.to_le_bytes()), tiff_height_at, &wide.to_le_bytes())),
        ("WebP", patched(webp, 24, &[&(wide - 1).to_le_bytes()[..3], &(wide - 1).to_le_bytes()[..3]].concat())),
    ]
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn headers_beyond_the_limit_are_refused() {
    for (what, file) in claiming(60_000) {
        assert_too_large(what, &file);
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_lower_limit_is_kept() {
    for (what, file) in claiming(1_500) {
        let error = decode_within(&file, Reading::Reference, 2).expect_err("2.25 megapixels");
        assert!(matches!(error, Error::ImageTooLarge { limit_megapixels: 2, .. }), "{what}: {error}");
    }
    let picture = files::encode(&files::picture(16, 16), ImageFormat::Png);
    assert!(decode_within(&picture, Reading::Reference, 1).is_ok());
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn headers_within_the_limit_need_pixels_to_match() {
    for (what, file) in claiming(3_000) {
        // A GIF's frame may be smaller than its screen; that is no lie.
        if what != "GIF screen" {
            assert_damaged(what, &file);
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn the_limits_are_where_they_are_said_to_be() {
    let side = (u64::from(MAX_MEGAPIXELS) * 1_000_000).isqrt() as u32;
    for (width, height) in
        [(side + 1, side + 1), (MAX_EDGE + 1, 1), (1, MAX_EDGE + 1), (u32::MAX >> 1, u32::MAX >> 1)]
    {
        assert_too_large("PNG", &files::png_header(width, height));
    }
    for (width, height) in [(MAX_EDGE, 1), (1, MAX_EDGE)] {
        assert_damaged("PNG", &files::png_header(width, height));
    }
    assert_damaged("PNG", &files::png_header(0, 5));
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn what_is_no_image_is_said_to_be_none() {
    for file in [&b""[..], b"B", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", &[0; 1000]] {
        assert!(matches!(error(file), Error::ImageFormat(_)), "{file:?}");
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_file_cut_anywhere_is_an_error() {
    for format in files::FORMATS {
        let file = files::encode(&files::picture(24, 17), format);
        // What follows the last pixel may go: PNG's end chunk, GIF's trailer, padding.
        let tail_bytes = match format {
            ImageFormat::Png => 16,
            ImageFormat::Gif | ImageFormat::WebP => 4,
            // The end marker, and of the byte before it perhaps no more than padding.
            ImageFormat::Jpeg => 3,
            _ => 0,
        };
        for len in 0..file.len() - tail_bytes {
            let found = decode(&file[..len], Reading::Reference);
            let is_error = matches!(found, Err(Error::ImageFormat(_) | Error::ImageDecode { .. }));
            assert!(is_error, "{format:?} cut to {len} of {} bytes", file.len());
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn damage_of_any_kind_is_survived() {
    let mut state = 1u64;
    let mut random = |limit: usize| {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    };
    for format in files::FORMATS {
        let file = files::encode(&files::picture(24, 17), format);
        for _ in 0..2_000 {
            let mut damaged = file.clone();
            for _ in 0..=random(4) {
                let at = random(damaged.len());
                match random(3) {
                    0 => damaged[at] = random(256) as u8,
                    1 => damaged.truncate(at + 1),
                    _ => damaged.insert(at, random(256) as u8),
                }
            }
            // Readable or not: what counts is to come back.
            let _ = decode(&damaged, Reading::Photo);
        }
    }
}

/// Found by fuzzing: two hundred bytes had the decoder ask for gigabytes.
#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn metadata_takes_no_more_memory_than_the_file_has() {
    let good = files::webp_with_exif(&files::picture(16, 16), &files::exif(6, false));
    let length_at = position(&good, b"EXIF") + 4;
    let lying = patched(good, length_at, &u32::MAX.to_le_bytes());
    let largest = allocations::largest_of(|| {
        let image = decode(&lying, Reading::Photo).expect("only its metadata is damaged");
        assert_eq!((image.width(), image.height()), (16, 16));
    });
    assert!(largest < 1 << 20, "{largest} bytes at once");
}
