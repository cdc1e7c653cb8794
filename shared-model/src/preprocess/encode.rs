//! Encodes pixels as a file, for a model that runs elsewhere.

use super::RgbImage8;
use png::{BitDepth, ColorType, Compression, Encoder};

/// Returns a PNG of the image. It decodes to the same pixels and contains nothing else.
pub fn encode_png(image: &RgbImage8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, image.width(), image.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(image.as_bytes()));
    written.expect("an image has pixels, three bytes each, and memory takes whatever is written");
    file
}
