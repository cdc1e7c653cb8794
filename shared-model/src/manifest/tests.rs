//! What a manifest may say, and the field that an error names.

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
