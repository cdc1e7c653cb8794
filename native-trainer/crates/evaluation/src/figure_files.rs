//! The drawings of a report as SVG and PNG files, and the tables of its maps, in its folder `figures`. Those of an
//! earlier report are removed.

use super::embedding_map;
use super::report;
use super::results::Results;
use anyhow::{Context, Result};
use dermake_files::output::create_folder;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folder of the report's drawings; those of further models in a folder each.
const FOLDER: &str = "figures";
/// Ends of the names of what is written there. A PNG is ours if there is an SVG of its name.
const ENDINGS: [&str; 2] = [".svg", "-map.csv"];

/// Writes the drawings and maps of models into the folder of their report, and removes those that an earlier report left:
/// of benchmarks and models that this one does not have.
///
/// # Errors
/// When a file cannot be written or removed.
pub fn write(models: &[Results], report_folder: &Path) -> Result<()> {
    let root = report_folder.join(FOLDER);
    let mut written = HashSet::new();
    for (at, results) in models.iter().enumerate() {
        let folder = if at == 0 { root.clone() } else { root.join((at + 1).to_string()) };
        create_folder(&folder)?;
        for figure in report::figures(results) {
            let svg = folder.join(format!("{}.svg", figure.name));
            let png = dermake_drawing::write_figure(&figure.svg, &svg)?;
            written.extend([svg, png]);
        }
        for benchmark in &results.benchmarks {
            if let Some(map) = &benchmark.map {
                written.insert(embedding_map::write(map, &report::slug(&benchmark.key), &folder)?);
            }
        }
    }
    remove_others(&root, &written)
}

/// Removes what looks like a figure and was not written now; other files stay.
fn remove_others(folder: &Path, written: &HashSet<PathBuf>) -> Result<()> {
    let cannot = |path: &Path| format!("cannot remove a figure of an earlier report: {}", path.display());
    if !folder.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(folder).with_context(|| cannot(folder))?;
    let paths: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>().with_context(|| cannot(folder))?;
    let is_picture = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "png") && paths.contains(&path.with_extension("svg"))
    };
    for path in &paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name.parse::<usize>().is_ok() {
            remove_others(path, written)?;
            let _ = fs::remove_dir(path); // unless something is in it
        } else if (ENDINGS.iter().any(|ending| name.ends_with(ending)) || is_picture(path))
            && !written.contains(path)
        {
            fs::remove_file(path).with_context(|| cannot(path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::report::samples;
    use super::*;

    /// The figures below the folder of a report, the second model's with its folder.
    fn names(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for prefix in ["", "2/"] {
            let entries = fs::read_dir(folder.join(FOLDER).join(prefix)).into_iter().flatten().flatten();
            let files = entries.filter(|entry| entry.path().is_file());
            names.extend(files.map(|entry| format!("{prefix}{}", entry.file_name().to_string_lossy())));
        }
        names.sort();
        names
    }

    #[test]
    fn figures_of_an_earlier_report_are_removed_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let few = samples::results(vec![samples::concepts()]);
        let more = samples::results(vec![samples::classification(&["acne", "nevus"]), samples::concepts()]);
        write(std::slice::from_ref(&few), folder.path()).unwrap();
        let expected = names(folder.path());
        let n_of = |ending: &str| expected.iter().filter(|name| name.ends_with(ending)).count();
        assert!(n_of(".svg") > 0 && n_of(".svg") == n_of(".png"), "{expected:?}");
        write(&[more.clone(), more], folder.path()).unwrap();
        for earlier in ["pad-map.csv", "pad-label-map.svg", "pad-label-map.png"] {
            fs::write(folder.path().join(FOLDER).join(earlier), "an earlier map").unwrap();
        }
        assert!(names(folder.path()).len() > 2 * expected.len());
        write(std::slice::from_ref(&few), folder.path()).unwrap();
        assert_eq!(names(folder.path()), expected);
        assert!(!folder.path().join(FOLDER).join("2").exists());
        let mine = ["notes.txt", "photo.png"].map(|name| folder.path().join(FOLDER).join(name));
        mine.iter().for_each(|path| fs::write(path, "mine").unwrap());
        write(&[few], folder.path()).unwrap();
        assert!(mine.iter().all(|path| path.exists()));
    }
}
