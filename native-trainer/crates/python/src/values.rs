//! Labels, templates, concepts and texts of Python, and results as Python's lists and dictionaries.

use crate::arrays::kind;
use crate::errors::{Error, label_exception};
use anyhow::Context;
use dermake_files::labels::{concepts_from_argument, from_argument};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use serde::Serialize;
use shared_model::concepts::{Concept, Typical};
use shared_model::labels::{LabelSet, Templates};
use shared_model::zero_shot::Answer;

/// Means standard input on the command line, not here.
const STDIN: &str = "-";

/// Returns a value as Python's `json.loads` gives it: the same numbers as in the program's JSON.
pub fn to_python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let json = serde_json::to_string(value).map_err(|err| Error::new_err(err.to_string()))?;
    py.import("json")?.call_method1("loads", (json,))
}

/// Returns the answer to one image as `dermake.Predictions`: a list that also has what a calibration says of it.
pub fn predictions<'py>(py: Python<'py>, answer: &Answer, scale: f64) -> PyResult<Bound<'py, PyAny>> {
    let (predictions, certainty) = (to_python(py, &answer.predictions)?, to_python(py, &answer.certainty)?);
    py.import(intern!(py, "dermake._predictions"))?.getattr(intern!(py, "Predictions"))?.call1((
        predictions,
        certainty,
        scale,
    ))
}

/// Takes one text or several; returns also whether it was a list.
pub fn texts(object: &Bound<'_, PyAny>, what: &str) -> PyResult<(Vec<String>, bool)> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok((vec![text.to_cow()?.into_owned()], false));
    }
    if object.hasattr(intern!(object.py(), "__fspath__"))? {
        return Ok((vec![object.call_method0(intern!(object.py(), "__fspath__"))?.extract()?], false));
    }
    let unusable =
        || PyTypeError::new_err(format!("{what}: expected a text or a list of texts, found {}", kind(object)));
    let items = object.try_iter().map_err(|_| unusable())?;
    let texts = items.enumerate().map(|(at, item)| {
        let item = item?;
        item.extract::<String>().map_err(|err| {
            if !err.is_instance_of::<PyTypeError>(item.py()) {
                return err; // such as KeyboardInterrupt
            }
            let found = format!("{} in it, as item {}", kind(&item), at + 1);
            PyTypeError::new_err(format!("{what}: expected a list of texts, found {found}"))
        })
    });
    Ok((texts.collect::<PyResult<_>>()?, true))
}

/// Takes labels: the key of a set, a file, names separated by commas, or a list of names.
pub fn labels(object: Option<&Bound<'_, PyAny>>) -> PyResult<LabelSet> {
    let Some(object) = object else {
        return from_argument(LabelSet::DEFAULT).map_err(label_exception);
    };
    let (texts, is_list) = texts(object, "labels")?;
    match texts.as_slice() {
        [argument] if !is_list && argument != STDIN => from_argument(argument).map_err(label_exception),
        _ => LabelSet::from_class_names(texts).map_err(label_exception),
    }
}

/// Takes a template or a list of templates; none means MAKE's skin templates.
pub fn templates(object: Option<&Bound<'_, PyAny>>) -> PyResult<Templates> {
    let texts = object.map(|object| texts(object, "templates")).transpose()?;
    Templates::given_or_skin(texts.map_or_else(Vec::new, |(texts, _)| texts)).map_err(label_exception)
}

/// Takes concepts as [`labels`]; none means all known ones.
pub fn concept_list(object: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Concept>> {
    let Some(object) = object else { return Ok(Concept::known()) };
    let (texts, is_list) = texts(object, "concepts")?;
    match texts.as_slice() {
        [argument] if !is_list && argument != STDIN => concepts_from_argument(argument).map_err(label_exception),
        _ => Concept::from_names(texts).map_err(label_exception),
    }
}

/// Takes the label whose typical concepts are marked. A warning goes to the log.
pub fn typical(label: &str) -> PyResult<Typical> {
    let typical = Typical::of_typed(label).context("typical_of").map_err(label_exception)?;
    if let Some(warning) = typical.warning() {
        tracing::warn!("typical_of: {warning}");
    }
    Ok(typical)
}

/// Returns the built-in label sets: the class names of "pad", "f17k", "snu" and "sd128".
#[pyfunction]
pub fn label_sets(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let sets = LabelSet::built_in().into_iter().map(|set| (set.key, set.class_names));
    to_python(py, &sets.collect::<std::collections::BTreeMap<_, _>>())
}

/// Returns the names of the 64 known concepts.
#[pyfunction]
pub fn concepts() -> Vec<String> {
    Concept::known().into_iter().map(|concept| concept.name).collect()
}
