//! From an image to pixels, by itself: without a model, in any process.

use crate::errors::{Error, exception};
use crate::images::Images;
use crate::work::run_after_fork;
use numpy::{PyArray1, PyArray3, PyArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{Reading, preprocess_decoded};

/// The preprocessing of a model, without the model: it can be pickled, and called in a forked process.
#[pyclass(frozen, module = "dermake._dermake", name = "_Preprocess")]
pub struct Preprocess(PreprocessConfig);

impl Preprocess {
    pub fn of(config: &PreprocessConfig) -> Self {
        Self(config.clone())
    }
}

#[pymethods]
impl Preprocess {
    #[new]
    fn new(config: &str) -> PyResult<Self> {
        serde_json::from_str(config).map(Self).map_err(|err| Error::new_err(format!("config: {err}")))
    }

    fn __call__<'py>(&self, py: Python<'py>, image: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray3<f32>>> {
        pixel_values(py, &self.0, image, Reading::Reference)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyType>, (String,))> {
        let config = serde_json::to_string(&self.0).map_err(|err| Error::new_err(err.to_string()))?;
        Ok((py.get_type::<Self>(), (config,)))
    }
}

/// Returns the normalized pixels of an image, `(3, S, S)`.
pub fn pixel_values<'py>(
    py: Python<'py>,
    config: &PreprocessConfig,
    image: &Bound<'py, PyAny>,
    reading: Reading,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let (images, side) = (Images::of(image)?, config.image_size);
    if images.is_list {
        return Err(PyTypeError::new_err("image: expected one image, found a list"));
    }
    let values: Vec<f32> = run_after_fork(py, exception, || {
        let image = images.decode(0, reading)?;
        Ok(preprocess_decoded(&image, config)?.flatten_all()?.to_vec1()?)
    })?;
    PyArray1::from_vec(py, values).reshape([3, side, side])
}
