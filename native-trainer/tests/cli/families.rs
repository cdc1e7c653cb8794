//! Models of other families, from a folder as a hub serves it: the files alone lead to the reference's answers.

use super::family::{Family, copy as copy_folder, files_of, towers};
use super::{dermake, json_lines, labels_of, sample};
use dermake_models::CONFIG_FILE as OPEN_CLIP_CONFIG;
use dermake_sources::Dataset;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

fn classify(model: &Path, image: &Path, labels: &Path) -> Value {
    let mut command = dermake();
    command.args(["classify", "--json", "--as-reference", "--template", "{}", "--top-k", "100"]);
    let output = command.arg("--model").arg(model).arg("--labels").arg(labels).arg(image).output().unwrap();
    assert!(output.status.success(), "{}: {}", model.display(), String::from_utf8_lossy(&output.stderr));
    json_lines(&output.stdout).remove(0)
}

#[test]
fn a_folder_of_another_family_answers_as_the_reference_dense_and_quantized() {
    let families = Family::all();
    assert!(families.len() >= 5, "{} families", families.len());
    let out = tempfile::tempdir().unwrap();
    for (number, family) in families.iter().enumerate() {
        let folder = &family.folder;
        let labels = out.path().join(format!("labels-{number}.json"));
        let names: Vec<&str> = family.labels().into_iter().map(|(_, label)| label).collect();
        assert!(names.len() >= 2, "{}: {names:?}", folder.display());
        fs::write(&labels, serde_json::to_string(&names).unwrap()).unwrap();
        let quantized = out.path().join(number.to_string());
        let mut quantize = dermake();
        quantize.args(["quantize", "--format", "int8", "--model"]).arg(folder).arg("--out").arg(&quantized);
        quantize.assert().success();

        for (index, image) in family.case["images"].as_array().unwrap().iter().enumerate().take(2) {
            let image = towers().join("preprocess/images").join(image.as_str().unwrap());
            if !image.is_file() {
                continue; // random pixels, which are no file
            }
            for (model, tolerance) in [(folder, 0.02), (&quantized, 8.0)] {
                let answer = classify(model, &image, &labels);
                assert_eq!(labels_of(&answer).len(), names.len());
                for (label, cosine) in family.cosines(index) {
                    let predictions = answer["predictions"].as_array().unwrap();
                    let found = predictions.iter().find(|found| found["label"] == label).unwrap();
                    let difference = (found["logit"].as_f64().unwrap() - 100.0 * cosine).abs();
                    assert!(difference < tolerance, "{} {label}: {difference}", model.display());
                }
            }
        }
    }
}

#[test]
fn a_model_of_another_family_is_not_trained() {
    let folder = tempfile::tempdir().unwrap();
    let family = &Family::all()[0];
    let recipe = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/smoke.toml")).unwrap();
    let rest = &recipe[recipe.find("[data]").unwrap()..];
    let path = folder.path().join("recipe.toml");
    fs::write(&path, format!("[model]\nfrom = {:?}\n\n{rest}", family.folder)).unwrap();
    let data = folder.path().join("data");
    dermake().args(["synth", "--images", "64", "--image-size", "64", "--out"]).arg(&data).assert().success();
    let run = folder.path().join("run");
    let output = dermake().arg("train").arg(&path).arg("--data").arg(&data).arg("--out").arg(run).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("this is a model of another kind"), "{log}");
}

