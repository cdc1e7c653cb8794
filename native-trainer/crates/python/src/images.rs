//! Images of Python: paths, bytes, files, arrays of NumPy and images of Pillow.

use crate::arrays::{bytes_of, kind};
use crate::errors::ImageError;
use anyhow::{Context, Result};
use bytes::Bytes;
use numpy::{PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use shared_model::preprocess::{DecodedImage, PixelMode, Reading};
use std::path::PathBuf;

/// Modes of Pillow that a PNG file keeps. Other images are converted to RGB.
const MODES_OF_PNG: [&str; 7] = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"];

/// The tag of EXIF data that says how an image is turned; 1 is upright.
const ORIENTATION: u16 = 0x0112;

/// An image that is decoded later, without the GIL.
pub enum Image {
    File(PathBuf),
    Bytes(PyBackedBytes),
    Pixels(DecodedImage),
}

/// One image, or several.
pub struct Images {
    pub images: Vec<Image>,
    /// Whether a list was given.
    pub is_list: bool,
}

impl Images {
    /// Takes an image, or a list or tuple of images.
    pub fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if object.cast::<PyList>().is_err() && object.cast::<PyTuple>().is_err() {
            return Ok(Self { images: vec![Image::of(object)?], is_list: false });
        }
        let images = object.try_iter()?.map(|image| Image::of(&image?)).collect::<PyResult<_>>()?;
        Ok(Self { images, is_list: true })
    }

    /// Takes a list, an array `[n, H, W, C]` or anything else that gives images one after the other, but no single image.
    pub fn of_several(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let is_image = match object.cast::<PyUntypedArray>() {
            Ok(array) => array.ndim() < 4,
            Err(_) => {
                object.cast::<PyString>().is_ok()
                    || object.cast::<PyBytes>().is_ok()
                    || object.hasattr(intern!(object.py(), "__fspath__"))?
                    || object.hasattr(intern!(object.py(), "getexif"))?
                    || object.hasattr(intern!(object.py(), "read"))?
            }
        };
        if is_image {
            return Err(PyTypeError::new_err(format!(
                "images: expected a list of images or an array (n, height, width, 3), found {}; embed_image takes one",
                kind(object)
            )));
        }
        let images = object.try_iter()?.map(|image| Image::of(&image?)).collect::<PyResult<_>>()?;
        Ok(Self { images, is_list: true })
    }

    /// Decodes the image at `index`; an error says which one it was.
    pub fn decode(&self, index: usize, reading: Reading) -> Result<DecodedImage> {
        let decoded = self.images[index].decode(reading);
        let place = || format!("image {} of {}", index + 1, self.images.len());
        if self.is_list { decoded.with_context(place) } else { decoded }
    }
}

impl Image {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let unusable = || {
            PyTypeError::new_err(format!(
                "image: expected a path, bytes, a file opened with \"rb\", an image of Pillow or an array of uint8, \
                 found {}",
                kind(object)
            ))
        };
        if object.cast::<PyUntypedArray>().is_ok() {
            return pixels(object).map(Self::Pixels);
        }
        if let Ok(bytes) = object.extract::<PyBackedBytes>() {
            return Ok(Self::Bytes(bytes));
        }
        if object.hasattr(intern!(object.py(), "getexif"))? {
            return match plain_pixels(object)? {
                Some(pixels) => Ok(Self::Pixels(pixels)),
                None => encoded(object).map(Self::Bytes),
            };
        }
        if object.hasattr(intern!(object.py(), "read"))? {
            let content = object.call_method0(intern!(object.py(), "read"))?;
            return content.extract::<PyBackedBytes>().map(Self::Bytes).map_err(|_| unusable());
        }
        object.extract::<PathBuf>().map(Self::File).map_err(|err| {
            if !err.is_instance_of::<PyTypeError>(object.py()) {
                return err; // such as KeyboardInterrupt
            }
            unusable()
        })
    }

    fn decode(&self, reading: Reading) -> Result<DecodedImage> {
        match self {
            Self::File(path) => dermake_pictures::open(path, reading).with_context(|| path.display().to_string()),
            Self::Bytes(bytes) => Ok(dermake_pictures::decode(bytes, reading)?),
            Self::Pixels(pixels) => Ok(pixels.clone()), // its memory is shared
        }
    }
}

