//! Which of a file's tensors are the model's, and what open_clip calls them.
//!
//! Training loops wrap models, and checkpoints keep the wrappers' names: `module.` (data parallel), `_orig_mod.`
//! (`torch.compile`), `model.` (Lightning), or the name of the attribute or dict that holds the model. The model is
//! found by keys that every CLIP model has, so that any prefix is understood and no key of another model is changed.

use super::StoredTensor;
use safetensors::Dtype;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Parts of a name that say how a module was wrapped. No key of open_clip's has one of them.
const WRAPPERS: [&str; 5] =
    ["module", "_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

/// Keys of which a model has one for each tower, with the tower's number. A key that ends like another comes before it.
const ANCHORS: [(&str, usize); 7] = [
    ("visual.conv1.weight", 0),
    ("visual.trunk.patch_embed.proj.weight", 0),
    ("visual.patch_embed.proj.weight", 0),
    ("vision_model.embeddings.patch_embedding.weight", 0),
    ("text_model.embeddings.token_embedding.weight", 1),
    ("transformer.embeddings.word_embeddings.weight", 1),
    ("token_embedding.weight", 1),
];

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

/// A name without the parts that wrappers added, wherever they stand.
pub(super) fn without_wrappers(name: &str) -> Cow<'_, str> {
    let is_wrapper = |part: &str| WRAPPERS.contains(&part);
    if !name.split('.').any(is_wrapper) {
        return Cow::Borrowed(name);
    }
    let kept: Vec<&str> = name.split('.').filter(|part| !is_wrapper(part)).collect();
    if kept.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(kept.join(".")) }
}

/// What stands before the keys of a model.
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

/// What stands before the keys of the model among `names`, which are without wrappers; `None` if there is no model, or
/// several equally good ones.
pub(super) fn model_prefix<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    match &best_prefixes(names)[..] {
        [one] => Some((*one).to_string()),
        _ => None,
    }
}

/// What stands before the keys of the best model among `names`, which are without wrappers. Two or more are returned
/// if nothing tells which one is meant.
///
/// A model with both towers wins over one with one, then a model over a copy of it (EMA, teacher), then the prefix
/// with the fewest parts. What an optimizer keeps for each parameter is no model.
pub(super) fn best_prefixes<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut anchors: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (prefix, tower) in names.filter_map(anchor).filter(|(prefix, _)| not_a_model(prefix).is_none()) {
        anchors.entry(prefix).or_default().insert(tower);
    }
    let n_parts = |prefix: &str| prefix.split_terminator('.').count();
    let rank = |prefix: &str, n_towers: usize| (n_towers, !is_copy(prefix), std::cmp::Reverse(n_parts(prefix)));
    let best = anchors.iter().map(|(prefix, towers)| rank(prefix, towers.len())).max();
    let is_best = |prefix: &str, towers: &BTreeSet<usize>| Some(rank(prefix, towers.len())) == best;
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

