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
mod tests {
    use super::*;

    fn manifest(file: &str, format: &str) -> String {
        serde_json::json!({
            "format": format, "name": "m", "trained": true, "weight_format": "q8_0", "config": {},
            "files": [{"role": "vision", "file": file, "bytes": 3, "sha256": "0".repeat(64)}],
            "label_sets": [], "templates": [],
        })
        .to_string()
    }

    #[test]
    fn a_manifest_names_plain_files_of_its_own_format() {
        let good = Manifest::from_json(manifest("vision.safetensors", Manifest::FORMAT).as_bytes()).unwrap();
        assert_eq!(good.file(FileRole::Vision).unwrap().bytes, 3);
        assert!(good.file(FileRole::Text).is_err());
        for file in ["../x", "/etc/passwd", "", ".hidden", "a\\b", "c:x"] {
            assert!(Manifest::from_json(manifest(file, Manifest::FORMAT).as_bytes()).is_err(), "{file}");
        }
        assert!(Manifest::from_json(manifest("x", "other/9").as_bytes()).is_err());
        assert!(Manifest::from_json(b"{").is_err());
    }

    #[test]
    fn an_error_names_the_field() {
        let good = manifest("x", Manifest::FORMAT);
        for (from, to, field) in [
            (r#""bytes":3"#, r#""bytes":"3""#, "files[0].bytes"),
            (r#""role":"vision""#, r#""role":"sound""#, "files[0].role"),
            (r#""trained":true,"#, "", Manifest::FILE_NAME),
            (r#""templates":[]"#, r#""templates":["{}",7]"#, "templates[1]"),
        ] {
            assert!(good.contains(from), "{good}");
            match Manifest::from_json(good.replacen(from, to, 1).as_bytes()) {
                Err(Error::ManifestJson { field: found, .. }) => assert_eq!(found, field),
                other => panic!("{to}: {other:?}"),
            }
        }
        for config in ["null", "[]", "7"] {
            let damaged = Manifest::from_json(good.replacen("{}", config, 1).as_bytes()).unwrap();
            let message = damaged.clip_config().unwrap_err().to_string();
            assert!(message.contains(config) && message.contains("expected an object"), "{message}");
        }
    }

    #[test]
    fn a_role_may_have_several_files() {
        let mut manifest = Manifest::from_json(manifest("a", Manifest::FORMAT).as_bytes()).unwrap();
        let file = |role, name: &str| ManifestFile { role, file: name.into(), ..manifest.files[0].clone() };
        let more = [
            file(FileRole::Tokenizer, "vocab.txt"),
            file(FileRole::Text, "text"),
            file(FileRole::Tokenizer, "tokenizer_config.json"),
        ];
        manifest.files.extend(more);
        let names = |roles: &[FileRole]| {
            manifest.files_of(roles).map(|files| files.iter().map(|file| file.file.clone()).collect::<Vec<_>>())
        };
        assert_eq!(names(&Manifest::TEXT_ROLES).unwrap(), ["text", "vocab.txt", "tokenizer_config.json"]);
        assert!(names(&Manifest::FIRST_ROLES).is_err());
    }

    #[test]
    fn a_whole_manifest_has_a_config_templates_and_a_file_of_each_role() {
        let mut manifest = Manifest::from_json(crate::demo::file(Manifest::FILE_NAME).unwrap()).unwrap();
        manifest.check_whole().unwrap();
        let tokenizer = manifest.files.pop().unwrap();
        let error = manifest.check_whole().unwrap_err().to_string();
        assert!(error.contains("a file of role Tokenizer"), "{error}");
        manifest.files.push(tokenizer);
        for damage in [
            |manifest: &mut Manifest| manifest.templates.clear(),
            |manifest: &mut Manifest| manifest.config["model_cfg"]["embed_dim"] = "many".into(),
        ] {
            let mut damaged = manifest.clone();
            damage(&mut damaged);
            assert!(damaged.check_whole().is_err());
        }
    }

    #[test]
    fn fractions_are_read_as_written() {
        let ratio = 1.044_444_444_444_444_3;
        let written = manifest("x", Manifest::FORMAT).replace("{}", &format!(r#"{{"mlp_ratio":{ratio:?}}}"#));
        let read = Manifest::from_json(written.as_bytes()).unwrap();
        assert_eq!(read.config["mlp_ratio"].as_f64(), Some(ratio));
    }

    #[test]
    fn a_calibration_may_be_there_and_has_a_positive_temperature() {
        let without = manifest("x", Manifest::FORMAT);
        let read = |temperature: f64| {
            let figure = serde_json::json!({ "value": null });
            let errors = serde_json::json!({
                "expected_calibration_error": figure, "brier_score": figure, "negative_log_likelihood": figure,
            });
            let calibration = serde_json::json!({
                "label_set": "pad", "class_names": ["a", "b"], "temperature": temperature,
                "none_of_these": {
                    "temperature": 1.0, "threshold": -1.5, "refused_share": 0.05,
                    "concept_match": {"mean": 0.2, "deviation": 0.1},
                    "largest_cosine": {"mean": 0.2, "deviation": 0.1},
                },
                "measured": {
                    "data": "d", "n_fitted": 1, "n_held_out": 1, "top1_accuracy": figure, "before": errors,
                    "after": errors, "refused": figure, "outside": [],
                },
            });
            let with = without.replacen('{', &format!(r#"{{"calibrations": [{calibration}],"#), 1);
            Manifest::from_json(with.as_bytes())
        };
        assert_eq!(read(1.5).unwrap().calibrations[0].temperature, 1.5);
        for refused in [0.0, -1.0, 1e-300] {
            let message = read(refused).unwrap_err().to_string();
            assert!(message.contains("`calibrations[0].temperature` is"), "{message}");
        }
        let old = Manifest::from_json(without.as_bytes()).unwrap();
        assert!(old.calibrations.is_empty() && !serde_json::to_string(&old).unwrap().contains("calibrations"));
    }

    #[test]
    fn a_notice_may_be_there_or_not() {
        let without = manifest("x", Manifest::FORMAT);
        let read = |json: &str| Manifest::from_json(json.as_bytes()).unwrap();
        assert_eq!(read(&without).notice, None);
        assert!(!serde_json::to_string(&read(&without)).unwrap().contains("notice"));
        let with = without.replacen('{', r#"{"notice": "Drawn.","#, 1);
        assert_eq!(read(&with).notice.as_deref(), Some("Drawn."));
        assert!(serde_json::to_string(&read(&with)).unwrap().contains(r#""notice":"Drawn.""#));
    }
}