/// No text has the token whose feature the config asks for, so all labels would have the same one.
#[test]
fn an_end_token_that_is_not_the_tokenizers_is_refused() {
    let config_of = |folder: &Path| -> Value {
        serde_json::from_slice(&fs::read(folder.join("config.json")).unwrap_or_else(|_| b"{}".to_vec())).unwrap()
    };
    let end_of = |family: &Family| config_of(&family.folder)["text_config"]["eos_token_id"].as_u64();
    let is_clip = |family: &&Family| family.folder.parent().is_some_and(|group| group.ends_with("hf_clip"));
    let family =
        Family::all().iter().filter(is_clip).find(|family| end_of(family).is_some_and(|id| id != 2)).unwrap();
    let end = end_of(family).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for path in files_of(&family.folder) {
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let mut config = config_of(copy.path());
    for (id, code) in [(end, 0), (end - 1, 2), (7, 2)] {
        config["text_config"]["eos_token_id"] = id.into();
        fs::write(copy.path().join("config.json"), config.to_string()).unwrap();
        let mut command = dermake();
        command.args(["classify", "--labels", "scale, bulla", "--model"]).arg(copy.path()).arg(sample(1));
        let output = command.output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{id}: {log}");
        let reason = format!("eos_token_id is {id}, expected {end}");
        assert_eq!(log.contains(&reason), code == 2, "{id}: {log}");
    }
}

/// SigLIP's among them squash the image and normalize by 0.5.
#[test]
fn every_family_embeds_as_the_reference_and_its_index_is_searched() {
    for family in Family::all() {
        let model = &family.folder;
        let image = family.case["images"][0].as_str().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (photos, features) = (folder.path().join("photos"), folder.path().join("features.csv"));
        fs::create_dir(&photos).unwrap();
        fs::copy(towers().join("preprocess/images").join(image), photos.join(image)).unwrap();
        fs::copy(sample(1), photos.join("photo.jpg")).unwrap();
        run(dermake().arg("embed").arg(&photos).arg("--model").arg(model).arg("--out").arg(&features));

        let table = Dataset::read(&features).unwrap();
        let row = (0..table.len()).find(|&row| table.cell(row, 0) == image).unwrap();
        let expected = family.io()["image_features"].to_vec2::<f32>().unwrap().remove(0);
        assert_eq!((table.len(), table.columns().len()), (2, 1 + expected.len()), "{}", model.display());
        for (at, expected) in expected.into_iter().enumerate() {
            let found: f32 = table.cell(row, 1 + at).parse().unwrap();
            assert!((found - expected).abs() < 5e-6, "{} value {at}: {found}, {expected}", model.display());
        }

        let mut search = dermake();
        search.args(["search", "--json", "--top-k", "1", "--index"]).arg(&photos).arg("--model").arg(model);
        let found = run(search.arg("--like").arg(photos.join(image))).remove(0);
        assert_eq!(found["file"], image, "{}", model.display());
        assert!((found["cosine"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{found}");
    }
}

#[test]
fn every_family_annotates_dense_and_quantized() {
    let out = tempfile::tempdir().unwrap();
    for (number, family) in Family::all().iter().enumerate() {
        let quantized = out.path().join(number.to_string());
        let mut quantize = dermake();
        quantize.args(["quantize", "--calibrate", "none", "--model"]).arg(&family.folder);
        run(quantize.arg("--out").arg(&quantized));
        let scores = [&family.folder, &quantized].map(|model| {
            let mut annotate = dermake();
            annotate.args(["annotate", "--json", "--concepts", "scale, bulla, ulcer"]).arg(sample(1));
            let answer = run(annotate.arg("--model").arg(model)).remove(0);
            let score = |of: &Value| (of["concept"].as_str().unwrap().to_owned(), of["score"].as_f64().unwrap());
            let scores: HashMap<String, f64> = answer["concepts"].as_array().unwrap().iter().map(score).collect();
            assert!(scores.values().all(|score| *score > 0.0 && *score < 1.0), "{}: {scores:?}", model.display());
            scores
        });
        assert_eq!(scores[0].len(), 3);
        // Rounding errors average out over the values of a token, of which small towers have few.
        let narrowest = family.config.vision.width.min(family.config.text.width);
        let tolerance = 0.4 / (narrowest as f64).sqrt();
        for (concept, dense) in &scores[0] {
            let difference = (scores[1][concept] - dense).abs();
            assert!(difference < tolerance, "{} {concept}: {difference}", family.folder.display());
        }
    }
}

/// OpenAI's and MONET's weights are published in shards and as pickles, too.
#[test]
fn shards_and_pickles_of_one_model_answer_alike() {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels.json");
    fs::write(&labels, r#"["acne", "basal cell carcinoma"]"#).unwrap();
    let image = towers().join("preprocess/images/a_rgb.png");
    let openai = towers().join("hf_clip/openai");
    let answers = ["openai", "openai_sharded", "openai_bin"].map(|name| {
        let copy = folder.path().join(name);
        fs::create_dir(&copy).unwrap();
        let of_tokenizer = ["vocab.json", "merges.txt", "tokenizer_config.json", "preprocessor_config.json"];
        let shared = of_tokenizer.map(|file| openai.join(file));
        for path in files_of(&towers().join("hf_clip").join(name)).iter().chain(&shared) {
            fs::copy(path, copy.join(path.file_name().unwrap())).unwrap();
        }
        classify(&copy, &image, &labels)["predictions"].clone()
    });
    assert_eq!(answers[0].as_array().unwrap().len(), 2);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

/// As many repositories on the hub are.
#[test]
fn a_folder_with_the_files_of_two_libraries_says_once_which_are_taken() {
    let is_open_clip = |family: &&Family| family.is_as_published && family.folder.join(OPEN_CLIP_CONFIG).is_file();
    let family = Family::all().iter().find(is_open_clip).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("both");
    copy_folder(&family.folder, &folder);
    let answer = || {
        let mut command = dermake();
        command.args(["classify", "--json", "--labels", "scale, bulla", "--model"]).arg(&folder).arg(sample(1));
        let output = command.output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        (json_lines(&output.stdout).remove(0)["predictions"].clone(), log.matches("INFO taking ").count(), log)
    };
    let (alone, n_notes, log) = answer();
    assert_eq!(n_notes, 0, "{log}");
    fs::write(folder.join("config.json"), r#"{"model_type": "clip"}"#).unwrap();
    fs::write(folder.join("model.safetensors"), "weights that nobody reads").unwrap();
    let (both, n_notes, log) = answer();
    assert_eq!((both, n_notes), (alone, 1), "{log}");
    let expected =
        "taking open_clip_config.json and open_clip_model.safetensors, not config.json, model.safetensors";
    assert!(log.contains(expected) && log.contains("since open_clip's files come first"), "{log}");
}

/// The JSON lines that a command prints.
fn run(command: &mut assert_cmd::Command) -> Vec<Value> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let is_json = output.stdout.starts_with(b"{");
    if is_json { json_lines(&output.stdout) } else { Vec::new() }
}