/// What stands before an anchor, and which tower's it is.
pub(super) fn anchor(name: &str) -> Option<(&str, usize)> {
    ANCHORS.iter().find_map(|(anchor, tower)| {
        let prefix = name.strip_suffix(anchor)?;
        let prefix = prefix.strip_suffix(TEXT).filter(|prefix| is_prefix(prefix)).unwrap_or(prefix);
        is_prefix(prefix).then_some((prefix, *tower))
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
mod tests {
    use super::*;

    fn keyed(names: &[&str]) -> Keyed {
        let stored = StoredTensor::new(Dtype::F32, &[1], vec![0; 4].into());
        open_clip_keys(names.iter().map(|name| (name.to_string(), stored.clone())).collect())
    }

    fn keys(names: &[&str]) -> Vec<String> {
        keyed(names).tensors.into_keys().collect()
    }

    const PLAIN: [&str; 4] = ["logit_scale", "token_embedding.weight", "visual.conv1.weight", "visual.proj"];

    #[test]
    fn wrappers_prefixes_are_stripped() {
        let names = ["module.visual.proj", "module.text.ln_final.weight", "text_projection", "input_resolution"];
        assert_eq!(keys(&names), ["ln_final.weight", "text_projection", "visual.proj"]);
    }

    #[test]
    fn any_prefix_is_peeled_however_deep() {
        for prefix in [
            "module.",
            "_orig_mod.",
            "model.",
            "module.module.",
            "_orig_mod.module.",
            "module._orig_mod.",
            "model._orig_mod.module.",
            "state_dict.model.clip.",
            "net.backbone.clip_model.",
            "student.",
            "ema_model.module.",
            "_forward_module._orig_mod.model.",
            "0.",
        ] {
            let names = PLAIN.map(|name| format!("{prefix}{name}"));
            assert_eq!(keys(&names.each_ref().map(String::as_str)), PLAIN, "{prefix}");
            let custom_text =
                [format!("{prefix}text.token_embedding.weight"), format!("{prefix}visual.conv1.weight")];
            let expected = ["token_embedding.weight", "visual.conv1.weight"];
            assert_eq!(keys(&custom_text.each_ref().map(String::as_str)), expected, "{prefix}");
        }
    }

    #[test]
    fn wrappers_inside_a_name_are_removed() {
        let names = [
            "visual._orig_mod.conv1.weight",
            "visual.transformer.resblocks.0._checkpoint_wrapped_module.ln_1.weight",
            "_fsdp_wrapped_module.transformer.resblocks.3._fsdp_wrapped_module.ln_2.bias",
        ];
        let expected = [
            "transformer.resblocks.3.ln_2.bias",
            "visual.conv1.weight",
            "visual.transformer.resblocks.0.ln_1.weight",
        ];
        assert_eq!(keys(&names), expected);
    }

    #[test]
    fn the_model_is_taken_and_what_is_beside_it_is_named() {
        let keyed = keyed(&[
            "ema_model.token_embedding.weight",
            "ema_model.visual.conv1.weight",
            "loss.temperature",
            "model.token_embedding.weight",
            "model.visual.conv1.weight",
        ]);
        assert_eq!(
            keyed.tensors.into_keys().collect::<Vec<_>>(),
            ["token_embedding.weight", "visual.conv1.weight"]
        );
        let left_out = ["ema_model.token_embedding.weight", "ema_model.visual.conv1.weight", "loss.temperature"];
        assert_eq!(keyed.left_out, left_out);
    }

    #[test]
    fn a_copy_beside_a_bare_model_is_left_out() {
        let copies = ["ema.token_embedding.weight", "ema.visual.conv1.weight", "ema.visual.proj"];
        let keyed = keyed(&[&PLAIN[..], &copies].concat());
        assert_eq!(keyed.tensors.into_keys().collect::<Vec<_>>(), PLAIN);
        assert_eq!(keyed.left_out, copies);
    }

    #[test]
    fn of_two_equally_good_models_none_is_taken() {
        for (first, second) in [("model_a", "model_bb"), ("ema_a", "ema_b"), ("state_dict.x", "state_dict.y")] {
            let names: Vec<String> =
                [first, second].iter().flat_map(|prefix| PLAIN.map(|name| format!("{prefix}.{name}"))).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(best_prefixes(names.iter().copied()), [format!("{first}."), format!("{second}.")]);
            assert_eq!(keys(&names), names, "all stay under their own names");
        }
        let nested = ["m.a.token_embedding.weight", "m.a.visual.conv1.weight"];
        assert_eq!(best_prefixes(nested.into_iter().chain(PLAIN)), [""]);
    }

    #[test]
    fn values_of_an_optimizer_are_no_model() {
        for part in NOT_A_MODEL {
            let names = PLAIN.map(|name| format!("{part}.{name}"));
            let names = names.each_ref().map(String::as_str);
            assert_eq!(keys(&names), names, "{part}");
            let keyed = keyed(&[&PLAIN[..], &names].concat());
            assert_eq!(keyed.tensors.into_keys().collect::<Vec<_>>(), PLAIN);
            assert_eq!(keyed.left_out, names);
        }
    }

    #[test]
    fn keys_of_another_model_stay_as_they_are() {
        let names = ["image_encoder.x", "model.embeddings.weight", "text_model.x"];
        assert_eq!(keys(&names), names);
        let quantized = ["token_embedding.weight.int8", "token_embedding.weight.int8_scale"];
        assert_eq!(keys(&quantized), quantized);
    }

    #[test]
    fn two_names_of_one_key_lose_nothing() {
        let names = ["visual.proj", "module.visual.proj"];
        assert_eq!(keys(&names), ["module.visual.proj", "visual.proj"]);
    }

    #[test]
    fn a_logit_scale_of_one_value_is_a_scalar() {
        assert_eq!(keyed(&PLAIN).tensors["logit_scale"].shape, [0usize; 0]);
        assert_eq!(keyed(&PLAIN).tensors["visual.proj"].shape, [1]);
    }
}
