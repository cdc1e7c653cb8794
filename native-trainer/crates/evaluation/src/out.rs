//! The folder of a report: `results.json`, `results.md`, `report.html`.

use super::report;
use super::results::{Published, Results};
use anyhow::{Result, bail};
use dermake_files::lock::Lock;
use dermake_files::output::{create_folder, replace_file};
use dermake_files::text_file;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use shared_model::config::PreprocessConfig;
use shared_model::preprocess::{Reading, resize_and_crop};
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

const RESULTS_FILE: &str = "results.json";
/// Side of a picture in the report, in pixels.
const THUMBNAIL_SIZE: usize = 160;

/// A folder that may be written to, by one evaluation at a time.
pub struct ReportFolder {
    folder: PathBuf,
    _lock: Lock,
}

impl ReportFolder {
    /// Checks, before hours of work, that the report can be written.
    ///
    /// # Errors
    /// If the folder has other files than a report, cannot be created, or another evaluation writes there.
    pub fn prepare(folder: &Path) -> Result<Self> {
        create_folder(folder)?;
        let is_lock = |entry: std::io::Result<DirEntry>| entry.is_ok_and(|entry| Lock::is_lock(&entry.file_name()));
        let is_empty = std::fs::read_dir(folder)?.all(is_lock);
        if !is_empty && !is_report(folder) {
            bail!("the folder has something else in it than a report of dermake eval: {}", folder.display());
        }
        Ok(Self { _lock: Lock::of_folder(folder)?, folder: folder.into() })
    }

    /// Writes the report, each file whole or not at all; those of an earlier report are replaced.
    pub fn write(&self, results: &Results, published: &[Published]) -> Result<()> {
        self.write_file("results.md", report::markdown(results, published).as_bytes())?;
        self.write_file("report.html", report::html(results, published, &thumbnail).as_bytes())?;
        self.write_file(RESULTS_FILE, &serde_json::to_vec_pretty(results)?)?;
        tracing::info!("the report is {}", self.folder.join("report.html").display());
        Ok(())
    }

    fn write_file(&self, name: &str, content: &[u8]) -> Result<()> {
        replace_file(&self.folder.join(name), content)
    }
}

fn is_report(folder: &Path) -> bool {
    let json = text_file::read(&folder.join(RESULTS_FILE)).unwrap_or_default();
    serde_json::from_str::<Results>(&json).is_ok_and(|results| results.format == Results::FORMAT)
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
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let new = root.path().join("new/deep");
        let report = ReportFolder::prepare(&new).unwrap();
        assert!(ReportFolder::prepare(&new).is_err(), "another evaluation writes there");
        drop(report);
        assert!(ReportFolder::prepare(&new).is_ok());
        std::fs::write(root.path().join("thesis.txt"), "mine").unwrap();
        assert!(ReportFolder::prepare(root.path()).is_err());
    }
}
