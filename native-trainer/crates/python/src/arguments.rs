//! Plain arguments of Python. An error names its argument, which only Python 3.11 and later would add as a note.

use crate::arrays::kind;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::path::PathBuf;

pub fn model(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let path: PathBuf = extracted(object, "model", "a path or a name")?;
    let utf8 = path.into_os_string().into_string();
    utf8.map_err(|path| PyValueError::new_err(format!("model: the path is not UTF-8: {}", path.display())))
}

pub fn arch(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    extracted(object, "arch", "a text or None")
}

pub fn device(object: &Bound<'_, PyAny>) -> PyResult<String> {
    extracted(object, "device", "a text")
}

pub fn dtype(object: &Bound<'_, PyAny>) -> PyResult<String> {
    extracted(object, "dtype", "a text")
}

pub fn as_reference(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    extracted(object, "as_reference", "True or False")
}

pub fn top_k(object: &Bound<'_, PyAny>) -> PyResult<usize> {
    let top_k: i64 = extracted(object, "top_k", "a whole number")?;
    let positive = usize::try_from(top_k).ok().filter(|&top_k| top_k > 0);
    positive.ok_or_else(|| PyValueError::new_err(format!("top_k: expected at least 1, found {top_k}")))
}

pub fn typical_of(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    extracted(object, "typical_of", "a text or None")
}

fn extracted<'a, 'py, T: FromPyObject<'a, 'py>>(
    object: &'a Bound<'py, PyAny>,
    name: &str,
    expected: &str,
) -> PyResult<T> {
    object.extract::<T>().map_err(|err| {
        let err: PyErr = err.into();
        if !err.is_instance_of::<PyTypeError>(object.py()) {
            return err; // such as KeyboardInterrupt
        }
        PyTypeError::new_err(format!("{name}: expected {expected}, found {}", kind(object)))
    })
}
