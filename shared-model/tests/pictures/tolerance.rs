//! What cameras, uploads and phones leave behind, before or out of a picture's file.

use crate::files;
use image::ImageFormat;
use shared_model::Error;
use shared_model::preprocess::{DecodedImage, Reading, decode, size};

const PROGRESSIVE: &[u8] = include_bytes!("progressive.jpg");

fn baseline() -> Vec<u8> {
    files::encode(&files::picture(120, 80), ImageFormat::Jpeg)
}

fn without_end_marker(jpeg: &[u8]) -> &[u8] {
    jpeg.strip_suffix(&[0xff, 0xd9]).expect("a JPEG ends with its marker")
}

fn read(file: &[u8]) -> DecodedImage {
    decode(file, Reading::Photo).unwrap()
}

/// Returns bytes that files have after their picture: motion photos, other pictures, sectors of zeros, a note.
fn trailers() -> Vec<Vec<u8>> {
    let noise = (0..50_000u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 13) as u8).collect::<Vec<_>>();
    let video = [&b"\0\0\0\x18ftypmp42\0\0\0\0isommp42\0\0\x10\0mdat"[..], &noise].concat();
    vec![
        baseline(),
        Vec::new(),
        b"\n".to_vec(),
        b"\r\n-- sent from a phone --\r\n".to_vec(),
        vec![0; 3],
        vec![0; 4096],
        vec![0xff; 512],
        b"SEFH\x67\0\0\0".repeat(10),
        video,
    ]
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn what_follows_a_picture_does_not_matter() {
    for format in files::FORMATS {
        let file = files::encode(&files::picture(120, 80), format);
        let whole = read(&file);
        for trailer in trailers() {
            assert!(read(&[&file[..], &trailer].concat()) == whole, "{format:?}, {} bytes", trailer.len());
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_whole_jpeg_needs_no_end_marker() {
    for (what, jpeg) in [("baseline", &baseline()[..]), ("progressive", PROGRESSIVE)] {
        let whole = read(jpeg);
        for trailer in trailers() {
            let found = decode(&[without_end_marker(jpeg), &trailer].concat(), Reading::Photo);
            let found = found.unwrap_or_else(|err| panic!("{what}, {} bytes: {err}", trailer.len()));
            assert!(found == whole, "{what}, {} bytes", trailer.len());
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_jpeg_that_was_cut_is_incomplete_whatever_fills_it_up() {
    for (what, jpeg) in [("baseline", &baseline()[..]), ("progressive", PROGRESSIVE)] {
        let pixels = without_end_marker(jpeg);
        // The last byte may hold no more than the padding of ones.
        for n_cut in (2..60).chain((60..pixels.len()).step_by(17)) {
            let cut = &pixels[..pixels.len() - n_cut];
            for fill in [&[][..], &[0; 64], &[0xff; 64]] {
                let found = decode(&[cut, fill].concat(), Reading::Photo);
                assert!(
                    matches!(found, Err(Error::ImageDecode { .. } | Error::ImageFormat(_))),
                    "{what} without its last {n_cut} bytes, {} of fill",
                    fill.len()
                );
            }
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_kind_that_is_not_read_is_not_called_damaged() {
    let tiff = files::encode(&files::picture(24, 17), ImageFormat::Tiff);
    for (tag, value, expected) in [
        (259u16, 50_000u16, "a TIFF compressed with Zstandard is not read; convert the picture to JPEG or PNG"),
        (259, 34_925, "a TIFF of this compression is not read; convert the picture to JPEG or PNG"),
        (262, 8, "a TIFF with CIE Lab colors is not read; convert the picture to JPEG or PNG"),
    ] {
        // An entry that holds one SHORT: tag, type, count, value.
        let entry = [&tag.to_le_bytes()[..], &[3, 0, 1, 0, 0, 0]].concat();
        let at = tiff.windows(entry.len()).position(|bytes| bytes == entry).expect("the entry is in the file");
        let mut changed = tiff.clone();
        changed[at + 8..at + 10].copy_from_slice(&value.to_le_bytes());
        assert_eq!(decode(&changed, Reading::Photo).unwrap_err().to_string(), expected);
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn what_is_said_of_a_cut_file_is_one_line() {
    for format in files::FORMATS {
        let file = files::encode(&files::picture(24, 17), format);
        for len in 0..file.len() {
            let Err(err) = decode(&file[..len], Reading::Photo) else { continue };
            assert!(!err.to_string().contains('\n'), "{format:?} cut to {len} bytes: {err}");
        }
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_png_needs_no_end_chunk() {
    let png = files::encode(&files::picture(24, 17), ImageFormat::Png);
    let whole = read(&png);
    // The end chunk is 12 bytes: length, name, checksum.
    for n_cut in 1..=12 {
        let found = decode(&png[..png.len() - n_cut], Reading::Photo);
        assert!(found.unwrap_or_else(|err| panic!("without its last {n_cut} bytes: {err}")) == whole);
    }
    let before_pixels = png.windows(4).position(|name| name == b"IDAT").unwrap() - 4;
    assert!(decode(&png[..before_pixels], Reading::Photo).is_err(), "no pixels");
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_size_is_told_from_the_header_alone() {
    for format in files::FORMATS {
        let file = files::encode(&files::picture(120, 80), format);
        assert_eq!(size(&file).unwrap(), (120, 80), "{format:?}");
        // A directory of TIFF comes after its pixels.
        if format != ImageFormat::Tiff {
            assert_eq!(size(&file[..file.len() - file.len() / 8]).unwrap(), (120, 80), "{format:?}");
        }
        assert!(size(&file[..10]).is_err(), "{format:?}");
    }
    assert!(matches!(size(b""), Err(Error::ImageFormat(_))));
}
