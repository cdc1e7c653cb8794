//! Errors as Python's exceptions, with the messages of the program.

use dermake_pictures::PictureError;
use dermake_process::interrupt::Interrupted;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt, PyMemoryError};
use pyo3::prelude::*;

create_exception!(dermake, Error, PyException, "Something that Dermake could not do; the message says what to do.");
create_exception!(dermake, ModelError, Error, "A model that is not there, or cannot be used.");
create_exception!(dermake, ImageError, Error, "An image that cannot be read.");
create_exception!(dermake, LabelError, Error, "Labels, templates, concepts or texts that cannot be used.");

/// Returns the exception of an error: its kind from the causes, its message with all of them.
pub fn exception(err: anyhow::Error) -> PyErr {
    let message = format!("{err:#}");
    for cause in err.chain() {
        if cause.is::<Interrupted>() {
            return PyKeyboardInterrupt::new_err(message);
        }
        if cause.is::<PictureError>() {
            return ImageError::new_err(message);
        }
        if let Some(err) = cause.downcast_ref::<shared_model::Error>() {
            return of_model(err, message);
        }
    }
    Error::new_err(message)
}

/// Returns the exception of an error while a model is loaded.
pub fn model_exception(err: anyhow::Error) -> PyErr {
    if err.is::<Interrupted>() {
        return exception(err);
    }
    ModelError::new_err(format!("{err:#}"))
}

/// Returns the exception of an error in labels, templates or concepts.
pub fn label_exception(err: impl Into<anyhow::Error>) -> PyErr {
    LabelError::new_err(format!("{:#}", err.into()))
}

/// Returns the exception of an error of Python code that reads an image, such as Pillow's; `place` says which image. What
/// is no error of the image stays as it is: Ctrl-C, and a lack of memory.
pub fn image_exception(py: Python<'_>, err: PyErr, place: &str) -> PyErr {
    if !err.is_instance_of::<PyException>(py) || err.is_instance_of::<PyMemoryError>(py) {
        return err;
    }
    let exception = ImageError::new_err(format!("{place}: {}", err.value(py)));
    if !err.is_instance_of::<ImageError>(py) {
        exception.set_cause(py, Some(err));
    }
    exception
}

fn of_model(err: &shared_model::Error, message: String) -> PyErr {
    use shared_model::Error as Model;
    match err {
        Model::ImageTooLarge { .. }
        | Model::ImageMemory { .. }
        | Model::ImageFormat(_)
        | Model::ImageDecode { .. }
        | Model::Resample { .. } => ImageError::new_err(message),
        Model::TextTooLong { .. } | Model::TextFile(_) | Model::Labels { .. } => LabelError::new_err(message),
        Model::Tensor(_) => Error::new_err(message),
        _ => ModelError::new_err(message),
    }
}
