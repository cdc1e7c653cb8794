//! The files of a run, and which files of these names may be replaced: those of an earlier run that nobody has changed.

use crate::options::PrepareOptions;
use anyhow::{Context, Result, bail, ensure};
use dermake_files::hash::sha256_of_file;
use dermake_files::inputs::is_same_place;
use dermake_files::output::check_file;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The file with the counts.
pub(crate) const COUNTS: &str = "prepare.json";
/// What a language model answered.
pub const ANSWERS: &str = "answers.jsonl";
/// What was found in each caption.
pub(crate) const EXTRACTED: &str = "extracted.jsonl";
/// The validation part, called as in the recipes.
pub(crate) const VALIDATION: &str = "val.csv";
/// Rows to check by hand.
pub(crate) const SAMPLE: &str = "sample.csv";
pub(crate) const REPORT: &str = "report.html";
const ALL: [&str; 6] = [COUNTS, ANSWERS, EXTRACTED, VALIDATION, SAMPLE, REPORT];

/// Returns the file of this name beside the table.
pub(crate) fn beside(out: &Path, name: &str) -> PathBuf {
    out.with_file_name(name)
}

/// Files by name, each with the hashes of what runs have written into it.
pub(crate) type Written = BTreeMap<String, Vec<String>>;

/// The parts of the counts of a run that tell them from other files.
#[derive(Deserialize)]
struct Counts {
    #[serde(rename = "mask_order")]
    _mask_order: serde_json::Value,
    #[serde(rename = "n_rows")]
    _n_rows: u64,
    #[serde(default)]
    files: Written,
}

/// What earlier runs wrote beside a table.
pub(crate) struct Earlier {
    is_there: bool,
    pub(crate) files: Written,
}

impl Earlier {
    /// Reads the counts beside a table.
    pub(crate) fn of(out: &Path) -> Self {
        let json = std::fs::read(beside(out, COUNTS)).ok();
        let counts: Option<Counts> = json.and_then(|json| serde_json::from_slice(&json).ok());
        Self { is_there: counts.is_some(), files: counts.map(|counts| counts.files).unwrap_or_default() }
    }

    /// Returns the hash of a file that a result replaces; None if there is none.
    ///
    /// # Errors
    /// When no earlier run has written it, or somebody has changed it since.
    pub(crate) fn replaced(&self, path: &Path) -> Result<Option<String>> {
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(hashes) = self.files.get(name.as_ref()) else { bail!(would_be_overwritten(path)) };
        let hash = sha256_of_file(path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            hashes.contains(&hash),
            "this file was changed after `dermake prepare` had written it, and would be overwritten; rename it, or choose \
             another folder for --out: {}",
            path.display()
        );
        Ok(Some(hash))
    }

    /// Checks that no part of an earlier run stays whose rows are in the new table, too.
    ///
    /// # Errors
    /// When there is one.
    fn check_validation(&self, out: &Path) -> Result<()> {
        let path = beside(out, VALIDATION);
        ensure!(
            !self.files.contains_key(VALIDATION) || path.symlink_metadata().is_err(),
            "this is the validation part of an earlier run, whose rows would be in the training table, too; give \
             --validation-share again, remove the file, or choose another folder for --out: {}",
            path.display()
        );
        Ok(())
    }
}

fn would_be_overwritten(path: &Path) -> String {
    format!("this file would be overwritten, choose another folder for --out: {}", path.display())
}

/// Checks where the results are written.
///
/// # Errors
/// When it is no place for a table, or something else would be overwritten.
pub fn check_out(options: &PrepareOptions) -> Result<()> {
    let out = &options.out;
    if out.is_dir() || out.file_name().is_none() {
        bail!("this is a folder, expected the name of a table such as train.csv: {}", out.display());
    }
    if out.metadata().is_ok_and(|found| !found.is_file()) {
        bail!("this is a device or a pipe, expected the name of a new table: {}", out.display());
    }
    if !out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        bail!("--out is written as CSV, expected a name that ends in .csv: {}", out.display());
    }
    if ALL.iter().any(|name| out.file_name() == Some(OsStr::new(name))) {
        bail!("another result of the run has this name, expected a name such as train.csv: {}", out.display());
    }
    let is_folder_new = out.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    if !is_folder_new {
        check_file(out)?;
    }
    let is_table = |path: &Path| is_same_place(path, &options.table);
    if is_table(out) {
        bail!("--out names the table that is read, expected another file: {}", out.display());
    }
    let (counts, earlier) = (beside(out, COUNTS), Earlier::of(out));
    if is_table(&counts) || (!earlier.is_there && counts.symlink_metadata().is_ok()) {
        bail!(would_be_overwritten(&counts));
    }
    let has_validation = options.hygiene.validation_share > 0.0;
    let results = [EXTRACTED, SAMPLE, REPORT].into_iter().chain(has_validation.then_some(VALIDATION));
    for path in results.map(|name| beside(out, name)).chain([out.clone()]) {
        if is_table(&path) {
            bail!(would_be_overwritten(&path));
        }
        earlier.replaced(&path)?;
    }
    if !has_validation {
        earlier.check_validation(out)?;
    }
    Ok(())
}
