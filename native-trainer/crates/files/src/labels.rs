//! Labels of the command line and of files.

use crate::file_finder::{FileFinder, FindError};
use crate::text_file;
use anyhow::{Context, Result, bail};
use shared_model::concepts::{Concept, ReadConcepts};
use shared_model::labels::{LabelSet, ReadLabels};
use std::path::Path;

/// Separators of typed labels; file names have none of these.
const SEPARATORS: [char; 4] = [',', ';', '|', '\n'];

/// Reads the value of `--labels`: the key of a set, a file, `-` for standard input, or the labels themselves.
///
/// Warnings go to the log.
///
/// # Errors
/// When a file cannot be read or is not there, or the labels cannot be used.
pub fn from_argument(argument: &str) -> Result<LabelSet> {
    let is_key = LabelSet::keys().contains(&argument);
    let labels = match from_file_argument(argument)? {
        Some(labels) if !is_key => labels.with_keys().with_context(|| format!("in {argument}"))?,
        _ if argument.contains(['/', '\\']) && !argument.contains(SEPARATORS) => {
            bail!("there is no label file {argument}")
        }
        _ => ReadLabels::from_key_or_text(argument)?,
    };
    for warning in &labels.warnings {
        tracing::warn!("labels: {warning}");
    }
    Ok(labels.set)
}

/// Reads concepts: a file, `-` for standard input, or the concepts themselves, each once.
///
/// Warnings go to the log.
///
/// # Errors
/// As [`from_argument`].
pub fn concepts_from_argument(argument: &str) -> Result<Vec<Concept>> {
    let labels = from_file_argument(argument)?.map_or_else(|| ReadLabels::from_text(argument), Ok)?;
    let ReadConcepts { concepts, warnings } = labels.into();
    for warning in warnings {
        tracing::warn!("concepts: {warning}");
    }
    Ok(concepts)
}

/// The content of the file that an argument names, if it names one.
fn from_file_argument(argument: &str) -> Result<Option<ReadLabels>> {
    if argument == "-" {
        let text = text_file::read_stdin()?;
        return Ok(Some(ReadLabels::from_file(&text).context("in standard input")?));
    }
    let path = Path::new(argument.strip_prefix('@').unwrap_or(argument));
    (path.exists() || argument.starts_with('@')).then(|| read(path)).transpose()
}

/// Reads the classes of a table: the key of a set, or a file, whose path counts from `folder`.
///
/// # Errors
/// When the file cannot be read, or names a class twice.
pub fn class_list(name: &str, folder: &Path) -> Result<LabelSet> {
    if let Some(set) = LabelSet::find(name) {
        return Ok(set);
    }
    let path = match FileFinder::new(folder).find(name) {
        Ok(path) | Err(FindError::Missing { path }) => path,
        Err(err) => return Err(err.into()),
    };
    let labels = read(&path).with_context(|| {
        let keys = LabelSet::keys().join(", ");
        format!("classes = {name:?} is neither a set ({keys}) nor a file that can be read")
    })?;
    for warning in &labels.warnings {
        tracing::warn!("{warning}: {}", path.display());
    }
    labels.into_class_list().with_context(|| format!("in {}", path.display()))
}

/// Reads a file of class names: a JSON list, or one name a line.
fn read(path: &Path) -> Result<ReadLabels> {
    ReadLabels::from_file(&text_file::read(path)?).with_context(|| format!("in {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(result: Result<LabelSet>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn a_file_is_read_with_its_mark_and_whatever_ends_its_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        let argument = path.to_str().unwrap();
        for content in ["\u{feff}[\n\"acne\",\n\"nevus\"\n]\n", "\u{feff}acne\r\nnevus\r\n", "acne\rnevus"] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(from_argument(argument).unwrap().class_names, ["acne", "nevus"], "{content:?}");
            assert_eq!(from_argument(&format!("@{argument}")).unwrap().class_names, ["acne", "nevus"]);
            assert_eq!(class_list("labels", folder.path()).unwrap().class_names, ["acne", "nevus"]);
        }
    }

    #[test]
    fn what_is_meant_as_a_file_is_not_taken_for_a_label() {
        let folder = tempfile::tempdir().unwrap();
        for missing in ["missing.csv", "no/such/list", "@labels", "no\\such\\list"] {
            assert!(error(from_argument(missing)).contains("file"), "{missing}");
        }
        assert!(error(from_argument(folder.path().to_str().unwrap())).contains("this is a folder"));
        let message = error(class_list("padd", folder.path()));
        assert!(message.contains("pad, f17k, snu, sd128") && message.contains("no such file"), "{message}");
    }

    #[test]
    fn a_class_list_with_a_class_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c.txt"), "acne\nnevus\nAcne\n").unwrap();
        assert!(error(class_list("c.txt", folder.path())).contains("\"Acne\" more than once"));
    }
}
