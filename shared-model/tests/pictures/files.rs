//! Small picture files of every format, built here.

use image::{DynamicImage, ImageFormat, RgbImage};
use std::io::Cursor;

pub const FORMATS: [ImageFormat; 6] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff];

/// A picture without any symmetry.
pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 200 / width) as u8, (y * 200 / height) as u8, (50 + (x + y) % 7 * 20) as u8])
    })
}

pub fn encode(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture.clone()).write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// An EXIF block, as TIFF structure, whose one entry is the orientation.
pub fn exif(orientation: u8, is_big_endian: bool) -> Vec<u8> {
    let u16 = |v: u16| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
    let u32 = |v: u32| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
    let magic: &[u8] = if is_big_endian { b"MM" } else { b"II" };
    // Magic, offset of the directory; one entry: tag, type SHORT, count, value; no further directory.
    [magic, &u16(42), &u32(8), &u16(1), &u16(0x0112), &u16(3), &u32(1), &u16(orientation.into()), &u16(0), &u32(0)]
        .concat()
}

/// A JPEG with an APP1 segment right behind its start.
pub fn jpeg_with_exif(picture: &RgbImage, exif: &[u8]) -> Vec<u8> {
    let file = encode(picture, ImageFormat::Jpeg);
    let len = (2 + 6 + exif.len() as u16).to_be_bytes();
    [&file[..2], &[0xff, 0xe1], &len, b"Exif\0\0", exif, &file[2..]].concat()
}

/// A PNG with an `eXIf` chunk, before its pixels or behind them.
pub fn png_with_exif(picture: &RgbImage, exif: &[u8], is_before_pixels: bool) -> Vec<u8> {
    let file = encode(picture, ImageFormat::Png);
    let next: &[u8] = if is_before_pixels { b"IDAT" } else { b"IEND" };
    let at = file.windows(4).position(|name| name == next).unwrap() - 4;
    [&file[..at], &png_chunk(b"eXIf", exif), &file[at..]].concat()
}

pub fn png_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(name);
    crc.update(data);
    [&(data.len() as u32).to_be_bytes(), &name[..], data, &crc.sum().to_be_bytes()].concat()
}

/// A PNG that has only its header.
pub fn png_header(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = png_chunk(b"IHDR", &[&size[..], &[8, 2, 0, 0, 0]].concat());
    [b"\x89PNG\r\n\x1a\n", &header[..], &png_chunk(b"IDAT", &[0x78, 0x9c])].concat()
}

/// An extended WebP: canvas size, pixels, EXIF data.
pub fn webp_with_exif(picture: &RgbImage, exif: &[u8]) -> Vec<u8> {
    let file = encode(picture, ImageFormat::WebP);
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let padding = vec![0; data.len() % 2];
        [&name[..], &(data.len() as u32).to_le_bytes(), data, &padding].concat()
    };
    let has_exif = 0x08;
    let (width, height) = ((picture.width() - 1).to_le_bytes(), (picture.height() - 1).to_le_bytes());
    let canvas = [&[has_exif, 0, 0, 0], &width[..3], &height[..3]].concat();
    let chunks = [b"WEBP".to_vec(), chunk(b"VP8X", &canvas), file[12..].to_vec(), chunk(b"EXIF", exif)].concat();
    chunk(b"RIFF", &chunks)
}

/// A TIFF with an orientation tag.
pub fn tiff_with_orientation(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).unwrap();
    let mut page = encoder.new_image::<tiff::encoder::colortype::RGB8>(picture.width(), picture.height()).unwrap();
    page.encoder().write_tag(tiff::tags::Tag::Orientation, u16::from(orientation)).unwrap();
    page.write_data(picture.as_raw()).unwrap();
    file.into_inner()
}
