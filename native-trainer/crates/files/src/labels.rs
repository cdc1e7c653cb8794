//! Labels of the command line and of files.

use crate::file_finder::{FileFinder, FindError};
use crate::text_file;
use anyhow::{Context, Result, bail};
use shared_model::concepts::{Concept, ReadConcepts};
use shared_model::labels::{LabelSet, ReadLabels, is_file_name, is_near};
use std::path::Path;

/// Separators of typed labels; file names have none of these.
const SEPARATORS: [char; 4] = [',', ';', '|', '\n'];

/// Names of benchmarks that are no label sets, and of data sets whose label set has another name: what people type in
/// place of a set's key. A test of the evaluation compares them with the list of benchmarks.
const DATA_SETS: [(&str, Option<&str>); 19] = [
    ("padufes20", Some("pad")),
    ("fitzpatrick17k", Some("f17k")),
    ("fitzpatrick", Some("f17k")),
    ("snu134", Some("snu")),
    ("daffodil", None),
    ("ham", None),
    ("ham10000", None),
    ("ham10k", None),
    ("isic", None),
    ("isic2020", None),
    ("ph2", None),
    ("skincon", None),
    ("derm7pt", None),
    ("skincap", None),
    ("derm1m", None),
    ("synth", None),
    ("synthconcepts", None),
    ("synthretrieval", None),
    ("drawnpictures", None),
];

/// Reads the value of `--labels`: the key of a set, a file, `-` for standard input, or the labels themselves.
///
/// Warnings go to the log.
///
/// # Errors
/// When a file cannot be read or is not there, or the labels cannot be used.
pub fn from_argument(argument: &str) -> Result<LabelSet> {
    // A data set's folder may have the same name.
    let is_key = LabelSet::keys().contains(&argument);
    let file = if is_key { None } else { from_file_argument(argument, ReadLabels::from_file)? };
    let labels = match file {
        Some(labels) => labels.with_keys().with_context(|| format!("in {argument}"))?,
        _ if argument.contains(['/', '\\']) && !argument.contains(SEPARATORS) => {
            bail!("there is no label file {argument}")
        }
        _ if is_file_name(argument) => bail!("{argument} looks like a file, but there is none"),
        _ => {
            refuse_data_set(argument)?;
            ReadLabels::from_key_or_text(argument)?
        }
    };
    for warning in &labels.warnings {
        tracing::warn!("labels: {warning}");
    }
    Ok(labels.set)
}

/// Refuses the name of a data set in place of labels: it would be the only answer, for every photo.
fn refuse_data_set(argument: &str) -> Result<()> {
    if LabelSet::find(argument).is_some() || argument.contains(SEPARATORS) || argument.contains(['[', '"']) {
        return Ok(());
    }
    let typed: String = argument.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let typed = typed.strip_suffix("linearprobe").unwrap_or(&typed);
    let set = LabelSet::find(typed).map(|set| set.key);
    // Short names are too near to words.
    let is_meant = |name: &str| name == typed || (name.len() > 5 && is_near(typed, name));
    let known = DATA_SETS.iter().find(|(name, _)| is_meant(name)).map(|(_, set)| set.map(str::to_owned));
    let Some(set) = set.map(Some).or(known) else { return Ok(()) };
    let what = match set {
        Some(set) => format!("which names a data set; did you mean {set}?"),
        None => "which names a benchmark of `dermake eval`".into(),
    };
    let keys = LabelSet::keys().join(", ");
    bail!("expected a label set ({keys}), a file, or labels, found {:?}, {what}", argument.trim())
}

/// Reads concepts: a file, `-` for standard input, or the concepts themselves, each once.
///
/// Warnings go to the log.
///
/// # Errors
/// As [`from_argument`].
pub fn concepts_from_argument(argument: &str) -> Result<Vec<Concept>> {
    let ReadConcepts { concepts, warnings } = match from_file_argument(argument, ReadConcepts::from_file)? {
        Some(concepts) => concepts,
        None if is_file_name(argument) => bail!("{argument} looks like a file, but there is none"),
        None => ReadConcepts::from_text(argument)?,
    };
    for warning in warnings {
        tracing::warn!("concepts: {warning}");
    }
    Ok(concepts)
}

/// What `of_content` reads in the file that an argument names, if it names one.
fn from_file_argument<T>(
    argument: &str,
    of_content: impl FnOnce(&str) -> shared_model::Result<T>,
) -> Result<Option<T>> {
    if argument == "-" {
        let text = text_file::read_stdin()?;
        return Ok(Some(of_content(&text).context("in standard input")?));
    }
    let path = Path::new(argument.strip_prefix('@').unwrap_or(argument));
    (path.exists() || argument.starts_with('@')).then(|| read(path, of_content)).transpose()
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
    let labels = read(&path, ReadLabels::from_file).with_context(|| {
        let keys = LabelSet::keys().join(", ");
        format!("classes = {name:?} is neither a set ({keys}) nor a file that can be read")
    })?;
    for warning in &labels.warnings {
        tracing::warn!("{warning}: {}", path.display());
    }
    labels.into_class_list().with_context(|| format!("in {}", path.display()))
}

/// Reads a file of names: a JSON list, or one name a line.
fn read<T>(path: &Path, of_content: impl FnOnce(&str) -> shared_model::Result<T>) -> Result<T> {
    of_content(&text_file::read(path)?).with_context(|| format!("in {}", path.display()))
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
    fn what_is_wrong_with_concepts_is_said_of_concepts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, "[\"scale\", 3]").unwrap();
        for argument in ["", path.to_str().unwrap()] {
            let message = format!("{:#}", concepts_from_argument(argument).unwrap_err());
            assert!(message.contains("concepts: expected") && !message.contains("labels"), "{message}");
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
    fn the_name_of_a_benchmark_is_no_label() {
        for name in ["ham", "HAM10000", "derm7pt", "derm7p", "SkinCon", "ISIC 2020", "ham_linear_probe"] {
            let message = error(from_argument(name));
            assert!(
                message.contains("names a benchmark") && message.contains("pad, f17k, snu, sd128"),
                "{message}"
            );
        }
        for (name, set) in [("Fitzpatrick17k", "f17k"), ("pad_linear_probe", "pad")] {
            assert!(error(from_argument(name)).ends_with(&format!("did you mean {set}?")), "{name}");
        }
        for labels in ["pad", "SD-128", "hat", "nevus", "ham, eczema", "[\"ham\"]"] {
            assert!(from_argument(labels).is_ok(), "{labels}");
        }
    }

    #[test]
    fn a_class_list_with_a_class_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c.txt"), "acne\nnevus\nAcne\n").unwrap();
        assert!(error(class_list("c.txt", folder.path())).contains("\"Acne\" more than once"));
    }
}
