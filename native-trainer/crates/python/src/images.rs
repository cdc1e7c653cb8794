//! Images of Python: paths, bytes, files, arrays of NumPy and images of Pillow.

use crate::arrays::{bytes_of, kind};
use crate::errors::{ImageError, image_exception};
use crate::pillow::{self, Taken};
use anyhow::{Context, Result};
use numpy::{PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyIterator, PyList, PyString, PyTuple};
use shared_model::preprocess::{DecodedImage, PixelMode, Reading};
use std::path::PathBuf;

/// An image that is decoded later, without the GIL.
pub enum Image {
    File(PathBuf),
    /// The content of a file from byte `start` on.
    Bytes {
        bytes: PyBackedBytes,
        start: u64,
    },
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
            return Ok(Self { images: vec![Image::of(object, "image")?], is_list: false });
        }
        Self::each(object.try_iter()?)
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
        let unusable = |advice: &str| {
            PyTypeError::new_err(format!(
                "images: expected a list of images or an array (n, height, width, 3), found {}{advice}",
                kind(object)
            ))
        };
        if is_image {
            return Err(unusable("; embed_image takes one"));
        }
        Self::each(object.try_iter().map_err(|_| unusable(""))?)
    }

    /// Takes all images; an error says which one it was.
    fn each(images: Bound<'_, PyIterator>) -> PyResult<Self> {
        let image =
            |(at, image): (usize, PyResult<Bound<'_, PyAny>>)| Image::of(&image?, &format!("image {}", at + 1));
        Ok(Self { images: images.enumerate().map(image).collect::<PyResult<_>>()?, is_list: true })
    }

    /// Decodes the image at `index`; an error says which one it was.
    pub fn decode(&self, index: usize, reading: Reading) -> Result<DecodedImage> {
        let decoded = self.images[index].decode(reading);
        let place = || format!("image {} of {}", index + 1, self.images.len());
        if self.is_list { decoded.with_context(place) } else { decoded }
    }
}

impl Image {
    /// Takes an image; `place` says which one, in messages.
    fn of(object: &Bound<'_, PyAny>, place: &str) -> PyResult<Self> {
        let py = object.py();
        let unusable = || {
            PyTypeError::new_err(format!(
                "{place}: expected a path, bytes, a file opened with \"rb\", an image of Pillow or an array of uint8, \
                 found {}",
                kind(object)
            ))
        };
        if object.cast::<PyUntypedArray>().is_ok() {
            return pixels(object, place).map(Self::Pixels);
        }
        if let Ok(bytes) = object.extract::<PyBackedBytes>() {
            return Ok(Self::Bytes { bytes, start: 0 });
        }
        if object.hasattr(intern!(py, "getexif"))? {
            return match pillow::taken(object).map_err(|err| image_exception(py, err, place))? {
                Taken::Pixels(pixels) => Ok(Self::Pixels(pixels)),
                Taken::File(bytes) => Ok(Self::Bytes { bytes, start: 0 }),
            };
        }
        if object.hasattr(intern!(py, "read"))? {
            let (content, start) = rest_of_file(object).map_err(|err| image_exception(py, err, place))?;
            let bytes = content.extract::<PyBackedBytes>().map_err(|_| unusable())?;
            return Ok(Self::Bytes { bytes, start });
        }
        object.extract::<PathBuf>().map(Self::File).map_err(|err| {
            if !err.is_instance_of::<PyTypeError>(py) {
                return err; // such as KeyboardInterrupt
            }
            unusable()
        })
    }

    fn decode(&self, reading: Reading) -> Result<DecodedImage> {
        match self {
            Self::File(path) => dermake_pictures::open(path, reading).with_context(|| path.display().to_string()),
            Self::Bytes { bytes, start: 0 } => Ok(dermake_pictures::decode(bytes, reading)?),
            Self::Bytes { bytes, start } => dermake_pictures::decode(bytes, reading).with_context(|| {
                format!("the file was read from byte {start} on, where it stood; call seek(0) to read it whole")
            }),
            Self::Pixels(pixels) => Ok(pixels.clone()), // its memory is shared
        }
    }
}

/// Reads what is left of an open file, and says where that begins.
fn rest_of_file<'py>(file: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, u64)> {
    let py = file.py();
    let start = match file.call_method0(intern!(py, "tell")) {
        Ok(at) => at.extract().unwrap_or(0),
        Err(err) if err.is_instance_of::<PyException>(py) => 0, // a stream
        Err(err) => return Err(err),
    };
    Ok((file.call_method0(intern!(py, "read"))?, start))
}

/// Takes the pixels of an array, `[H, W]`, `[H, W, 1]`, `[H, W, 3]` or `[H, W, 4]`.
fn pixels(array: &Bound<'_, PyAny>, place: &str) -> PyResult<DecodedImage> {
    let unusable = || {
        PyTypeError::new_err(format!(
            "{place}: expected an array of uint8 and shape (height, width), (height, width, 3) in RGB or (height, width, \
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
        .map_err(|err| ImageError::new_err(format!("{place}: {err}")))
}
