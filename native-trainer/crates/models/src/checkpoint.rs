//! A dense checkpoint: its weights, config and tokenizer, from the files of any family.

use crate::mapped::map_file;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use dermake_hub::ModelFiles;
use shared_model::config::{ClipConfig, ConfigFiles, NamedFiles, TokenizerConfig};
use shared_model::tokenizer::{CLIP_MERGES_GZ, CLIP_VOCAB_SIZE, Tokenizer};
use shared_model::weights::{FileTensors, Weights};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The names open_clip gives the files of a checkpoint.
pub const CONFIG_FILE: &str = "open_clip_config.json";
pub const WEIGHTS_FILE: &str = "open_clip_model.safetensors";
/// safetensors metadata: `false` marks a checkpoint that was initialized and never trained.
pub(crate) const TRAINED_KEY: &str = "dermake.trained";
/// safetensors metadata: what people must know of the model before they trust it, in one sentence.
pub const NOTICE_KEY: &str = "dermake.notice";

/// There is no config for these weights.
#[derive(Debug, thiserror::Error)]
#[error("no {CONFIG_FILE} beside the weights: {}", weights.display())]
pub struct NoConfig {
    pub weights: PathBuf,
}

/// A dense checkpoint and what is known of it.
pub struct Checkpoint {
    pub name: String,
    pub config: ClipConfig,
    /// Under our own keys, whichever library wrote them.
    pub weights: Weights,
    /// The files of the tokenizer by their names.
    pub tokenizer_files: BTreeMap<String, Bytes>,
    pub is_trained: bool,
    /// What people must know about the model.
    pub notice: Option<String>,
}

impl Checkpoint {
    /// Finds and reads the checkpoint; nothing is converted yet.
    ///
    /// `architecture` is used if there is no config beside the weights.
    ///
    /// # Errors
    /// [`NoConfig`] when there is neither; files that are no checkpoint, named as what they are; weights that do not fit
    /// their config; a tokenizer that cannot be had.
    pub fn open(files: &ModelFiles, architecture: Option<&str>) -> Result<Self> {
        let is_open_clip = |path: &&PathBuf| path.ends_with(CONFIG_FILE) || architecture.is_none();
        let described = files.config.as_ref().filter(is_open_clip);
        if described.is_none() && architecture.is_none() {
            return Err(NoConfig { weights: files.weights.clone() }.into());
        }
        if let ([_, ..], Some(config)) = (&files.passed_over[..], described) {
            tracing::info!("{}", taken(files, config));
        }
        let weights = read_weights(files)?;
        let config = match described {
            Some(path) => read_config(files, path, &weights)?,
            None => ClipConfig::named(architecture.unwrap_or_default())?,
        };
        if let (Some(path), Some(architecture)) = (described, architecture) {
            check_architecture(&config, architecture, path)?;
        }
        let is_trained = weights.metadata(TRAINED_KEY) != Some("false");
        let notice = weights.metadata(NOTICE_KEY).map(str::to_string);
        let weights = weights.for_model(&config).with_context(|| format!("in {}", files.weights.display()))?;
        let tokenizer_files = tokenizer_files(&config.tokenizer, files)?;
        Ok(Self { name: files.name.clone(), config, weights, tokenizer_files, is_trained, notice })
    }

    /// The tokenizer that the model was trained with.
    ///
    /// # Errors
    /// Files that are no tokenizer, or are another model's; a config that names another end token.
    pub fn tokenizer(&self) -> Result<Tokenizer> {
        let ClipConfig { tokenizer, text, .. } = &self.config;
        let kind = tokenizer;
        let tokenizer = Tokenizer::from_files(&self.tokenizer_files, kind, text.context_length)
            .with_context(|| format!("in the tokenizer of {}", self.name))?;
        let (n_ids, n_rows) = (tokenizer.vocab_size(), text.vocab_size);
        if *kind != TokenizerConfig::OpenClip && n_ids > n_rows {
            bail!(
                "the tokenizer has {n_ids} ids and the text tower {n_rows}: they are not of one model: {}",
                self.name
            );
        }
        let end = tokenizer.end_id();
        if let Some(id) = text.pooling.end_id().filter(|&id| id != end) {
            bail!(
                "the config's eos_token_id is {id}, expected {end}, which the tokenizer ends each text with: the features \
                 of all labels would be of the first token, and equal; correct it in config.json of {}",
                self.name
            );
        }
        Ok(tokenizer)
    }
}

