//! Which of a file's tensors are the model's, and what open_clip calls them.
//!
//! Training loops wrap models, and checkpoints keep the wrappers' names: `module.` (data parallel), `_orig_mod.`
//! (`torch.compile`), `model.` (Lightning), or the name of the attribute or dict that holds the model. The model is
//! found by the keys of [`FAMILIES`], so that any prefix is understood and no key of another model is changed.

use super::StoredTensor;
use super::families::{FAMILIES, Tower};
use safetensors::Dtype;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Parts of a name that say how a module was wrapped. No key of open_clip's has one of them.
const WRAPPERS: [&str; 5] =
    ["module", "_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

const N_TOWERS: usize = 2;

/// What open_clip's custom text class puts before the text tower's keys.
const TEXT: &str = "text.";

/// Entries of OpenAI's and of old open_clip's files that are no parameters.
const NOT_PARAMETERS: [&str; 4] = ["input_resolution", "context_length", "vocab_size", "attn_mask"];

/// Words in the name of a copy of the model, which is taken only where nothing else is there.
const COPIES: [&str; 9] =
    ["ema", "teacher", "momentum", "average", "averaged", "swa", "shadow", "optimizer", "avg"];

/// Parts of a name under which an optimizer keeps a value for each parameter: such tensors have a model's names and
/// shapes, and are no model.
const NOT_A_MODEL: [&str; 12] = [
    "first_moment",
    "second_moment",
    "exp_avg",
    "exp_avg_sq",
    "max_exp_avg_sq",
    "exp_inf",
    "momentum_buffer",
    "square_avg",
    "grad",
    "grads",
    "gradient",
    "gradients",
];

/// The model's tensors by open_clip's keys, and the names of those that are not the model's.
#[derive(Debug, Default)]
pub(super) struct Keyed {
    pub tensors: BTreeMap<String, StoredTensor>,
    pub left_out: Vec<String>,
}

/// Gives the tensors of all files of one checkpoint their open_clip keys.
pub(super) fn open_clip_keys(named: Vec<(String, StoredTensor)>) -> Keyed {
    let names: Vec<String> = named.iter().map(|(name, _)| without_wrappers(name).into_owned()).collect();
    let Prefixes { model, copies } = Prefixes::of(names.iter().map(String::as_str));
    let is_copied = |name: &str| copies.iter().any(|copy| name.starts_with(copy));
    let mut keyed = Keyed::default();
    for (name, (written, stored)) in names.iter().zip(named) {
        let Some(key) = name.strip_prefix(&model).filter(|_| !is_copied(name)) else {
            keyed.left_out.push(written);
            continue;
        };
        let key = key.strip_prefix(TEXT).unwrap_or(key);
        if NOT_PARAMETERS.contains(&key) || is_position_ids(key, &stored) {
            continue;
        }
        // Two names that mean one key: the second is reported as unexpected under the name that the file has.
        let key = if keyed.tensors.contains_key(key) { written } else { key.to_string() };
        let stored = as_scalar(&key, stored);
        keyed.tensors.insert(key, stored);
    }
    keyed
}

/// Returns a name without the parts that wrappers added, wherever they are.
pub(super) fn without_wrappers(name: &str) -> Cow<'_, str> {
    let is_wrapper = |part: &str| WRAPPERS.contains(&part);
    if !name.split('.').any(is_wrapper) {
        return Cow::Borrowed(name);
    }
    let kept: Vec<&str> = name.split('.').filter(|part| !is_wrapper(part)).collect();
    if kept.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(kept.join(".")) }
}

/// The prefix of a model's keys.
#[derive(Debug, Default)]
struct Prefixes {
    /// Empty where there is no model, too.
    model: String,
    /// Those of other models whose keys begin as this model's do.
    copies: Vec<String>,
}

impl Prefixes {
    fn of<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let Some(model) = model_prefix(names.clone()) else { return Self::default() };
        let others: BTreeSet<&str> = names.filter_map(|name| Some(anchor(name)?.0)).collect();
        let is_inside = |other: &&str| other.len() > model.len() && other.starts_with(&model);
        Self { copies: others.into_iter().filter(is_inside).map(String::from).collect(), model }
    }
}

/// Returns the prefix of the model's keys among `names`, which are without wrappers; `None` if there is no model, or
/// several equally good ones.
pub(super) fn model_prefix<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    match &best_prefixes(names)[..] {
        [one] => Some((*one).to_string()),
        _ => None,
    }
}

/// Returns the prefix of the keys of the best model among `names`, which are without wrappers. Two or more are returned
/// if nothing tells which one is meant.
///
/// A model with both towers wins over one with one, then a model over a copy of it (EMA, teacher), then the prefix
/// with the fewest parts. What an optimizer keeps for each parameter is no model.
pub(super) fn best_prefixes<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut anchors: BTreeMap<&str, BTreeSet<Tower>> = BTreeMap::new();
    for (prefix, tower) in names.filter_map(anchor).filter(|(prefix, _)| not_a_model(prefix).is_none()) {
        anchors.entry(prefix).or_default().insert(tower);
    }
    let n_parts = |prefix: &str| prefix.split_terminator('.').count();
    let rank = |prefix: &str, n_towers: usize| (n_towers, !is_copy(prefix), std::cmp::Reverse(n_parts(prefix)));
    let best = anchors.iter().map(|(prefix, towers)| rank(prefix, towers.len())).max();
    let is_best = |prefix: &str, towers: &BTreeSet<Tower>| Some(rank(prefix, towers.len())) == best;
    let mut found: Vec<&str> =
        anchors.iter().filter(|(prefix, towers)| is_best(prefix, towers)).map(|(prefix, _)| *prefix).collect();
    if best.is_some_and(|(n_towers, ..)| n_towers < N_TOWERS) {
        found.truncate(1); // towers of two models, which lack the other one: the check of names says so
    }
    found
}

/// The part of a name that says that it is of an optimizer's value and not of a model's.
pub(super) fn not_a_model(name: &str) -> Option<&str> {
    name.split('.').find(|part| NOT_A_MODEL.contains(&part.to_ascii_lowercase().as_str()))
}

/// Returns the prefix of a family's key, and the tower that has this key.
pub(super) fn anchor(name: &str) -> Option<(&str, Tower)> {
    FAMILIES.iter().find_map(|family| {
        let prefix = name.strip_suffix(family.key)?;
        let prefix = prefix.strip_suffix(TEXT).filter(|prefix| is_prefix(prefix)).unwrap_or(prefix);
        is_prefix(prefix).then_some((prefix, family.tower))
    })
}

fn is_prefix(text: &str) -> bool {
    text.is_empty() || text.ends_with('.')
}

fn is_copy(prefix: &str) -> bool {
    let prefix = prefix.to_ascii_lowercase();
    prefix.split(['.', '_']).any(|word| COPIES.contains(&word))
}

/// Whether this is the list 0, 1, ... that old checkpoints of transformers have as a buffer.
fn is_position_ids(key: &str, stored: &StoredTensor) -> bool {
    key.ends_with("embeddings.position_ids") && matches!(stored.dtype, Dtype::I64 | Dtype::I32)
}

/// open_clip takes a logit scale of shape `[1]` for a scalar, and transformers writes SigLIP's so.
fn as_scalar(key: &str, mut stored: StoredTensor) -> StoredTensor {
    if matches!(key, "logit_scale" | "logit_bias") && stored.shape.iter().all(|&side| side == 1) {
        stored.shape.clear();
    }
    stored
}

#[cfg(test)]
mod tests;
