//! A loaded model.

use crate::arguments;
use crate::arrays::{self, Matrix};
use crate::errors::{LabelError, exception, model_exception};
use crate::evaluate::Evaluation;
use crate::factor::Factor;
use crate::images::Images;
use crate::loaded_model::{LoadedModel, of_each};
use crate::preprocess::{self, Preprocess};
use crate::values::{concept_list, predictions, texts, to_python, typical};
use crate::work::run;
use dermake_models::demo_model;
use dermake_models::options::ModelOptions;
use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use shared_model::concepts::findings;
use shared_model::preprocess::Reading;
use shared_model::zero_shot::Classifier;

/// A model that ranks labels for images. Made by `load`. Threads may share it: the GIL is released.
#[pyclass(frozen, weakref, module = "dermake")]
pub struct Model {
    loaded: LoadedModel,
}

/// Loads a model.
///
/// model: "demo" (small, trained on drawn pictures), "hf-hub:owner/name", a folder with a config and weights of
/// open_clip or transformers, a folder of `dermake quantize`, or a weights file.
/// arch: the kind of model in a weights file without a config, such as "ViT-B-16".
#[pyfunction]
#[pyo3(
    text_signature = "(model='demo', *, arch=None, device='cpu', dtype='f32')",
    signature = (model=demo_model::NAME.into(), *, arch=None, device="cpu".into(), dtype="f32".into())
)]
pub fn load(
    py: Python<'_>,
    #[pyo3(from_py_with = arguments::model)] model: String,
    #[pyo3(from_py_with = arguments::arch)] arch: Option<String>,
    #[pyo3(from_py_with = arguments::device)] device: String,
    #[pyo3(from_py_with = arguments::dtype)] dtype: String,
) -> PyResult<Model> {
    let wrong = |what: &str, err: String| PyValueError::new_err(format!("{what}: {err}"));
    let options = ModelOptions {
        model,
        arch,
        device: device.parse().map_err(|err| wrong("device", err))?,
        dtype: dtype.parse().map_err(|err| wrong("dtype", err))?,
    };
    run(py, model_exception, || Ok(Model { loaded: LoadedModel::load(options)? }))
}

/// Evaluates models; takes the options that `dermake.evaluate` has filled in.
#[pyfunction]
pub fn _evaluate<'py>(
    py: Python<'py>,
    models: Vec<Bound<'py, Model>>,
    options: Evaluation,
) -> PyResult<Bound<'py, PyAny>> {
    let models: Vec<ModelOptions> = models.iter().map(|model| model.get().loaded.options().clone()).collect();
    let comparison = run(py, exception, || options.run(&models))?;
    to_python(py, &comparison.results_file())
}

#[pymethods]
impl Model {
    /// The name of the model's folder, file or repository.
    #[getter]
    fn name(&self) -> &str {
        self.loaded.name()
    }

    /// The length E of a feature.
    #[getter]
    fn embed_dim(&self) -> usize {
        self.loaded.model().config.embed_dim
    }

    /// The side S of the square of pixels that the model sees.
    #[getter]
    fn image_size(&self) -> usize {
        self.loaded.model().config.preprocess.image_size
    }

    /// The number L of tokens of a text.
    #[getter]
    fn context_length(&self) -> usize {
        self.loaded.model().config.text.context_length
    }

    /// False for random weights, whose answers mean nothing.
    #[getter]
    fn is_trained(&self) -> bool {
        self.loaded.model().is_trained
    }

    /// What people must know about the model.
    #[getter]
    fn notice(&self) -> Option<&str> {
        self.loaded.model().notice.as_deref()
    }

    /// The scale that the model learned for its logits.
    #[getter]
    fn logit_scale(&self) -> Option<f32> {
        self.loaded.model().logit_scale()
    }

    fn __repr__(&self) -> String {
        format!("<dermake.Model {:?}, {} values a feature>", self.loaded.name(), self.embed_dim())
    }

