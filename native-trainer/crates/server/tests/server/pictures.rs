//! Pictures as phones and microscopes send them, and what is none.

use super::demo::photo;
use super::running::{Reply, Running};

const DISPLAY_P3: &[u8] = include_bytes!("../../../../../shared-model/tests/pictures/profiles/display_p3.png");
const IN_SRGB: &[u8] =
    include_bytes!("../../../../../shared-model/tests/pictures/profiles/display_p3.png.expected.png");

const PATH: &str = "/v1/classify?labels=pad&top_k=6";

fn probabilities(reply: &Reply) -> Vec<f64> {
    reply.predictions().into_iter().map(|(_, probability)| probability).collect()
}

#[test]
fn a_photo_in_another_color_space_is_answered_as_the_same_in_srgb() {
    let server = Running::with(|_| {});
    let found = probabilities(&server.post(PATH, "image/png", DISPLAY_P3));
    let expected = probabilities(&server.post(PATH, "image/png", IN_SRGB));
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 0.02), "{found:?} and {expected:?}");
}

#[test]
fn a_photo_is_whole_without_its_end_marker() {
    let server = Running::with(|_| {});
    let jpeg = photo(0);
    let pixels = jpeg.strip_suffix(&[0xff, 0xd9]).unwrap();
    let expected = server.post(PATH, "image/jpeg", &jpeg).predictions();
    assert_eq!(server.post(PATH, "image/jpeg", pixels).predictions(), expected);
    let cut = server.post(PATH, "image/jpeg", &pixels[..pixels.len() / 2]);
    assert_eq!((cut.status, cut.code()), (422, "invalid"));
}

#[test]
fn a_refusal_names_the_kind_of_file_and_the_way_on() {
    let server = Running::with(|config| config.limits.max_megapixels = 1);
    let message = |reply: &Reply| reply.body["message"].as_str().unwrap().to_owned();
    let heic = server.post(PATH, "image/heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    assert_eq!(heic.status, 415);
    assert!(message(&heic).contains("Most Compatible"), "{heic:?}");
    let page = server.post(PATH, "image/jpeg", b"<!DOCTYPE html><title>Sign in</title>");
    assert!(page.status == 415 && message(&page).contains("web page"), "{page:?}");
    let mut large = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut large);
    let pixels = vec![140; 1100 * 1000];
    image::ImageEncoder::write_image(encoder, &pixels, 1100, 1000, image::ExtendedColorType::L8).unwrap();
    let large = server.post(PATH, "image/png", &large);
    assert_eq!((large.status, large.code()), (413, "image_too_large"));
    assert!(message(&large).contains("1100x1000") && message(&large).contains("--max-megapixels"), "{large:?}");
}
