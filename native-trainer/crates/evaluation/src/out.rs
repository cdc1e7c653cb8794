//! The folder of a report: `results.json`, `results.md`, `report.html`, `figures/`, `predictions/`.

use super::compare::{Comparison, Evaluated};
use super::figure_files;
use super::predictions::{self, CLASS_FOLDER};
use super::published::Published;
use super::report;
use anyhow::{Context, Result, bail};
use dermake_files::created_folders::CreatedFolders;
use dermake_files::lock::Lock;
use dermake_files::output::{create_folder, replace_file};
use dermake_sources::is_report;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{Reading, resize_and_crop};
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

const RESULTS_FILE: &str = "results.json";
/// Folder of the tables with the answer to each image: `DATASET/MODEL.csv`, as DermFM-Zero publishes them.
const PREDICTIONS_FOLDER: &str = "predictions";
/// Files that a warning names.
const MAX_NAMED: usize = 5;
/// Side of a picture in the report, in pixels.
const THUMBNAIL_SIZE: usize = 160;

/// A folder that may be written to, by one evaluation at a time. If it was made for the report and nothing is written, it
/// is gone again.
pub struct ReportFolder {
    folder: PathBuf,
    /// Tables of answers that the report replaces, if it does not write them anew.
    superseded: Vec<PathBuf>,
    _lock: Lock,
    // After the lock, whose file is in the folder.
    _created: CreatedFolders,
}

impl ReportFolder {
    /// Checks, before hours of work, that the report can be written.
    ///
    /// # Errors
    /// If the folder has other files than a report, cannot be created, or another evaluation writes there.
    pub fn prepare(folder: &Path) -> Result<Self> {
        let created = CreatedFolders::create(folder)?;
        let is_lock = |entry: std::io::Result<DirEntry>| entry.is_ok_and(|entry| Lock::is_lock(&entry.file_name()));
        let is_empty = std::fs::read_dir(folder)?.all(is_lock);
        if !is_empty && !is_report(folder) {
            bail!(
                "the folder has something else in it than a report of dermake eval; name a new folder, or one with a \
                 report to replace: {}",
                folder.display()
            );
        }
        Ok(Self {
            _lock: Lock::of_folder(folder)?,
            _created: created,
            folder: folder.into(),
            superseded: Vec::new(),
        })
    }

    /// Names a table of answers of an earlier report here, which [`Self::remove_superseded`] removes.
    pub fn supersede(&mut self, benchmark: &str, model: &str) {
        self.superseded.push(self.answers_folder(benchmark).join(format!("{}.csv", plain(model))));
    }

