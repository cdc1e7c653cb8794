//! Converts photos to sRGB by their color profile.
//!
//! Phones write Display P3, cameras Adobe RGB, scanners and print shops other profiles. Without conversion the model
//! would see duller or redder skin than people see. A profile that is unusable, or that changes white, is ignored.

use super::pixels::{DecodedImage, PixelMode, RgbImage8, Samples};
use crate::parallel;
use crate::{Error, Result};
use moxcms::{
    Chromaticity, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout, ToneReprCurve,
    TransferCharacteristics, Transform8BitExecutor, TransformOptions,
};
use std::sync::Arc;

/// Pixels of one conversion.
const CHUNK_PIXELS: usize = 1 << 14;

/// The largest difference, in CIE XYZ, between the primaries of sRGB and of a profile that counts as sRGB.
///
/// Primaries of different sRGB profiles differ by up to 0.0005, those of sRGB and the next larger space by 0.05.
const SRGB_TOLERANCE: f64 = 0.003;

/// The lowest value that a usable profile may give any channel of white.
const DARKEST_WHITE: u8 = 200;

/// The color description of a file.
pub(super) enum ColorTag {
    /// An ICC profile.
    Icc(Vec<u8>),
    /// The code points of ITU-T H.273: primaries and transfer function.
    CodePoints { primaries: u8, transfer: u8 },
    /// The exponent of the encoding, and x and y of white, red, green and blue.
    Measured { gamma: Option<f32>, chromaticities: Option<[(f32, f32); 4]> },
}

/// Converts an image to sRGB. It is unchanged if it is sRGB already, or if the profile is unusable or of other
/// channels.
///
/// # Errors
/// [`Error::ImageMemory`] when there is no memory for a second image.
pub(super) fn to_srgb(mut image: DecodedImage, tag: &ColorTag) -> Result<DecodedImage> {
    let Some(profile) = profile(tag).filter(|profile| !is_srgb(profile)) else { return Ok(image) };
    let (width, height, mode) = (image.width(), image.height(), image.mode());
    let Some(transform) = Transform::new(&profile, mode) else { return Ok(image) };
    let opacity = image.take_opacity();
    let Samples::U8(samples) = image.into_samples() else {
        return Err(Error::ImageDecode { detail: "more than 8 bits per sample beside a color profile".into() });
    };
    let mut samples = Vec::from(samples); // no copy: the decoder's own
    match (&transform, mode) {
        (Transform::Gray(levels), PixelMode::GrayAlpha) => {
            samples.as_chunks_mut::<2>().0.iter_mut().for_each(|pixel| pixel[0] = levels[usize::from(pixel[0])]);
        }
        (Transform::Gray(levels), _) => samples.iter_mut().for_each(|gray| *gray = levels[usize::from(*gray)]),
        (Transform::Colors(transform), _) => convert_in_place(transform.as_ref(), &mut samples, mode.channels()),
        (Transform::Inks(transform), _) => {
            let rgb = rgb_from_inks(transform.as_ref(), &samples, (width, height))?;
            return Ok(RgbImage8::new(width, height, rgb)?.into());
        }
    }
    Ok(DecodedImage::from_samples(width, height, mode, samples)?.with_opacity(opacity))
}

/// A conversion of pixels of one mode to sRGB.
enum Transform {
    /// For every level, the level in sRGB.
    Gray(Box<[u8; 256]>),
    /// RGB to RGB, or RGBA to RGBA.
    Colors(Arc<Transform8BitExecutor>),
    /// CMYK to RGB.
    Inks(Arc<Transform8BitExecutor>),
}

impl Transform {
    /// Returns the conversion; `None` if the profile is unusable or describes another mode.
    fn new(profile: &ColorProfile, mode: PixelMode) -> Option<Self> {
        let between = |from, to| {
            profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default()).ok()
        };
        let converted = |transform: &Transform8BitExecutor, from: &[u8], n_to: usize| {
            let mut to = vec![0; n_to];
            transform.transform(from, &mut to).ok().map(|()| to)
        };
        let is_usable = |black_and_white: &[u8]| match black_and_white.as_chunks::<3>().0 {
            [black, white] => {
                white.iter().all(|&level| level >= DARKEST_WHITE) && black.iter().max() < white.iter().min()
            }
            _ => false,
        };
        match (mode, profile.color_space) {
            (PixelMode::Rgb | PixelMode::Palette | PixelMode::Rgba, DataColorSpace::Rgb) => {
                let probe = converted(between(Layout::Rgb, Layout::Rgb)?.as_ref(), &[0, 0, 0, 255, 255, 255], 6)?;
                let layout = if mode == PixelMode::Rgba { Layout::Rgba } else { Layout::Rgb };
                is_usable(&probe).then(|| between(layout, layout).map(Self::Colors)).flatten()
            }
            (PixelMode::Gray | PixelMode::GrayAlpha, DataColorSpace::Gray | DataColorSpace::Rgb) => {
                let (layout, channels) =
                    if profile.color_space == DataColorSpace::Gray { (Layout::Gray, 1) } else { (Layout::Rgb, 3) };
                let levels: Vec<u8> = (0..=255).flat_map(|level| std::iter::repeat_n(level, channels)).collect();
                let rgb = converted(between(layout, Layout::Rgb)?.as_ref(), &levels, 256 * 3)?;
                let greens: Vec<u8> = rgb.chunks_exact(3).map(|pixel| pixel[1]).collect();
                let ends = [&rgb[..3], &rgb[255 * 3..]].concat();
                is_usable(&ends).then(|| greens.try_into().ok().map(Self::Gray)).flatten()
            }
            (PixelMode::Cmyk, DataColorSpace::Cmyk) => {
                let transform = between(Layout::Rgba, Layout::Rgb)?;
                let probe = converted(transform.as_ref(), &[255, 255, 255, 255, 0, 0, 0, 0], 6)?;
                is_usable(&probe).then_some(Self::Inks(transform))
            }
            // Black and white are the same in every color space.
            _ => None,
        }
    }
}

