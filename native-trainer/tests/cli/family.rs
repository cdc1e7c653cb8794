//! The models of other families that commands are tested with, and what the reference made of them: every case of
//! `shared-model/tests/fixtures/towers`, or of the folder that `DERMAKE_FIXTURES` names.
//!
//! A case is a folder as a hub serves it, but the small models do not all say as much as published ones. So they are
//! copied, and what is missing is added:
//! - a tokenizer that lies in another folder: the one that `case.json` names, or that of a vocabulary of the same size;
//! - a tokenizer for cases that have ids and no texts: a word for each id, and texts that have these ids;
//! - heads that are narrower than those of all real models, which neither timm's nor PanDerm's config can say: a config
//!   of our own form in place of the model's, with the number of heads of `case.json`.

use super::fixture_folder::fixture_folder;
use super::shared_folder::shared_folder;
use dermake_models::{CONFIG_FILE, Checkpoint};
use serde_json::Value;
use shared_model::config::{ClipConfig, Visibility};
use shared_model::tokenizer::Tokenizer;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A model that says all of itself in its files, and what the reference made of it.
pub struct Family {
    pub folder: PathBuf,
    pub case: Value,
    pub config: ClipConfig,
    /// Whether its config is the one that it would be published with.
    pub is_as_published: bool,
    /// The texts that the reference was given.
    texts: Vec<String>,
}

impl Family {
    /// Every case, in the order of their folders.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Family>> = OnceLock::new();
        ALL.get_or_init(|| {
            let copies = shared_folder("families");
            let cases = folders_of(&towers()).into_iter().flat_map(|group| folders_of(&group));
            // The same weights in other forms have no case of their own.
            let cases = cases.filter(|case| case.join("case.json").is_file());
            cases.map(|case| Self::complete(&case, &copies)).collect()
        })
    }

    /// Copies a case, and adds what it lacks.
    fn complete(case: &Path, copies: &Path) -> Self {
        let folder = copies.join(case.strip_prefix(towers()).unwrap());
        copy(case, &folder);
        let json: Value = serde_json::from_slice(&fs::read(case.join("case.json")).unwrap()).unwrap();
        let files = dermake_hub::resolve(folder.to_str().unwrap()).unwrap();
        let mut config = Checkpoint::open(&files, None).unwrap_or_else(|err| panic!("{err:#}")).config;
        let texts = json["texts"].as_array();
        let mut texts: Vec<String> =
            texts.into_iter().flatten().map(|text| text.as_str().unwrap().to_string()).collect();
        if !Tokenizer::VOCABULARIES.iter().any(|name| folder.join(name).is_file()) {
            match json["tokenizer"].as_str() {
                Some(named) => copy_tokenizer(&case.join(named), &folder),
                None if texts.is_empty() => texts = write_vocabulary(&ids(&folder), &config, &folder),
                None => copy_tokenizer(&vocabulary_of(config.text.vocab_size), &folder),
            }
        }
        let heads = ["vision", "text"].map(|tower| heads(&json["structure"][tower]));
        let is_as_published = heads == [config.vision.heads, config.text.heads];
        if !is_as_published {
            [config.vision.heads, config.text.heads] = heads;
            fs::write(folder.join(CONFIG_FILE), config.to_json().to_string()).unwrap();
        }
        Self { folder, case: json, config, is_as_published, texts }
    }

    /// Its group and its own name, such as `open_clip-siglip`.
    pub fn name(&self) -> String {
        let [name, group] =
            [Some(&*self.folder), self.folder.parent()].map(|path| path.unwrap().file_name().unwrap());
        format!("{}-{}", group.to_str().unwrap(), name.to_str().unwrap())
    }

    /// Labels that stay as they are (no empty one, none with a comma), and whose ids the reference did not change: of some
    /// texts a case has ids above the end token's, which no tokenizer gives.
    pub fn labels(&self) -> Vec<(usize, &str)> {
        let config = fs::read(self.folder.join("config.json")).unwrap_or_else(|_| b"{}".to_vec());
        let config: Value = serde_json::from_slice(&config).unwrap();
        let end = config["text_config"]["eos_token_id"].as_i64().filter(|&end| end != 2).unwrap_or(i64::MAX);
        let ids = ids(&self.folder);
        let is_plain = |text: &str| !text.is_empty() && text.len() < 60 && text.trim() == text;
        let texts = self.texts.iter().map(String::as_str).enumerate();
        texts.filter(|(row, text)| is_plain(text) && ids[*row].iter().all(|&id| id <= end)).collect()
    }

    pub fn io(&self) -> HashMap<String, candle_core::Tensor> {
        io(&self.folder)
    }

    /// The reference's cosines of an image, by label.
    pub fn cosines(&self, image: usize) -> Vec<(String, f64)> {
        let logits = self.io()["logits_per_image"].to_vec2::<f32>().unwrap();
        let number = |name: &str| self.case[name].as_f64().unwrap_or_default();
        let cosine = |logit: f32| (f64::from(logit) - number("logit_bias")) / number("logit_scale");
        self.labels().iter().map(|(index, label)| (label.to_string(), cosine(logits[image][*index]))).collect()
    }
}

