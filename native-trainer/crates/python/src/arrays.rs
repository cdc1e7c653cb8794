//! Tensors as NumPy arrays, and back.

use crate::errors::exception;
use bytes::Bytes;
use candle_core::{Device, Tensor};
use numpy::{
    Element, PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::ptr;

/// Returns a matrix of f32, `[rows, columns]`, as an array that owns its values: they are not copied.
pub fn matrix<'py>(py: Python<'py>, tensor: Matrix) -> PyResult<Bound<'py, PyArray2<f32>>> {
    PyArray1::from_vec(py, tensor.values).reshape(tensor.shape)
}

/// Values of a matrix, `[rows, columns]`.
pub struct Matrix {
    pub values: Vec<f32>,
    pub shape: [usize; 2],
}

impl Matrix {
    /// Copies the values of a tensor of two dimensions.
    pub fn of(tensor: &Tensor) -> anyhow::Result<Self> {
        let (n_rows, n_columns) = tensor.dims2()?;
        let values = tensor.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?;
        Ok(Self { values, shape: [n_rows, n_columns] })
    }

    /// Returns the matrix as a tensor on the CPU, which takes the values.
    pub fn into_tensor(self) -> anyhow::Result<Tensor> {
        let [n_rows, n_columns] = self.shape;
        Ok(Tensor::from_vec(self.values, (n_rows, n_columns), &Device::Cpu)?)
    }
}

/// Takes normalized pixels, `[B, 3, S, S]` f32; one image may be `[3, S, S]`.
pub fn pixel_values(array: &Bound<'_, PyAny>, side: usize) -> PyResult<Tensor> {
    let expected = || format!("float32 of shape (B, 3, {side}, {side}), as preprocess() gives it");
    let Ok(values) = array.extract::<PyReadonlyArrayDyn<'_, f32>>() else {
        return Err(PyTypeError::new_err(format!("pixel_values: expected {}, found {}", expected(), kind(array))));
    };
    let n_images = match values.shape() {
        [n, 3, height, width] if (*height, *width) == (side, side) => *n,
        [3, height, width] if (*height, *width) == (side, side) => 1,
        _ => {
            return Err(PyValueError::new_err(format!(
                "pixel_values: expected {}, found {}",
                expected(),
                kind(array)
            )));
        }
    };
    let shape = (n_images, 3, side, side);
    Tensor::from_vec(in_row_order(&values), shape, &Device::Cpu).map_err(|err| exception(err.into()))
}

/// Copies the values of an array, row by row, however it lies in memory.
pub fn in_row_order<T: Element + Copy>(array: &PyReadonlyArrayDyn<'_, T>) -> Vec<T> {
    let array = array.as_array();
    array.as_slice().map_or_else(|| array.iter().copied().collect(), <[T]>::to_vec)
}

/// Returns the bytes of an array, row by row: its own memory where they lie in that order, else a copy.
pub fn bytes_of(array: PyReadonlyArrayDyn<'_, u8>) -> Bytes {
    match array.as_array().as_slice().map(ptr::from_ref) {
        Some(values) => Bytes::from_owner(HeldArray { values, _array: (*array).clone().unbind() }),
        None => in_row_order(&array).into(),
    }
}

/// The memory of an array, which is alive as long as this holds the array.
struct HeldArray {
    values: *const [u8],
    _array: Py<PyArrayDyn<u8>>,
}

// SAFETY: any thread may read the memory of an array, without the GIL.
unsafe impl Send for HeldArray {}

impl AsRef<[u8]> for HeldArray {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the array is alive, and NumPy moves no memory of an array that something else holds. As everywhere in
        // NumPy, a thread must not write into an array that another one reads.
        unsafe { &*self.values }
    }
}

/// Describes an object of Python: `an array of float64 and shape (2, 3)`, or its type.
pub fn kind(object: &Bound<'_, PyAny>) -> String {
    let type_name = || object.get_type().name().map_or_else(|_| "an object".into(), |name| name.to_string());
    match object.cast::<PyUntypedArray>() {
        Ok(array) => {
            let shape = array.shape().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            format!("an array of {} and shape ({shape})", array.dtype())
        }
        Err(_) => type_name(),
    }
}
