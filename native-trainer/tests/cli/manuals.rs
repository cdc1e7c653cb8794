//! The manuals beside the program: README and `docs/` name only commands, options, recipes and files that exist, and
//! `docs/server.md` has every option of `dermake serve`.

use crate::dermake;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// README and everything in `docs/`, with their paths.
fn manuals() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md"), root().join("CONTRIBUTING.md"), root().join("ARCHITECTURE.md")];
    paths.extend(fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    let is_markdown = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(&path).unwrap());
    let manuals: Vec<_> = paths.into_iter().filter(is_markdown).map(read).collect();
    assert!(manuals.len() > 5, "{manuals:?}");
    manuals
}

fn help(command: &[&str]) -> String {
    let output = dermake().args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "dermake {command:?} does not exist");
    String::from_utf8(output.stdout).unwrap()
}

/// The `--options` of a text.
fn options(text: &str) -> BTreeSet<String> {
    let is_of_option = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let words = text.split(|letter: char| !is_of_option(letter));
    let name = |word: &str| word.strip_prefix("--").filter(|name| !name.is_empty()).map(|name| format!("--{name}"));
    words.filter_map(name).collect()
}

/// The `dermake …` commands of a text in which code blocks and code spans are commands.
fn commands(text: &str) -> Vec<Vec<String>> {
    let code_blocks = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    let prose: String = text.split("```").step_by(2).collect();
    let spans: Vec<&str> = prose.split('`').skip(1).step_by(2).collect();
    let mut commands = Vec::new();
    for line in code_blocks.chain(spans) {
        let code = line.split(" # ").next().unwrap_or_default();
        for part in code.split("&&") {
            let words: Vec<String> = part.split_whitespace().map(str::to_owned).collect();
            if words.first().is_some_and(|word| word == "dermake") && words.len() > 1 {
                commands.push(words[1..].to_vec());
            }
        }
    }
    commands
}

#[test]
fn manuals_name_only_commands_and_options_that_exist() {
    let mut known: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    let mut n_checked = 0;
    for (path, text) in manuals() {
        for words in commands(&text) {
            let is_word = |word: &&String| word.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-');
            let depth = if words[0] == "data" { 2 } else { 1 };
            let name: Vec<String> = words.iter().take(depth).take_while(is_word).cloned().collect();
            if name.is_empty() || name[0].starts_with('-') {
                continue; // COMMAND, --version
            }
            let named = options(&words.join(" "));
            let found = known
                .entry(name.clone())
                .or_insert_with(|| options(&help(&name.iter().map(String::as_str).collect::<Vec<_>>())));
            let missing: Vec<_> = named.difference(found).collect();
            assert!(missing.is_empty(), "dermake {} has no {missing:?}: {}", name.join(" "), path.display());
            n_checked += 1;
        }
    }
    assert!(n_checked > 30, "{n_checked}");
}

#[test]
fn the_manual_of_the_server_has_every_option() {
    let manual = fs::read_to_string(root().join("docs/server.md")).unwrap();
    let described = options(&manual);
    let missing: Vec<String> = options(&help(&["serve"]))
        .into_iter()
        .filter(|option| option != "--help" && !described.contains(option))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The options of `dermake serve` with a number as default, and that number.
fn numeric_defaults(help: &str) -> Vec<(String, String)> {
    let mut option = String::new();
    let mut defaults = Vec::new();
    for line in help.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("--") {
            option = format!("--{}", name.split_whitespace().next().unwrap_or_default());
        }
        let default = line.strip_prefix("[default: ").and_then(|rest| rest.strip_suffix(']'));
        if let Some(default) = default.filter(|default| default.parse::<u32>().is_ok()) {
            defaults.push((option.clone(), default.to_owned()));
        }
    }
    defaults
}

#[test]
fn the_manual_of_the_server_has_the_defaults_of_its_limits() {
    let manual = fs::read_to_string(root().join("docs/server.md")).unwrap();
    let rows: BTreeMap<String, String> = manual
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let option = options(cells.get(1)?).pop_first()?;
            Some((option, cells.get(2)?.replace(',', "")))
        })
        .collect();
    let limits = numeric_defaults(&help(&["serve"]));
    assert!(limits.len() > 15, "{limits:?}");
    for (option, default) in limits {
        let is_in_words = ["--port", "--decoders"].contains(&option.as_str());
        assert!(is_in_words || rows.get(&option) == Some(&default), "{option}: {:?}, {default}", rows.get(&option));
    }
}