/// Which files of a model are taken that two libraries describe, and which are not.
fn taken(files: &ModelFiles, config: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!(
        "taking {} and {}, not {}, since open_clip's files come first where transformers' are there, too: {}",
        name(config),
        name(&files.weights),
        files.passed_over.join(", "),
        files.name
    )
}

/// Reads the config at `path`, and the files that it takes the rest from.
fn read_config(files: &ModelFiles, path: &Path, weights: &Weights) -> Result<ClipConfig> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let config = read(path)?;
    let named = NamedFiles::of(&config).with_context(|| format!("in {}", path.display()))?;
    let text = named.text_model.as_deref().and_then(|name| text_config(files, name));
    let text = text.map(|path| read(&path)).transpose()?;
    let preprocessor = files.preprocessor().map(read).transpose()?;
    let described = ConfigFiles { config: &config, text: text.as_deref(), preprocessor: preprocessor.as_deref() };
    let config = ClipConfig::from_files(&described, weights.shapes());
    let mut config = config.with_context(|| format!("in {}", path.display()))?;
    let lacks_tokenizer = config.tokenizer == TokenizerConfig::transformers() && !has_vocabulary(files);
    if lacks_tokenizer && config.text.vocab_size == CLIP_VOCAB_SIZE {
        tracing::warn!("no tokenizer beside the weights, so OpenAI's is used: {}", files.weights.display());
        config.tokenizer = TokenizerConfig::OpenClip;
    }
    Ok(config)
}

/// The config of the text tower that a config names. Without it, nearly all is known from the tensors.
fn text_config(files: &ModelFiles, name: &str) -> Option<PathBuf> {
    const FILE: &str = "config.json";
    match dermake_hub::resolve_named(files, name, &[FILE]) {
        Ok(mut found) => found.remove(FILE),
        Err(error) => {
            tracing::warn!(
                "the config of the text tower cannot be had, so its heads are taken to be 64 wide: {:#}",
                anyhow::Error::new(error)
            );
            None
        }
    }
}

/// Reads the files of a checkpoint's tokenizer: those beside the weights, else those of the repository that the config
/// names. CLIP's own merges are in the program.
fn tokenizer_files(config: &TokenizerConfig, files: &ModelFiles) -> Result<BTreeMap<String, Bytes>> {
    let repository = match config {
        TokenizerConfig::OpenClip => {
            return Ok(BTreeMap::from([(Tokenizer::MERGES_FILE.into(), Bytes::from_static(CLIP_MERGES_GZ))]));
        }
        TokenizerConfig::Files { repository, .. } => repository.as_deref().filter(|_| !has_vocabulary(files)),
    };
    let named = repository.map(|repository| {
        dermake_hub::resolve_named(files, repository, &Tokenizer::FILE_NAMES)
            .with_context(|| format!("cannot get the tokenizer {repository}, which the config names"))
    });
    let paths = named.transpose()?.unwrap_or_else(|| files.companions.clone());
    let is_of_tokenizer = |(name, _): &(String, PathBuf)| Tokenizer::FILE_NAMES.contains(&name.as_str());
    paths.into_iter().filter(is_of_tokenizer).map(|(name, path)| Ok((name, map_file(&path)?))).collect()
}

/// Whether a tokenizer is beside the weights.
fn has_vocabulary(files: &ModelFiles) -> bool {
    Tokenizer::VOCABULARIES.iter().any(|name| files.companions.contains_key(*name))
}

/// Reads all files of a checkpoint.
fn read_weights(files: &ModelFiles) -> Result<Weights> {
    let read =
        |path: &PathBuf| FileTensors::read(map_file(path)?).with_context(|| format!("in {}", path.display()));
    let weights = Weights::from_files(files.weight_files().iter().map(read).collect::<Result<Vec<_>>>()?);
    if let [first, ..] = weights.left_out() {
        let n_left_out = weights.left_out().len();
        tracing::warn!(
            "{n_left_out} tensors beside the model are not used ({first}, ...): {}",
            files.weights.display()
        );
    }
    Ok(weights)
}

/// An architecture that is given beside a config has no effect, so it must be the config's.
fn check_architecture(config: &ClipConfig, architecture: &str, path: &Path) -> Result<()> {
    let named = ClipConfig::named(architecture)?;
    let towers = |config: &ClipConfig| (config.embed_dim, config.vision.clone(), config.text.clone());
    if towers(config) != towers(&named) {
        let vision = &config.vision;
        bail!(
            "the architecture is given as {architecture}, but the weights' own config is another (vision width {}, {} \
             layers, patches of {}); leave it out: {}",
            vision.width,
            vision.layers,
            vision.patch_size,
            path.display()
        );
    }
    Ok(())
}
