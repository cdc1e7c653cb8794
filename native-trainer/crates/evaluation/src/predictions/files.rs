//! The prediction files that a command names, and whose they are: `HAM/MAKE.csv` has MAKE's answers to HAM, and
//! `HAM_10pct/MAKE_HAM/HAM-official-7-lp.csv` those of a linear probe of MAKE that 10 % of HAM's training rows trained.

use super::names::{CLASS_FOLDER, beside};
use super::probe_folder::ProbeFolder;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// A file of predictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredictionFile {
    pub path: PathBuf,
    /// The name of its folder; of linear probes, of the folder above.
    pub dataset: String,
    /// The name of the file without its ending; of linear probes, of its folder.
    pub model: String,
    /// A file with the class names beside it.
    pub class_names: Option<PathBuf>,
}

/// Lists the files that arguments name: files, and folders with `MODEL.csv`, `DATASET/MODEL.csv` or the tables of linear
/// probes.
///
/// # Errors
/// When a file does not exist, a folder has no predictions, or a file is named twice.
pub fn prediction_files(arguments: &[PathBuf]) -> Result<Vec<PredictionFile>> {
    let mut files: Vec<PredictionFile> = Vec::new();
    for argument in arguments {
        let paths = if argument.is_dir() { in_folder(argument)? } else { vec![argument.clone()] };
        for path in paths {
            let file = of_path(&path)?;
            if files.iter().any(|other| other.path == file.path) {
                bail!("the predictions are named twice: {}", path.display());
            }
            files.push(file);
        }
    }
    Ok(by_folder_of_model(files))
}

fn of_path(path: &Path) -> Result<PredictionFile> {
    let absolute = std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))?;
    let name = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let folder = name(absolute.parent().and_then(Path::file_name));
    let (dataset, model) = match ProbeFolder::of_file(&absolute) {
        Some((probes, model)) => (probes.name, model),
        None => (folder, name(absolute.file_stem())),
    };
    Ok(PredictionFile { dataset, model, class_names: beside(path), path: path.into() })
}

/// The tables of a folder, or of the folders in it.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![folder.to_path_buf()];
    let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let is_of_predictions = |path: &PathBuf| path.is_dir() && !path.ends_with(CLASS_FOLDER) && !is_hidden(path);
    for below in entries(folder)?.into_iter().filter(is_of_predictions) {
        match ProbeFolder::of(&below) {
            Some(_) => folders.extend(entries(&below)?.into_iter().filter(is_of_predictions)),
            None => folders.push(below),
        }
    }
    let of_folder =
        |folder: &PathBuf| Ok(entries(folder)?.into_iter().filter(|path| is_predictions(path)).collect());
    let of_folders = folders.iter().map(of_folder).collect::<Result<Vec<Vec<PathBuf>>>>()?;
    let (own, below) =
        of_folders.split_first().map_or((Vec::new(), Vec::new()), |(own, below)| (own.clone(), below.concat()));
    // Tables above folders of predictions describe them.
    let found = if below.is_empty() { own } else { below };
    if found.is_empty() {
        bail!("the folder has no predictions, expected MODEL.csv or DATASET/MODEL.csv: {}", folder.display());
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}

fn is_predictions(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_table = name.ends_with(".csv") || name.ends_with(".tsv");
    // A probe's metrics are beside its predictions.
    let is_summary = name.contains("_results.") && ProbeFolder::of_file(path).is_some();
    is_table && !name.starts_with("classes_") && !name.starts_with('.') && !is_summary && path.is_file()
}

/// Files of one name in several folders, such as `mine/pad.csv` and `theirs/pad.csv`, are of models that the folders are
/// called after, if the name is that of a benchmark.
fn by_folder_of_model(mut files: Vec<PredictionFile>) -> Vec<PredictionFile> {
    let keys = crate::benchmarks::Benchmark::built_in().unwrap_or_default();
    let is_benchmark = |name: &str| keys.iter().any(|benchmark| benchmark.key.eq_ignore_ascii_case(name));
    if files.iter().all(|file| is_benchmark(&file.model) && !is_benchmark(&file.dataset)) {
        files.iter_mut().for_each(|file| std::mem::swap(&mut file.model, &mut file.dataset));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    fn found(folder: &tempfile::TempDir, arguments: &[&str]) -> Result<Vec<(String, String)>> {
        let arguments: Vec<PathBuf> = arguments.iter().map(|argument| folder.path().join(argument)).collect();
        Ok(prediction_files(&arguments)?.into_iter().map(|file| (file.dataset, file.model)).collect())
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
    }

    #[test]
    fn folders_are_data_sets_and_files_are_models() {
        let root = folder(&[
            "reference.csv",
            "classes_HAM.csv",
            "HAM/MAKE.csv",
            "HAM/a.csv",
            "class2label/HAM.csv",
            "PAD/a.csv",
        ]);
        let expected = pairs(&[("HAM", "MAKE"), ("HAM", "a"), ("PAD", "a")]);
        assert_eq!(found(&root, &["."]).unwrap(), expected);
        assert_eq!(found(&root, &["HAM", "PAD/a.csv"]).unwrap(), expected);
        assert!(found(&root, &["HAM", "HAM/a.csv"]).unwrap_err().to_string().contains("named twice"));
        std::fs::create_dir(root.path().join("empty")).unwrap();
        assert!(found(&root, &["empty"]).unwrap_err().to_string().contains("has no predictions"));
    }

    #[test]
    fn folders_of_linear_probes_have_a_folder_for_each_model() {
        let root = folder(&[
            "class2label/HAM.csv",
            "HAM_100pct/MAKE_HAM/HAM-official-7-lp.csv",
            "HAM_100pct/MAKE_HAM/make_HAM_results.csv",
            "HAM_100pct/PanDerm/HAM-official-7-lp.csv",
            "HAM_10pct/MAKE_HAM/HAM-official-7-lp.csv",
        ]);
        let of_all = pairs(&[("HAM_100pct", "MAKE"), ("HAM_100pct", "PanDerm")]);
        assert_eq!(found(&root, &["HAM_100pct"]).unwrap(), of_all);
        assert_eq!(found(&root, &["."]).unwrap(), [of_all.clone(), pairs(&[("HAM_10pct", "MAKE")])].concat());
        assert_eq!(found(&root, &["HAM_100pct/MAKE_HAM"]).unwrap(), of_all[..1]);
        let classes = prediction_files(&[root.path().to_path_buf()]).unwrap().remove(0).class_names;
        assert_eq!(classes, Some(std::path::absolute(root.path().join("class2label/HAM.csv")).unwrap()));
    }

    #[test]
    fn files_that_are_called_as_a_benchmark_are_of_the_model_of_their_folder() {
        let root = folder(&["mine/pad.csv", "theirs/PAD.csv"]);
        assert_eq!(found(&root, &["mine", "theirs"]).unwrap(), pairs(&[("pad", "mine"), ("PAD", "theirs")]));
    }
}
