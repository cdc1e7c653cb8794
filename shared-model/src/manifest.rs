//! `manifest.json`: what a quantized model consists of.

use crate::calibration::Calibration;
use crate::card::ModelCard;
use crate::config::ClipConfig;
use crate::foreign::json_text;
use crate::labels::{LabelSet, Templates};
use crate::weights::WeightFormat;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The purpose of a file of a quantized model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileRole {
    /// Vision tower.
    Vision,
    /// Text tower and logit scale.
    Text,
    /// One tensor `[E, C]` f32 for each built-in label set, under its key.
    Classifiers,
    /// A file of the tokenizer: CLIP's merges, or one of [`Tokenizer::FILE_NAMES`](crate::tokenizer::Tokenizer).
    Tokenizer,
}

/// One file beside the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ManifestFile {
    /// What it is for.
    pub role: FileRole,
    /// File name, without a path.
    pub file: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, in hexadecimal digits of lower case.
    pub sha256: String,
}

impl ManifestFile {
    /// # Errors
    /// [`Error::Manifest`] for a name with a path and for a hash that is none; `path` is this entry's own.
    fn check(&self, path: &str) -> Result<()> {
        let Self { file, sha256, .. } = self;
        if file.is_empty() || file.starts_with('.') || file.contains(['/', '\\', ':']) {
            return Err(manifest_error(&format!("{path}.file"), file, "a file name without a path"));
        }
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if sha256.len() != 64 || !sha256.bytes().all(is_digit) {
            return Err(manifest_error(&format!("{path}.sha256"), sha256, "64 hexadecimal digits"));
        }
        Ok(())
    }
}

/// The content of `manifest.json`: everything that is needed to load a quantized model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Manifest {
    /// Name and version of the format: `dermake-quantized/2`.
    pub format: String,
    /// Name for people: `hf-hub:owner/name`, or the folder of the checkpoint.
    pub name: String,
    /// False for a model with random weights, whose answers mean nothing.
    pub trained: bool,
    /// A warning that is shown with every answer, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Format of the big matrices.
    pub weight_format: WeightFormat,
    /// The content of `open_clip_config.json`.
    pub config: serde_json::Value,
    /// The other files of the folder.
    pub files: Vec<ManifestFile>,
    /// The label sets whose classifiers are stored.
    pub label_sets: Vec<LabelSet>,
    /// The templates of these classifiers, also used for labels that a user types.
    pub templates: Vec<String>,
    /// What `dermake calibrate` has fitted, one for each set of labels; without it, probabilities are not calibrated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibrations: Vec<Calibration>,
    /// What people should know of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<ModelCard>,
}

impl Manifest {
    /// The value of [`format`](Self::format) that this version reads and writes.
    pub const FORMAT: &'static str = "dermake-quantized/2";
    /// The manifest's file name.
    pub const FILE_NAME: &'static str = "manifest.json";
    /// The files that answers for built-in labels need.
    pub const FIRST_ROLES: [FileRole; 2] = [FileRole::Vision, FileRole::Classifiers];
    /// The files that other labels need, too.
    pub const TEXT_ROLES: [FileRole; 2] = [FileRole::Text, FileRole::Tokenizer];

    /// Parses and checks a manifest.
    ///
    /// # Errors
    /// [`Error::ManifestJson`] and [`Error::Manifest`] with the first invalid field, [`Error::ForeignFile`] when it is
    /// not JSON.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let json = json_text(json, "a model's manifest")?;
        let manifest: Self = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json))
            .map_err(|err| Error::ManifestJson { field: field_of(err.path()), source: err.into_inner() })?;
        if manifest.format != Self::FORMAT {
            return Err(manifest_error("format", &manifest.format, Self::FORMAT));
        }
        manifest.files.iter().enumerate().try_for_each(|(index, file)| file.check(&format!("files[{index}]")))?;
        for (index, calibration) in manifest.calibrations.iter().enumerate() {
            check_calibration(calibration, &format!("calibrations[{index}]"))?;
        }
        Ok(manifest)
    }

    /// Returns the model's config.
    ///
    /// # Errors
    /// As [`ClipConfig::from_json`].
    pub fn clip_config(&self) -> Result<ClipConfig> {
        ClipConfig::from_value(self.config.clone())
    }

    /// Checks that the manifest describes a whole model: its config and templates can be used, and each role has a file.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Manifest`] and [`Error::Labels`] name the first that is not as expected.
    pub fn check_whole(&self) -> Result<()> {
        self.clip_config()?;
        Templates::new(self.templates.clone())?;
        self.files_of(&[Self::FIRST_ROLES, Self::TEXT_ROLES].concat()).map(drop)
    }

    /// Returns all files of these roles, in the order of the roles.
    ///
    /// # Errors
    /// [`Error::Manifest`] when a role has no file.
    pub fn files_of(&self, roles: &[FileRole]) -> Result<Vec<&ManifestFile>> {
        roles.iter().try_for_each(|&role| self.file(role).map(drop))?;
        let of_role = |&role| self.files.iter().filter(move |file| file.role == role);
        Ok(roles.iter().flat_map(of_role).collect())
    }

    /// Returns the first file of a role.
    ///
    /// # Errors
    /// [`Error::Manifest`] when no file has this role.
    pub fn file(&self, role: FileRole) -> Result<&ManifestFile> {
        let missing = || manifest_error("files", "none", &format!("a file of role {role:?}"));
        self.files.iter().find(|file| file.role == role).ok_or_else(missing)
    }
}

/// Smallest temperature and deviation of a calibration. What is divided by a smaller one may be infinite.
const SMALLEST_DIVISOR: f64 = 1e-12;

/// # Errors
/// [`Error::Manifest`] for a temperature or deviation below [`SMALLEST_DIVISOR`].
fn check_calibration(Calibration { temperature, none_of_these, .. }: &Calibration, path: &str) -> Result<()> {
    for (field, divisor) in [
        ("temperature", *temperature),
        ("none_of_these.temperature", none_of_these.temperature),
        ("none_of_these.concept_match.deviation", none_of_these.concept_match.deviation),
        ("none_of_these.largest_cosine.deviation", none_of_these.largest_cosine.deviation),
    ] {
        if !(divisor.is_finite() && divisor >= SMALLEST_DIVISOR) {
            let expected = format!("a number of {SMALLEST_DIVISOR:e} or more");
            return Err(manifest_error(&format!("{path}.{field}"), format!("{divisor:?}"), &expected));
        }
    }
    Ok(())
}

fn manifest_error(field: &str, found: impl ToString, expected: &str) -> Error {
    Error::Manifest { field: field.into(), expected: expected.into(), found: found.to_string() }
}

/// Returns the path of a field as people write it; the manifest itself for the outermost object.
fn field_of(path: &serde_path_to_error::Path) -> String {
    if path.iter().next().is_none() { Manifest::FILE_NAME.into() } else { path.to_string() }
}

#[cfg(test)]
mod tests;
