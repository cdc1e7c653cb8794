//! More than 8 bits per sample: photos are scaled, whatever the file holds them in.

use crate::files;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb};
use shared_model::preprocess::{PixelMode, Reading, RgbImage8, decode};
use std::io::Cursor;
use tiff::encoder::{TiffEncoder, colortype};

const WIDTH: u32 = 40;
const HEIGHT: u32 = 30;

fn levels() -> Vec<u8> {
    (0..WIDTH * HEIGHT).map(|i| (i * 7 % 256) as u8).collect()
}

fn expected() -> RgbImage8 {
    RgbImage8::new(WIDTH, HEIGHT, levels().into_iter().flat_map(|level| [level; 3]).collect()).unwrap()
}

fn wide(level: u8) -> u16 {
    u16::from(level) << 8 | u16::from(level)
}

fn encoded(image: DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn gray16(format: ImageFormat, scale: impl Fn(u8) -> u16) -> Vec<u8> {
    let samples = levels().into_iter().map(scale).collect();
    encoded(
        DynamicImage::ImageLuma16(ImageBuffer::<Luma<u16>, _>::from_raw(WIDTH, HEIGHT, samples).unwrap()),
        format,
    )
}

fn tiff<C: colortype::ColorType>(samples: &[C::Inner]) -> Vec<u8>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    TiffEncoder::new(&mut file).unwrap().write_image::<C>(WIDTH, HEIGHT, samples).unwrap();
    file.into_inner()
}

fn from_levels<T>(scale: impl Fn(u8) -> T) -> Vec<T> {
    levels().into_iter().map(scale).collect()
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn a_deep_gray_photo_is_the_same_picture_as_in_8_bits() {
    for (what, file) in [
        ("PNG of 16 bits", gray16(ImageFormat::Png, wide)),
        ("PNG, shifted", gray16(ImageFormat::Png, |level| u16::from(level) << 8)),
        ("PNG of 12 bits", gray16(ImageFormat::Png, |level| wide(level) >> 4)),
        ("PNG of 8 bits in 16", gray16(ImageFormat::Png, u16::from)),
        ("TIFF of 16 bits", gray16(ImageFormat::Tiff, wide)),
        ("TIFF of 12 bits", gray16(ImageFormat::Tiff, |level| wide(level) >> 4)),
        ("TIFF of 32 bits", tiff::<colortype::Gray32>(&from_levels(|level| u32::from(wide(level)) << 16))),
        ("TIFF of 16 bits in 32", tiff::<colortype::Gray32>(&from_levels(|level| wide(level).into()))),
        ("TIFF of signed 32 bits", tiff::<colortype::GrayI32>(&from_levels(|level| wide(level).into()))),
        ("TIFF of fractions", tiff::<colortype::Gray32Float>(&from_levels(|level| f32::from(level) / 255.0))),
        ("TIFF of floats to 255", tiff::<colortype::Gray32Float>(&from_levels(f32::from))),
        ("TIFF of doubles", tiff::<colortype::Gray64Float>(&from_levels(|level| f64::from(level) / 255.0))),
    ] {
        let image = decode(&file, Reading::Photo).unwrap();
        assert_eq!(image.mode(), PixelMode::Gray, "{what}");
        assert!(image.to_rgb() == expected(), "{what}");
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn deep_colors_and_alpha_are_scaled_too() {
    let gray_alpha = levels().into_iter().flat_map(|level| [wide(level), 0xffff]).collect();
    let gray_alpha = ImageBuffer::<LumaA<u16>, _>::from_raw(WIDTH, HEIGHT, gray_alpha).unwrap();
    let rgb = |scale: &dyn Fn(u8) -> u16| {
        let samples = levels().into_iter().flat_map(|level| [scale(level); 3]).collect();
        DynamicImage::ImageRgb16(ImageBuffer::<Rgb<u16>, _>::from_raw(WIDTH, HEIGHT, samples).unwrap())
    };
    let floats: Vec<f32> = levels().into_iter().flat_map(|level| [f32::from(level) / 255.0; 3]).collect();
    for (what, file) in [
        ("gray and alpha", encoded(DynamicImage::ImageLumaA16(gray_alpha), ImageFormat::Png)),
        ("RGB PNG", encoded(rgb(&wide), ImageFormat::Png)),
        ("RGB TIFF", encoded(rgb(&wide), ImageFormat::Tiff)),
        ("RGB TIFF of 12 bits", encoded(rgb(&|level| wide(level) >> 4), ImageFormat::Tiff)),
        ("RGB TIFF of fractions", tiff::<colortype::RGB32Float>(&floats)),
    ] {
        assert!(decode(&file, Reading::Photo).unwrap().to_rgb() == expected(), "{what}");
    }
}

#[wasm_bindgen_test::wasm_bindgen_test(unsupported = test)]
fn the_reference_clips_as_before() {
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let image = decode(&gray16(format, wide), Reading::Reference).unwrap();
        assert_eq!(image.mode(), PixelMode::Gray16);
        let bytes = image.to_rgb().into_bytes();
        assert!(
            levels()
                .iter()
                .zip(bytes.chunks_exact(3))
                .all(|(&level, rgb)| rgb == [if level == 0 { 0 } else { 255 }; 3])
        );
    }
    let floats = tiff::<colortype::Gray32Float>(&from_levels(f32::from));
    assert!(decode(&floats, Reading::Reference).is_err());
    let picture = files::picture(WIDTH, HEIGHT);
    let file = files::encode(&picture, ImageFormat::Png);
    assert!(decode(&file, Reading::Photo).unwrap() == decode(&file, Reading::Reference).unwrap());
}