pub fn towers() -> PathBuf {
    fixture_folder().join("towers")
}

pub fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).collect()
}

fn folders_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in files_of(from) {
        // Written anew, since the files may be read-only.
        fs::write(to.join(path.file_name().unwrap()), fs::read(path).unwrap()).unwrap();
    }
    for folder in folders_of(from) {
        copy(&folder, &to.join(folder.file_name().unwrap()));
    }
}

/// Copies the files of a tokenizer; that folder's own cases are not the model's.
fn copy_tokenizer(from: &Path, to: &Path) {
    let names = Tokenizer::FILE_NAMES.into_iter().filter(|name| from.join(name).is_file());
    for name in names {
        fs::write(to.join(name), fs::read(from.join(name)).unwrap()).unwrap();
    }
}

/// The folder of the vocabulary with this number of words.
fn vocabulary_of(n_words: usize) -> PathBuf {
    let has_them = |folder: &PathBuf| {
        fs::read_to_string(folder.join("vocab.txt")).is_ok_and(|words| words.lines().count() == n_words)
    };
    folders_of(&towers()).into_iter().find(has_them).unwrap_or_else(|| panic!("no vocabulary of {n_words} words"))
}

/// Writes a vocabulary with a word of three letters for each id, and returns the texts that have these rows of ids. Rows
/// that are not a start token, words and an end token get an empty text.
fn write_vocabulary(rows: &[Vec<i64>], config: &ClipConfig, folder: &Path) -> Vec<String> {
    let Visibility::AllBut { padding } = config.text.visibility else {
        panic!("only BERT has its words in lines: {}", folder.display());
    };
    let padding = i64::from(padding);
    let words_of = |row: &[i64]| row.iter().rposition(|&id| id != padding).map(|last| row[..=last].to_vec());
    let cut: Vec<Vec<i64>> = rows.iter().map(|row| words_of(row).unwrap_or_default()).collect();
    let (start, end) = (cut[0][0], *cut[0].last().unwrap());
    let n_words = config.text.vocab_size as i64;
    let mut unused = (0..n_words).filter(|id| *id != padding && !rows.iter().flatten().any(|used| used == id));
    let [unknown, mask] = [(); 2].map(|()| unused.next().expect("an id that no row has"));
    let special =
        HashMap::from([(padding, "[PAD]"), (unknown, "[UNK]"), (start, "[CLS]"), (end, "[SEP]"), (mask, "[MASK]")]);
    let letters = |id: i64| [id / 676, id / 26 % 26, id % 26].map(|digit| char::from(b'a' + digit as u8));
    let word = |id: i64| special.get(&id).map_or_else(|| letters(id).iter().collect(), |name| name.to_string());
    let vocabulary: Vec<String> = (0..n_words).map(word).collect();
    fs::write(folder.join("vocab.txt"), vocabulary.join("\n")).unwrap();
    let text = |row: &Vec<i64>| match &row[..] {
        [first, words @ .., last] if *first == start && *last == end => {
            words.iter().map(|&id| word(id)).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    };
    cut.iter().map(text).collect()
}

fn heads(structure: &Value) -> usize {
    structure["heads"].as_u64().or(structure["num_attention_heads"].as_u64()).unwrap() as usize
}

fn io(folder: &Path) -> HashMap<String, candle_core::Tensor> {
    candle_core::safetensors::load(folder.join("io.safetensors"), &candle_core::Device::Cpu).unwrap()
}

fn ids(folder: &Path) -> Vec<Vec<i64>> {
    io(folder)["input_ids"].to_vec2().unwrap()
}