    /// Ranks labels for an image, or for each image of a list, the most likely first.
    ///
    /// The answer to an image is a list of dictionaries. Its attribute `certainty` says whether to believe them, or is
    /// None if the model is not calibrated for these labels; `scale` is the factor between cosines and logits.
    ///
    /// labels: "pad" (the default), "f17k", "snu", "sd128", a file, names separated by commas, or a list of names.
    /// templates: sentences with {} in place of the label; by default MAKE's eight skin templates.
    /// scale: the factor between cosines and logits: a number, "own" (what the model learned) or "calibrated" (the
    /// default: what `dermake calibrate` has fitted, 100 for labels without it).
    /// as_reference: ignore EXIF orientation and color profiles, as MAKE's evaluation does.
    #[pyo3(signature = (image, labels=None, *, templates=None, top_k=5, scale=None, as_reference=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn classify<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        labels: Option<&Bound<'py, PyAny>>,
        templates: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = arguments::top_k)] top_k: usize,
        scale: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = arguments::as_reference)] as_reference: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (images, scale) = (Images::of(image)?, Factor::of(scale)?);
        let (labels, templates) = (crate::values::labels(labels)?, crate::values::templates(templates)?);
        let (mut answers, scale) = run(py, exception, || {
            let classifier = self.loaded.kept_classifier(&labels, &templates)?;
            let features = self.loaded.features(&images, reading(as_reference))?.into_tensor()?;
            let classifier = scale.applied(Classifier::clone(&classifier), self.loaded.model(), &templates)?;
            Ok((of_each(&features, |feature| classifier.answer(feature, top_k))?, classifier.scale()))
        })?;
        match images.is_list {
            true => answers
                .iter()
                .map(|answer| predictions(py, answer, scale))
                .collect::<PyResult<Vec<_>>>()?
                .into_bound_py_any(py),
            false => predictions(py, &answers.remove(0), scale),
        }
    }

    /// Scores clinical concepts for an image, or for each image of a list, the most present first.
    ///
    /// concepts: names separated by commas, a file, or a list of names; by default the known ones.
    /// typical_of: a condition. Concepts that textbooks name for it are marked, and are there beyond top_k, too.
    #[pyo3(signature = (image, concepts=None, *, top_k=8, typical_of=None, as_reference=false))]
    fn annotate<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        concepts: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = arguments::top_k)] top_k: usize,
        #[pyo3(from_py_with = arguments::typical_of)] typical_of: Option<String>,
        #[pyo3(from_py_with = arguments::as_reference)] as_reference: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (images, concepts) = (Images::of(image)?, concept_list(concepts)?);
        let typical = typical_of.as_deref().map(typical).transpose()?;
        let mut ranked = run(py, exception, || {
            let scorer = self.loaded.kept_scorer(&concepts, reading(as_reference))?;
            let features = self.loaded.features(&images, reading(as_reference))?.into_tensor()?;
            of_each(&features, |feature| {
                let ranked = scorer.annotate(feature, concepts.len())?;
                Ok(ranked.iter().map(|ranked| findings(ranked, top_k, typical.as_ref())).collect())
            })
        })?;
        if images.is_list { to_python(py, &ranked) } else { to_python(py, &ranked.remove(0)) }
    }

    /// Returns the feature of an image, `(E,)`, of unit length.
    #[pyo3(signature = (image, *, as_reference=false))]
    fn embed_image<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = arguments::as_reference)] as_reference: bool,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let images = Images::of(image)?;
        if images.is_list {
            return Err(PyTypeError::new_err("image: expected one image, found a list; embed_images takes lists"));
        }
        let features = run(py, exception, || self.loaded.features(&images, reading(as_reference)))?;
        Ok(PyArray1::from_vec(py, features.values))
    }

    /// Returns the features of images, `(n, E)`, rows of unit length. Images are decoded in several threads.
    #[pyo3(signature = (images, *, as_reference=false))]
    fn embed_images<'py>(
        &self,
        py: Python<'py>,
        images: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = arguments::as_reference)] as_reference: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let images = Images::of_several(images)?;
        let features = run(py, exception, || self.loaded.features(&images, reading(as_reference)))?;
        arrays::matrix(py, features)
    }

    /// Returns the feature of a text, `(E,)`, or of each text of a list, `(n, E)`, of unit length.
    fn embed_text<'py>(&self, py: Python<'py>, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (texts, is_list) = texts(text, "text")?;
        let features = run(py, exception, || self.loaded.text_features(&texts))?;
        match is_list {
            true => Ok(arrays::matrix(py, features)?.into_any()),
            false => Ok(PyArray1::from_vec(py, features.values).into_any()),
        }
    }

    /// Returns the weights of a zero-shot classifier, `(E, C)`: a column of unit length for each label.
    #[pyo3(signature = (labels=None, *, templates=None))]
    fn classifier<'py>(
        &self,
        py: Python<'py>,
        labels: Option<&Bound<'py, PyAny>>,
        templates: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (labels, templates) = (crate::values::labels(labels)?, crate::values::templates(templates)?);
        let weights =
            run(py, exception, || Matrix::of(self.loaded.kept_classifier(&labels, &templates)?.weights()))?;
        arrays::matrix(py, weights)
    }

    /// Returns the pixels that the model sees of an image, normalized: `(3, S, S)`.
    #[pyo3(signature = (image, *, as_reference=false))]
    fn preprocess<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = arguments::as_reference)] as_reference: bool,
    ) -> PyResult<Bound<'py, PyArray3<f32>>> {
        preprocess::pixel_values(py, &self.loaded.model().config.preprocess, image, reading(as_reference))
    }

    /// Returns what `preprocess` does as the reference, by itself.
    fn _preprocess(&self) -> Preprocess {
        Preprocess::of(&self.loaded.model().config.preprocess)
    }

    /// Encodes pixels of `preprocess`, `(B, 3, S, S)`; returns `(B, E)`, rows of unit length.
    fn encode_image<'py>(
        &self,
        py: Python<'py>,
        pixel_values: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let pixel_values = arrays::pixel_values(pixel_values, self.image_size())?;
        let features = run(py, exception, || self.loaded.pixel_features(&pixel_values))?;
        arrays::matrix(py, features)
    }

    /// Tokenizes texts: ids `(n, L)`, padded to the context length.
    fn tokenize<'py>(&self, py: Python<'py>, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let (texts, _) = texts(text, "text")?;
        let rows = run(py, exception, || Ok(self.loaded.model().tokenize(&texts)?))?;
        let shape = [rows.len(), self.context_length()];
        PyArray1::from_vec(py, rows.into_iter().flatten().map(i64::from).collect()).reshape(shape)
    }

    /// Encodes ids of `tokenize`; returns `(n, E)`, rows of unit length.
    fn encode_text<'py>(
        &self,
        py: Python<'py>,
        input_ids: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let rows: Vec<Vec<i64>> = input_ids.extract().map_err(|_| {
            PyTypeError::new_err(format!(
                "input_ids: expected integers of shape (n, L), as tokenize() gives them, found {}",
                arrays::kind(input_ids)
            ))
        })?;
        let id = |id: i64| {
            u32::try_from(id).map_err(|_| LabelError::new_err(format!("input_ids: {id} is not the id of a token")))
        };
        let rows: Vec<Vec<u32>> =
            rows.into_iter().map(|row| row.into_iter().map(id).collect()).collect::<PyResult<_>>()?;
        let features = run(py, exception, || self.loaded.id_features(&rows))?;
        arrays::matrix(py, features)
    }
}

fn reading(as_reference: bool) -> Reading {
    if as_reference { Reading::Reference } else { Reading::Photo }
}
