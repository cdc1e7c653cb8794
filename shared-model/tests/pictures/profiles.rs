//! Color profiles: photos are converted to sRGB by what their file says, and the reference's pixels stay.

use crate::files;
use shared_model::preprocess::{Reading, RgbImage8, decode};

/// A file of `profiles/`, made by `make.py`.
struct Case {
    name: &'static str,
    file: &'static [u8],
    /// What Little CMS makes of it, as PNG.
    in_srgb: &'static [u8],
    /// The largest difference from that, in levels.
    tolerance: u8,
}

macro_rules! case {
    ($name:literal, $tolerance:literal) => {
        Case {
            name: $name,
            file: include_bytes!(concat!("profiles/", $name)),
            in_srgb: include_bytes!(concat!("profiles/", $name, ".expected.png")),
            tolerance: $tolerance,
        }
    };
}

const CONVERTED: [Case; 15] = [
    case!("display_p3.png", 1),
    case!("display_p3.webp", 1),
    case!("display_p3.tif", 1),
    case!("adobe_rgb.png", 1),
    case!("prophoto.png", 2),
    case!("linear.png", 2),
    case!("palette_p3.png", 1),
    case!("gray_gamma_1_8.png", 1),
    case!("adobe_chunks.png", 1),
    case!("linear_chunk.png", 2),
    case!("p3_code_points.png", 1),
    // Grids are interpolated in other ways.
    case!("cmyk.tif", 8),
    // The decoders of JPEG round differently, too.
    case!("display_p3.jpg", 6),
    case!("adobe_rgb.jpg", 6),
    case!("cmyk.jpg", 10),
];

const ALREADY_SRGB: [(&str, &[u8]); 5] = [
    ("srgb_table.png", include_bytes!("profiles/srgb_table.png")),
    ("srgb_lcms.png", include_bytes!("profiles/srgb_lcms.png")),
    ("srgb_lcms.jpg", include_bytes!("profiles/srgb_lcms.jpg")),
    ("srgb_gray.png", include_bytes!("profiles/srgb_gray.png")),
    ("srgb_chunks.png", include_bytes!("profiles/srgb_chunks.png")),
];

fn rgb(file: &[u8], reading: Reading) -> RgbImage8 {
    decode(file, reading).unwrap().to_rgb()
}

fn largest_difference(ours: &RgbImage8, expected: &RgbImage8) -> u8 {
    assert_eq!((ours.width(), ours.height()), (expected.width(), expected.height()));
    ours.as_bytes().iter().zip(expected.as_bytes()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn photos_are_converted_to_srgb_as_little_cms_does() {
    for Case { name, file, in_srgb, tolerance } in CONVERTED {
        let expected = rgb(in_srgb, Reading::Reference);
        let found = largest_difference(&rgb(file, Reading::Photo), &expected);
        println!("{name}: {found}");
        assert!(found <= tolerance, "{name}: differs by {found} levels");
        let unconverted = largest_difference(&rgb(file, Reading::Reference), &expected);
        assert!(unconverted > 10, "{name}: the reference must not convert, it differs by {unconverted} levels");
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn pixels_that_are_srgb_already_stay() {
    for (name, file) in ALREADY_SRGB {
        let (photo, reference) = (decode(file, Reading::Photo).unwrap(), decode(file, Reading::Reference).unwrap());
        assert!(photo == reference, "{name}");
    }
}

fn png_with(chunks: &[u8]) -> Vec<u8> {
    let file = files::encode(&files::picture(20, 13), image::ImageFormat::Png);
    let at = file.windows(4).position(|name| name == b"IDAT").unwrap() - 4;
    [&file[..at], chunks, &file[at..]].concat()
}

fn iccp(profile: &[u8]) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(b"p\0\0".to_vec(), flate2::Compression::fast());
    std::io::Write::write_all(&mut zlib, profile).unwrap();
    files::png_chunk(b"iCCP", &zlib.finish().unwrap())
}

fn icc_of(file: &[u8]) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.read_header_info().unwrap();
    decoder.read_info().unwrap().info().icc_profile.clone().unwrap().into_owned()
}

/// A profile's XYZ or curve tag, with what it holds replaced.
fn with_tag(mut profile: Vec<u8>, name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let entry = profile.windows(4).position(|bytes| bytes == name).unwrap();
    let at = u32::from_be_bytes(*profile[entry + 4..].first_chunk().unwrap()) as usize + 8;
    profile[at..at + content.len()].copy_from_slice(content);
    profile
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn profiles_that_are_of_no_use_count_as_absent() {
    let good = icc_of(include_bytes!("profiles/display_p3.png"));
    let gray = icc_of(include_bytes!("profiles/gray_gamma_1_8.png"));
    let black_white = with_tag(good.clone(), b"gXYZ", &[0; 12]);
    let nobody = with_tag(good.clone(), b"rXYZ", &[0xff; 12]);
    let flat = with_tag(good.clone(), b"rTRC", &[0; 24]);
    let plain = rgb(&png_with(&[]), Reading::Photo);
    let same = |what: &str, chunks: &[u8]| {
        assert_eq!(largest_difference(&rgb(&png_with(chunks), Reading::Photo), &plain), 0, "{what}");
    };
    same("an empty profile", &iccp(&[]));
    same("a text", &iccp(b"this is no profile, though it is longer than the header of one".repeat(4).as_slice()));
    same("a profile cut short", &iccp(&good[..200]));
    same("another number of channels", &iccp(&gray));
    same("white that is violet", &iccp(&black_white));
    same("primaries out of range", &iccp(&nobody));
    same("a curve of nothing but black", &iccp(&flat));
    same("not compressed", &files::png_chunk(b"iCCP", b"p\0\0nothing that inflates"));
    same("a chunk of nothing", &files::png_chunk(b"iCCP", b""));
    same("gamma 0", &files::png_chunk(b"gAMA", &[0; 4]));
    same("gamma beyond all", &files::png_chunk(b"gAMA", &[0x7f, 0xff, 0xff, 0xff]));
    same("no primaries", &files::png_chunk(b"cHRM", &[0; 32]));
    same("code points of HDR", &files::png_chunk(b"cICP", &[9, 16, 0, 1]));
    same("code points that do not exist", &files::png_chunk(b"cICP", &[200, 201, 0, 1]));
    // And one that is of use, so that the others were tried at all.
    assert!(largest_difference(&rgb(&png_with(&iccp(&good)), Reading::Photo), &plain) > 10);
    // The decoder itself refuses two.
    assert!(decode(&png_with(&[iccp(&good), iccp(&good)].concat()), Reading::Photo).is_ok());
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn damage_to_a_profile_never_costs_the_picture() {
    let mut state = 7u64;
    let mut random = |limit: usize| {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    };
    for Case { file, .. } in CONVERTED.iter().filter(|case| case.name.ends_with(".webp") || case.name == "cmyk.tif")
    {
        let profile_at = file.windows(4).position(|bytes| bytes == b"acsp").unwrap() - 36;
        let profile_bytes = u32::from_be_bytes(*file[profile_at..].first_chunk().unwrap()) as usize;
        for _ in 0..300 {
            let mut damaged = file.to_vec();
            for _ in 0..=random(6) {
                damaged[profile_at + random(profile_bytes)] = random(256) as u8;
            }
            assert!(decode(&damaged, Reading::Photo).is_ok());
        }
    }
}
