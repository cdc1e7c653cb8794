//! Finds the dict of a training checkpoint that holds the model.
//!
//! The model may be under `state_dict`, `model`, `model_state_dict`, `ema` or any other key, at any depth.

use super::globals::Global;
use super::values::{Id, Pickle, Value};
use crate::Result;
use crate::error::damaged_weights as damaged;
use crate::weights::keys;
use std::collections::{HashMap, HashSet, VecDeque};

/// Most dicts that are searched; an optimizer has one for each parameter.
const MAX_DICTS: usize = 4096;

/// Most levels of dicts in dicts.
const MAX_DEPTH: usize = 8;

/// Longest key, in bytes; a parameter's name has about eighty.
const MAX_KEY_BYTES: usize = 512;

/// The key of a model's dict that PyTorch's own examples use.
const STATE_DICT: &str = "state_dict";

/// A dict and the keys that lead to it.
struct Nested<'p> {
    /// The keys from the root, each followed by a dot.
    path: String,
    /// The tensors in it, in the order of the file.
    tensors: Vec<(&'p str, Id)>,
}

/// Returns the tensors of the dict that holds the model and of the dicts in it, with the keys that lead to them.
///
/// # Errors
/// When the pickle is not a dict.
pub(super) fn model_tensors(pickle: &Pickle<'_>) -> Result<Vec<(String, Id)>> {
    let dicts = nested_dicts(pickle)?;
    let named = |dict: &Nested<'_>, path: &str| -> Vec<(String, Id)> {
        dict.tensors.iter().map(|(key, value)| (format!("{path}{key}"), *value)).collect()
    };
    let anchors: Vec<(String, usize)> = dicts.iter().enumerate().flat_map(anchors).collect();
    let prefix = keys::model_prefix(anchors.iter().map(|(name, _)| name.as_str()));
    let Some(prefix) = prefix else {
        // Several models, or what an optimizer keeps for one: each under its whole name, for an error that says so.
        if !anchors.is_empty() {
            let of_anchors =
                dicts.iter().enumerate().filter(|(index, _)| anchors.iter().any(|(_, of)| of == index));
            return Ok(of_anchors.flat_map(|(_, dict)| named(dict, &dict.path)).collect());
        }
        // No model that is known here: what is most likely one, for an error that names its keys.
        let likeliest = dicts.iter().rev().max_by_key(|dict| (is_state_dict(dict), dict.tensors.len()));
        return Ok(likeliest.map(|dict| named(dict, "")).unwrap_or_default());
    };
    // The dict of an anchor whole, for a message about what else it holds; of others what has the model's prefix.
    let is_models = |name: &str| keys::anchor(name).is_some_and(|(of_anchor, _)| of_anchor == prefix);
    let holds_anchor = |index: usize| anchors.iter().any(|(name, dict)| *dict == index && is_models(name));
    let of_dict = |(index, dict): (usize, &Nested<'_>)| {
        let mut found = named(dict, &dict.path);
        if !holds_anchor(index) {
            found.retain(|(name, _)| keys::without_wrappers(name).starts_with(&prefix) && !prefix.is_empty());
        }
        found
    };
    Ok(dicts.iter().enumerate().flat_map(of_dict).collect())
}

/// Returns the names of a dict's anchors without wrappers, with the index of the dict.
fn anchors<'a>((index, dict): (usize, &'a Nested<'_>)) -> impl Iterator<Item = (String, usize)> + 'a {
    let name = |key: &str| keys::without_wrappers(&format!("{}{key}", dict.path)).into_owned();
    let is_likely = |key: &str| key.ends_with("weight");
    let names = dict.tensors.iter().filter(move |(key, _)| is_likely(key)).map(move |(key, _)| name(key));
    names.filter(|name| keys::anchor(name).is_some()).map(move |name| (name, index))
}

fn is_state_dict(dict: &Nested<'_>) -> bool {
    dict.path.strip_suffix('.').is_some_and(|path| path == STATE_DICT)
}

/// Returns the root and the dicts in it, breadth first.
fn nested_dicts<'p>(pickle: &'p Pickle<'_>) -> Result<Vec<Nested<'p>>> {
    if !matches!(pickle.get(pickle.root), Value::Dict(_)) {
        let detail = "the pickle is not a dict of tensors; of a whole model, save model.state_dict() in Python";
        return Err(damaged(detail.into()));
    }
    let mut dicts = Vec::new();
    let mut seen = HashSet::from([pickle.root.0]);
    let mut queue = VecDeque::from([(String::new(), 0, pickle.root)]);
    while let Some((path, depth, id)) = queue.pop_front() {
        let Value::Dict(entries) = pickle.get(id) else { continue };
        let mut tensors = Vec::new();
        for (key, value) in last_values(pickle, entries) {
            match pickle.get(value) {
                Value::Dict(_) if depth < MAX_DEPTH && seen.len() < MAX_DICTS && seen.insert(value.0) => {
                    queue.push_back((format!("{path}{key}."), depth + 1, value));
                }
                Value::Call { function: Global::Tensor | Global::Parameter | Global::FromType, .. } => {
                    tensors.push((key, value));
                }
                _ => {}
            }
        }
        dicts.push(Nested { path, tensors });
    }
    Ok(dicts)
}

/// Returns the entries with text keys. As in Python, the last value of a key counts. A key that occurs often takes no
/// more memory.
fn last_values<'p>(pickle: &'p Pickle<'_>, entries: &[(Id, Id)]) -> Vec<(&'p str, Id)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut last: Vec<(&str, Id)> = Vec::new();
    for &(key, value) in entries {
        let Value::Text(key) = pickle.get(key) else { continue };
        if key.len() > MAX_KEY_BYTES {
            continue;
        }
        match places.get(key) {
            Some(&place) => last[place].1 = value,
            None => {
                places.insert(key, last.len());
                last.push((key, value));
            }
        }
    }
    last
}