#[test]
fn the_manual_s_proxy_names_the_client_and_lets_the_largest_body_through() {
    let manual = fs::read_to_string(root().join("docs/server.md")).unwrap();
    let proxy = manual.split("```").find(|block| block.contains("proxy_pass")).unwrap();
    assert!(proxy.contains("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"), "{proxy}");
    let limits = numeric_defaults(&help(&["serve"]));
    let (_, max_body_mib) = limits.iter().find(|(option, _)| option == "--max-body-mib").unwrap();
    assert!(proxy.contains(&format!("client_max_body_size {max_body_mib}m;")), "{proxy}");
}

/// The fields that a recipe sets, without those of open_clip's `model_cfg`.
fn fields(recipe: &str) -> Vec<&str> {
    let mut section = "";
    let mut fields = Vec::new();
    for line in recipe.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        } else if let Some((field, _)) = line.split_once(" = ").filter(|_| !section.contains("model_cfg")) {
            fields.push(field);
        }
    }
    fields
}

#[test]
fn the_manual_of_training_has_every_recipe_and_field() {
    let manual = fs::read_to_string(root().join("docs/training.md")).unwrap();
    let mut n_fields = 0;
    for path in fs::read_dir(root().join("native-trainer/recipes")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(manual.contains(&format!("`{name}`")), "the recipe {name}");
        for field in fields(&fs::read_to_string(&path).unwrap()) {
            let is_there = ["`", "."].iter().any(|before| manual.contains(&format!("{before}{field}` | ")));
            assert!(is_there, "the field {field} of {name}");
            n_fields += 1;
        }
    }
    assert!(n_fields > 50, "{n_fields}");
}

#[test]
fn the_manual_s_recipe_is_a_whole_one() {
    let manual = fs::read_to_string(root().join("docs/training.md")).unwrap();
    let (_, rest) = manual.split_once("```toml\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("my-recipe.toml");
    fs::write(&recipe, rest.split_once("```").unwrap().0).unwrap();
    let mut train = dermake();
    train
        .arg("train")
        .arg(&recipe)
        .arg("--data")
        .arg(crate::train_run::data())
        .arg("--out")
        .arg(folder.path().join("run"));
    let output = train.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.path().join("run/checkpoints/last/open_clip_model.safetensors").is_file());
}

#[test]
fn file_formats_have_manuals_and_schemas() {
    for (format, key) in [
        ("recipe", "run.batch_size"),
        ("benchmarks", "benchmark"),
        ("results", "model"),
        ("tables", "concept_scores[].file"),
        ("manifest", "files"),
    ] {
        let text = |arguments: &[&str]| {
            let output = dermake().args(["help", format]).args(arguments).output().unwrap();
            assert!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        assert!(text(&[]).contains(&format!("\n{key}\n")), "{format}: {}", text(&[]));
        let undescribed: Vec<String> = text(&[])
            .split("\n\n")
            .skip(2)
            .filter(|key| key.trim_end().lines().count() < 3)
            .map(String::from)
            .collect();
        assert!(undescribed.is_empty(), "keys of {format} without a doc comment: {undescribed:?}");
        let schema: serde_json::Value = serde_json::from_str(&text(&["--json"])).unwrap();
        assert!(schema["properties"].is_object(), "{format}");
    }
    let manual = dermake().args(["help", "train"]).output().unwrap();
    assert!(String::from_utf8_lossy(&manual.stdout).contains("--data"));
    let unknown = dermake().args(["help", "nonsense"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("recipe, benchmarks, results, tables, manifest"));
}

/// Where the formats changed, delete the page: this test writes it and fails.
#[test]
fn the_page_of_file_formats_is_what_the_program_prints() {
    let output = dermake().args(["help", "--markdown"]).output().unwrap();
    let (printed, path) = (String::from_utf8(output.stdout).unwrap(), root().join("docs/formats.md"));
    if !path.exists() {
        fs::write(&path, &printed).unwrap();
        panic!("written anew: {}", path.display());
    }
    assert!(fs::read_to_string(&path).unwrap() == printed, "the formats have changed: {}", path.display());
}

#[test]
fn links_between_the_manuals_lead_to_files() {
    for (path, text) in manuals() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let linked = path.parent().unwrap().join(file);
            assert!(linked.exists(), "{target}: {}", path.display());
        }
    }
}
