//! The Python module `dermake._dermake`: loads models, and runs them on images and texts of Python.
//!
//! Thin: every function takes Python's objects apart, releases the GIL, and calls the crate that does the work.
//! `python/dermake` is the package around it, with the types (`_dermake.pyi`) and what is easier said in Python.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; Python's own streams are used

mod arguments;
mod arrays;
mod errors;
mod evaluate;
mod factor;
mod images;
mod kept;
mod loaded_model;
mod log;
mod model;
mod pillow;
mod preprocess;
mod values;
mod work;

use pyo3::prelude::*;

/// Models of Dermake: see the package `dermake`.
#[pymodule]
fn _dermake(module: &Bound<'_, PyModule>) -> PyResult<()> {
    dermake_process::interrupt::leave_to_host();
    log::start();
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("Error", py.get_type::<errors::Error>())?;
    module.add("ModelError", py.get_type::<errors::ModelError>())?;
    module.add("ImageError", py.get_type::<errors::ImageError>())?;
    module.add("LabelError", py.get_type::<errors::LabelError>())?;
    module.add_class::<model::Model>()?;
    module.add_class::<preprocess::Preprocess>()?;
    module.add_function(wrap_pyfunction!(model::load, module)?)?;
    module.add_function(wrap_pyfunction!(model::_evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(values::label_sets, module)?)?;
    module.add_function(wrap_pyfunction!(values::concepts, module)?)
}