fn convert_in_place(transform: &Transform8BitExecutor, samples: &mut [u8], channels: usize) {
    parallel::for_each_chunk(samples, CHUNK_PIXELS * channels, |_, chunk| {
        let source = chunk.to_vec();
        // It fails only if the lengths differ or are not whole pixels.
        let _ = transform.transform(&source, chunk);
    });
}

fn rgb_from_inks(transform: &Transform8BitExecutor, inks: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>> {
    let mut rgb = super::memory::zeroed(width, height, 3)?;
    parallel::for_each_chunk(&mut rgb, CHUNK_PIXELS * 3, |index, chunk| {
        let from = index * CHUNK_PIXELS * 4;
        // As above.
        let _ = transform.transform(&inks[from..from + chunk.len() / 3 * 4], chunk);
    });
    Ok(rgb)
}

fn profile(tag: &ColorTag) -> Option<ColorProfile> {
    match tag {
        ColorTag::Icc(bytes) => ColorProfile::new_from_slice(bytes).ok().filter(|profile| !is_hdr(profile)),
        &ColorTag::CodePoints { primaries, transfer } => {
            let code_points = CicpProfile {
                color_primaries: primaries.try_into().ok()?,
                transfer_characteristics: transfer.try_into().ok()?,
                matrix_coefficients: moxcms::MatrixCoefficients::Identity,
                full_range: true,
            };
            let profile = ColorProfile::new_from_cicp(code_points);
            (profile.is_matrix_shaper() && !is_hdr(&profile)).then_some(profile)
        }
        &ColorTag::Measured { gamma, chromaticities } => measured(gamma, chromaticities),
    }
}

/// Returns whether the levels are those of HDR. Without tone mapping the picture would be nearly black.
fn is_hdr(profile: &ColorProfile) -> bool {
    profile.cicp.is_some_and(|code_points| {
        matches!(
            code_points.transfer_characteristics,
            TransferCharacteristics::Smpte2084 | TransferCharacteristics::Hlg
        )
    })
}

/// Makes a profile from a PNG's `gAMA` and `cHRM`; absent values are those of sRGB.
fn measured(gamma: Option<f32>, chromaticities: Option<[(f32, f32); 4]>) -> Option<ColorProfile> {
    let mut profile = ColorProfile::new_srgb();
    // Its code points would take precedence over the curves below.
    profile.cicp = None;
    if let Some(points) = chromaticities {
        let [white, red, green, blue] = points.map(|(x, y)| Chromaticity { x, y });
        profile.update_rgb_colorimetry(white.to_xyyb(), ColorPrimaries { red, green, blue });
    }
    // For sRGB, files have 1 / 2.2, the power nearest to its curve.
    if let Some(gamma) = gamma.filter(|gamma| (gamma - 1.0 / 2.2).abs() > 0.005) {
        // No known display is beyond this range.
        let exponent = Some(1.0 / gamma).filter(|exponent| (0.3..=4.0).contains(exponent))?;
        let curve = ToneReprCurve::Parametric(vec![exponent]);
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
    }
    Some(profile)
}

/// Returns whether a profile is sRGB, or gray with sRGB's curve, to less than one level.
fn is_srgb(profile: &ColorProfile) -> bool {
    let srgb = ColorProfile::new_srgb();
    if profile.lut_a_to_b_perceptual.is_some() || profile.lut_a_to_b_colorimetric.is_some() {
        return false;
    }
    let curves = match profile.color_space {
        DataColorSpace::Gray => [&profile.gray_trc; 3],
        DataColorSpace::Rgb => [&profile.red_trc, &profile.green_trc, &profile.blue_trc],
        _ => return false,
    };
    let differences =
        profile.colorant_matrix().v.into_iter().flatten().zip(srgb.colorant_matrix().v.into_iter().flatten());
    let has_primaries = profile.color_space == DataColorSpace::Gray
        || differences.into_iter().all(|(ours, srgbs)| (ours - srgbs).abs() < SRGB_TOLERANCE);
    has_primaries && curves.into_iter().all(|curve| curve.as_ref().is_some_and(is_srgb_curve))
}

fn is_srgb_curve(curve: &ToneReprCurve) -> bool {
    let Ok(curve) = curve.make_linear_evaluator() else { return false };
    let linear = |level: f32| {
        let encoded = level / 255.0;
        if encoded <= 0.04045 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
    };
    (1..255u8).map(f32::from).all(|level| {
        let found = curve.evaluate_value(level / 255.0);
        linear(level - 1.0) < found && found < linear(level + 1.0)
    })
}