    /// Removes the superseded tables that are not of these models.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn remove_superseded(&self, models: &[Evaluated]) -> Result<()> {
        let written: Vec<String> =
            models.iter().map(|model| format!("{}.csv", plain(&model.results.model.name))).collect();
        let is_written = |path: &&PathBuf| written.iter().any(|name| path.ends_with(name));
        for path in self.superseded.iter().filter(|path| path.is_file() && !is_written(path)) {
            std::fs::remove_file(path)
                .with_context(|| format!("cannot remove what an earlier run has written: {}", path.display()))?;
        }
        Ok(())
    }

    fn answers_folder(&self, benchmark: &str) -> PathBuf {
        self.folder.join(PREDICTIONS_FOLDER).join(plain(benchmark))
    }

    /// Writes the report, each file whole or not at all; those of an earlier report are replaced.
    pub fn write(&self, comparison: &Comparison, published: &[Published]) -> Result<()> {
        let json = serde_json::to_vec_pretty(&comparison.results_file())?;
        // First, since a folder is known as a report by it: after a full disk the same command may go on.
        self.write_file(RESULTS_FILE, &json)?;
        self.write_file("results.md", report::markdown(comparison, published).as_bytes())?;
        self.write_file("report.html", report::html(comparison, published, &thumbnail).as_bytes())?;
        figure_files::write(&comparison.models, &self.folder)?;
        tracing::info!("the report is {}", self.folder.join("report.html").display());
        Ok(())
    }

    /// Writes the answer to each image, by benchmark and model. Tables of other models stay.
    pub fn write_predictions(&self, models: &[Evaluated]) -> Result<()> {
        let root = self.folder.join(PREDICTIONS_FOLDER);
        let (mut taken, mut changed): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), Vec::new());
        for Evaluated { results, scored } in models {
            for (benchmark, predictions) in
                scored.iter().filter_map(|one| Some((&one.result.key, one.predictions.as_ref()?)))
            {
                let folder = self.answers_folder(benchmark);
                create_folder(&folder)?;
                create_folder(&root.join(CLASS_FOLDER))?;
                let name = plain(&results.model.name);
                let mut numbered =
                    (1..).map(|n| if n == 1 { format!("{name}.csv") } else { format!("{name}-{n}.csv") });
                let is_free = |name: &String| !taken.contains(&folder.join(name));
                let path = folder.join(numbered.find(is_free).unwrap_or_default());
                replace_file(&path, &predictions::to_csv(predictions)?)?;
                let classes = root.join(CLASS_FOLDER).join(format!("{}.csv", plain(benchmark)));
                let names = predictions::write_class_names(&predictions.class_names)?;
                if std::fs::read(&classes).is_ok_and(|earlier| earlier != names) {
                    changed.push(folder);
                }
                replace_file(&classes, &names)?;
                taken.push(path);
            }
        }
        changed.dedup();
        changed.iter().try_for_each(|folder| self.warn_of_other_classes(folder, &taken))
    }

    /// Warns of tables that are left in a folder whose class names have changed.
    fn warn_of_other_classes(&self, folder: &Path, taken: &[PathBuf]) -> Result<()> {
        let mut others = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let is_known = taken.contains(&path) || self.superseded.contains(&path);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            others.extend((name.ends_with(".csv") && !is_known).then_some(name));
        }
        if !others.is_empty() {
            others.sort();
            tracing::warn!(
                "the classes are others than those of an earlier report here; --from would read its answers by these \
                 classes; remove them, or name another --out: {} in {}",
                report::listed(&others.iter().map(String::as_str).collect::<Vec<_>>(), MAX_NAMED),
                folder.display()
            );
        }
        Ok(())
    }

    fn write_file(&self, name: &str, content: &[u8]) -> Result<()> {
        replace_file(&self.folder.join(name), content)
    }
}

/// The last part of a name in characters that every file system takes.
fn plain(name: &str) -> String {
    let last = name.trim_end_matches(['/', '\\']).rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '+') { c } else { '-' })
        .collect();
    let plain = plain.trim_matches(['.', ' ']);
    if plain.is_empty() { "model".into() } else { plain.into() }
}

/// A small JPEG of what the model sees of a picture.
fn thumbnail(path: &Path) -> Option<Vec<u8>> {
    let image = dermake_pictures::open(path, Reading::Reference).ok()?;
    let config = PreprocessConfig::openai(THUMBNAIL_SIZE);
    let image = resize_and_crop(&image, &config).ok()?;
    let side = THUMBNAIL_SIZE as u32;
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, 80);
    encoder.write_image(image.as_bytes(), side, side, ExtendedColorType::Rgb8).ok()?;
    Some(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models_become_names_of_files() {
        let names = ["hf-hub:xieji-x/MAKE", "runs/a/", "C:\\models\\b", "..", "a?b", "caf\u{e9}.pt"];
        assert_eq!(names.map(plain), ["MAKE", "a", "b", "model", "a-b", "caf\u{e9}.pt"]);
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let new = root.path().join("new/deep");
        let report = ReportFolder::prepare(&new).unwrap();
        assert!(ReportFolder::prepare(&new).is_err(), "another evaluation writes there");
        drop(report);
        assert!(!root.path().join("new").exists(), "nothing was written");
        assert!(ReportFolder::prepare(&new).is_ok());
        std::fs::write(root.path().join("thesis.txt"), "mine").unwrap();
        assert!(ReportFolder::prepare(root.path()).is_err());
    }
}
