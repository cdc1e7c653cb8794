//! Images of Pillow, read by the same rules as their files.

use crate::errors::ImageError;
use bytes::Bytes;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{IntoPyDict, PyDict};
use shared_model::preprocess::{DecodedImage, PixelMode};

/// Modes that a PNG file keeps. Images of other modes are converted first, but for inks, which a TIFF file keeps.
const MODES_OF_PNG: [&str; 7] = ["1", "L", "LA", "P", "RGB", "RGBA", SIXTEEN_BITS];

/// The mode of gray images of 16 bits.
const SIXTEEN_BITS: &str = "I;16";

/// The tag of EXIF data that says how an image is turned; 1 is upright.
const ORIENTATION: u16 = 0x0112;

/// What is taken of an image.
pub enum Taken {
    Pixels(DecodedImage),
    /// A file in memory.
    File(PyBackedBytes),
}

/// Takes an image: its pixels, or else a file of it in memory.
///
/// # Errors
/// Those of Pillow, such as of a file that is cut short; [`ImageError`] for values that no picture has.
pub fn taken(image: &Bound<'_, PyAny>) -> PyResult<Taken> {
    match plain_pixels(image)? {
        Some(pixels) => Ok(Taken::Pixels(pixels)),
        None => encoded(image).map(Taken::File),
    }
}

/// Takes the pixels of an image of Pillow that is nothing but pixels: neither turned by EXIF data nor with a color profile
/// or a color that counts as transparent. A file would have the same ones.
fn plain_pixels(image: &Bound<'_, PyAny>) -> PyResult<Option<DecodedImage>> {
    let py = image.py();
    let mode = match mode(image)?.as_str() {
        "L" => PixelMode::Gray,
        "RGB" => PixelMode::Rgb,
        "RGBA" => PixelMode::Rgba,
        _ => return Ok(None),
    };
    let info = image.getattr(intern!(py, "info"))?;
    let is_plain =
        !info.contains("icc_profile")? && !info.contains("transparency")? && orientation(image)?.eq(1)?;
    if !is_plain {
        return Ok(None);
    }
    let (width, height): (u32, u32) = image.getattr(intern!(py, "size"))?.extract()?;
    let samples: PyBackedBytes = image.call_method0(intern!(py, "tobytes"))?.extract()?;
    let pixels = DecodedImage::from_samples(width, height, mode, Bytes::from_owner(samples));
    pixels.map(Some).map_err(|err| ImageError::new_err(err.to_string()))
}

fn mode(image: &Bound<'_, PyAny>) -> PyResult<String> {
    image.getattr(intern!(image.py(), "mode"))?.extract()
}

fn orientation<'py>(image: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = image.py();
    image.call_method0(intern!(py, "getexif"))?.call_method1(intern!(py, "get"), (ORIENTATION, 1))
}

/// Writes an image into memory without loss, with its color profile and orientation, so that it is read by the same rules
/// as a file.
fn encoded(image: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    let py = image.py();
    let options = PyDict::new(py);
    let profile = image.getattr(intern!(py, "info"))?.call_method1(intern!(py, "get"), ("icc_profile",))?;
    options.set_item("icc_profile", profile)?;
    let mode = mode(image)?;
    if mode == "CMYK" {
        options.set_item("compression", "raw")?; // whatever its file had
        options.set_item("tiffinfo", [(ORIENTATION, orientation(image)?)].into_py_dict(py)?)?;
        return saved(image, "TIFF", &options);
    }
    options.set_item("compress_level", 0)?;
    options.set_item("exif", image.call_method0(intern!(py, "getexif"))?)?;
    let convert = |mode: &str| image.call_method1(intern!(py, "convert"), (mode,));
    let converted = match mode.as_str() {
        kept if MODES_OF_PNG.contains(&kept) => image.clone(),
        "F" => {
            return Err(ImageError::new_err(
                "an image of Pillow with fractions (mode F), of which nothing says what is black and what is white; \
                 bring its values to 0 to 255 and give an array of uint8",
            ));
        }
        "I" => {
            refuse_beyond_sixteen_bits(image)?;
            convert(SIXTEEN_BITS)?
        }
        wide if wide.starts_with("I;16") => convert("I")?.call_method1(intern!(py, "convert"), (SIXTEEN_BITS,))?,
        "PA" | "RGBa" => convert("RGBA")?,
        "La" => convert("LA")?,
        _ => convert("RGB")?,
    };
    saved(&converted, "PNG", &options)
}

/// Pillow opens gray images of 16 bits as whole numbers of 32 bits, in older versions also PNG files.
fn refuse_beyond_sixteen_bits(image: &Bound<'_, PyAny>) -> PyResult<()> {
    let (darkest, brightest): (i64, i64) = image.call_method0(intern!(image.py(), "getextrema"))?.extract()?;
    let refused = |advice: &str| {
        Err(ImageError::new_err(format!(
            "an image of Pillow with the values {darkest} to {brightest} in mode I, whose white is 65535; {advice}"
        )))
    };
    match (darkest, brightest) {
        (..0, _) | (_, 65_536..) => refused("bring its values to 0 to 255 and give an array of uint8"),
        (_, 1..=255) => refused("if the white of this image is 255, give image.convert(\"L\")"),
        _ => Ok(()),
    }
}

fn saved(image: &Bound<'_, PyAny>, format: &str, options: &Bound<'_, PyDict>) -> PyResult<PyBackedBytes> {
    let buffer = image.py().import("io")?.call_method0("BytesIO")?;
    image.call_method("save", (&buffer, format), Some(options))?;
    buffer.call_method0("getvalue")?.extract().map_err(Into::into)
}