/// Takes the pixels of an array, `[H, W]`, `[H, W, 1]`, `[H, W, 3]` or `[H, W, 4]`.
fn pixels(array: &Bound<'_, PyAny>) -> PyResult<DecodedImage> {
    let unusable = || {
        PyTypeError::new_err(format!(
            "image: expected an array of uint8 and shape (height, width), (height, width, 3) in RGB or (height, width, \
             4), found {}",
            kind(array)
        ))
    };
    let samples = array.extract::<PyReadonlyArrayDyn<'_, u8>>().map_err(|_| unusable())?;
    let (height, width, mode) = match *samples.shape() {
        [height, width] | [height, width, 1] => (height, width, PixelMode::Gray),
        [height, width, 3] => (height, width, PixelMode::Rgb),
        [height, width, 4] => (height, width, PixelMode::Rgba),
        _ => return Err(unusable()),
    };
    let size = |pixels: usize| u32::try_from(pixels).map_err(|_| unusable());
    DecodedImage::from_samples(size(width)?, size(height)?, mode, bytes_of(samples))
        .map_err(|err| ImageError::new_err(err.to_string()))
}

/// Takes the pixels of an image of Pillow that is nothing but pixels: neither turned by EXIF data nor with a color profile
/// or a color that counts as transparent. A file would have the same ones.
fn plain_pixels(image: &Bound<'_, PyAny>) -> PyResult<Option<DecodedImage>> {
    let py = image.py();
    let mode = match image.getattr(intern!(py, "mode"))?.extract::<String>()?.as_str() {
        "L" => PixelMode::Gray,
        "RGB" => PixelMode::Rgb,
        "RGBA" => PixelMode::Rgba,
        _ => return Ok(None),
    };
    let info = image.getattr(intern!(py, "info"))?;
    let upright = image.call_method0(intern!(py, "getexif"))?.call_method1(intern!(py, "get"), (ORIENTATION, 1))?;
    let is_plain = !info.contains("icc_profile")? && !info.contains("transparency")? && upright.eq(1)?;
    if !is_plain {
        return Ok(None);
    }
    let (width, height): (u32, u32) = image.getattr(intern!(py, "size"))?.extract()?;
    let samples: PyBackedBytes = image.call_method0(intern!(py, "tobytes"))?.extract()?;
    let pixels = DecodedImage::from_samples(width, height, mode, Bytes::from_owner(samples));
    pixels.map(Some).map_err(|err| ImageError::new_err(err.to_string()))
}

/// Writes an image of Pillow into memory without loss, with its color profile and orientation, so that it is read by the
/// same rules as a file.
fn encoded(image: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    let py = image.py();
    let mode: String = image.getattr(intern!(py, "mode"))?.extract()?;
    let is_kept = MODES_OF_PNG.contains(&mode.as_str());
    let options = PyDict::new(py);
    options.set_item("compress_level", 0)?;
    options.set_item("exif", image.call_method0(intern!(py, "getexif"))?)?;
    // A profile of inks does not fit the converted image.
    let profile = image.getattr(intern!(py, "info"))?.call_method1(intern!(py, "get"), ("icc_profile",))?;
    if is_kept && !profile.is_none() {
        options.set_item("icc_profile", profile)?;
    } else {
        options.set_item("icc_profile", py.None())?;
    }
    let image = if is_kept { image.clone() } else { image.call_method1(intern!(py, "convert"), ("RGB",))? };
    let buffer = py.import("io")?.call_method0("BytesIO")?;
    image.call_method("save", (&buffer, "PNG"), Some(&options))?;
    buffer.call_method0("getvalue")?.extract().map_err(Into::into)
}
