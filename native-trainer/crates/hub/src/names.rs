//! The usual file names of models, and which of several to use.

use std::path::Path;

use shared_model::tokenizer::Tokenizer;
use shared_model::weights::ShardIndex;

/// The configuration that open_clip writes, with what it does to pictures.
pub(super) const OPEN_CLIP_CONFIG: &str = "open_clip_config.json";

/// The model's configuration, as open_clip or transformers writes it; the first one wins.
pub(super) const CONFIGS: [&str; 2] = [OPEN_CLIP_CONFIG, "config.json"];

/// What transformers writes of a model's pictures; the first one wins.
pub(super) const PREPROCESSORS: [&str; 2] = ["preprocessor_config.json", "processor_config.json"];

/// The small files that a model may have beside its configuration.
pub(super) fn companions() -> impl Iterator<Item = &'static str> {
    PREPROCESSORS.into_iter().chain(Tokenizer::FILE_NAMES)
}

/// File that a folder from `dermake quantize` has.
pub(super) const MANIFEST: &str = "manifest.json";

/// Well-known weights, the first one wins. `model.safetensors` comes late: beside an open_clip checkpoint it holds the
/// same model under the keys of another library.
pub(super) const WEIGHTS: [&str; 8] = [
    "open_clip_model.safetensors",
    "open_clip_model.safetensors.index.json",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.bin.index.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// Files of a training run whose names look like weights.
const NOT_WEIGHTS: [&str; 7] = [
    "optimizer.safetensors",
    "optimizer.bin",
    "optimizer.pt",
    "scheduler.bin",
    "scheduler.pt",
    "scaler.pt",
    "training_args.bin",
];

/// Outcome of looking for weights among file names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    One(String),
    None,
    Several(Vec<String>),
}

/// Chooses the weights from the names of a folder's files: a well-known name, else the only index, else the only
/// safetensors file, else the only pickle. The first shard represents a whole set of shards.
pub(super) fn choose_weights(names: &[String]) -> Choice {
    if let Some(known) = WEIGHTS.iter().find(|known| names.iter().any(|name| name == *known)) {
        return Choice::One((*known).to_owned());
    }
    let kinds: [fn(&str) -> bool; 3] = [ShardIndex::is_name, is_safetensors, is_pickle];
    for is_of_kind in kinds {
        let mut found: Vec<String> = names.iter().filter(|name| is_of_kind(name)).cloned().collect();
        found.sort();
        match found.first().map(|first| (first, shard_set(first))) {
            None => {}
            Some((first, set)) if found.len() == 1 || set.as_ref().is_some_and(|set| is_within(&found, set)) => {
                return Choice::One(first.clone());
            }
            Some(_) => return Choice::Several(found),
        }
    }
    Choice::None
}

/// The files beside the chosen ones that are a model, too: those of the other library where a folder has the configs of
/// both, of which open_clip's is taken.
pub(super) fn passed_over(names: &[String], weights: &str) -> Vec<String> {
    let is_there = |known: &str| names.iter().any(|name| name == known);
    if !CONFIGS.into_iter().all(is_there) {
        return Vec::new();
    }
    let others = CONFIGS.into_iter().skip(1).chain(WEIGHTS).filter(|name| *name != weights && is_there(name));
    others.map(str::to_owned).collect()
}

fn is_within(names: &[String], set: &[String]) -> bool {
    names.iter().all(|name| set.contains(name))
}

fn is_safetensors(name: &str) -> bool {
    has_extension(name, &["safetensors"])
}

fn is_pickle(name: &str) -> bool {
    has_extension(name, &["bin", "pt", "pth", "ckpt"])
}

fn has_extension(name: &str, endings: &[&str]) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    endings.iter().any(|known| ending.eq_ignore_ascii_case(known)) && !NOT_WEIGHTS.contains(&name)
}

/// Most files of one checkpoint taken seriously.
const MAX_SHARDS: usize = 10_000;

/// The names of all shards, of which `name` is one, such as `model-00001-of-00003.safetensors`.
pub(super) fn shard_set(name: &str) -> Option<Vec<String>> {
    let (rest, ending) = name.rsplit_once('.')?;
    let (rest, total) = rest.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    let is_number = |digits: &str| digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(number) || !is_number(total) {
        return None;
    }
    let n_shards: usize = total.parse().ok().filter(|n_shards| (1..=MAX_SHARDS).contains(n_shards))?;
    let width = number.len();
    Some((1..=n_shards).map(|number| format!("{stem}-{number:0width$}-of-{total}.{ending}")).collect())
}

/// The weights' names as an error lists them.
pub(super) fn weights_looked_for() -> String {
    format!("{}, one *.safetensors, one *.bin, *.pt, *.pth or *.ckpt", WEIGHTS.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(names: &[&str]) -> Choice {
        choose_weights(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn well_known_names_win_in_their_order() {
        let all = ["model.safetensors", "open_clip_pytorch_model.bin", "a.pt"];
        assert_eq!(choose(&all), Choice::One("open_clip_pytorch_model.bin".into()));
        assert_eq!(
            choose(&[&all[..], &["open_clip_model.safetensors"]].concat()),
            Choice::One("open_clip_model.safetensors".into())
        );
    }

    #[test]
    fn otherwise_only_a_single_file_will_do() {
        assert_eq!(choose(&["x.safetensors", "y.pt"]), Choice::One("x.safetensors".into()));
        assert_eq!(choose(&["README.md", "y.pt"]), Choice::One("y.pt".into()));
        assert_eq!(choose(&["b.pt", "a.pth"]), Choice::Several(vec!["a.pth".into(), "b.pt".into()]));
        assert_eq!(choose(&["README.md"]), Choice::None);
        assert_eq!(choose(&["MODEL.CKPT", "optimizer.pt", "training_args.bin"]), Choice::One("MODEL.CKPT".into()));
    }

    #[test]
    fn what_another_library_has_of_a_model_is_passed_over() {
        let passed_over = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let Choice::One(weights) = choose_weights(&names) else { panic!("{names:?}") };
            self::passed_over(&names, &weights)
        };
        let both = ["README.md", "config.json", OPEN_CLIP_CONFIG, "model.safetensors"];
        assert_eq!(passed_over(&both), ["config.json"]);
        let with_both_weights = [&both[..], &["open_clip_model.safetensors"]].concat();
        assert_eq!(passed_over(&with_both_weights), ["config.json", "model.safetensors"]);
        assert!(passed_over(&["open_clip_model.safetensors", OPEN_CLIP_CONFIG, "model.safetensors"]).is_empty());
        assert!(passed_over(&["config.json", "model.safetensors", "pytorch_model.bin"]).is_empty());
    }

    #[test]
    fn shards_are_one_checkpoint() {
        let [first, second, other] = ["m-00001-of-00002.bin", "m-00002-of-00002.bin", "n-00001-of-00002.bin"];
        assert_eq!(choose(&[second, first]), Choice::One(first.into()));
        assert_eq!(choose(&[second]), Choice::One(second.into()));
        assert_eq!(choose(&[first, other]), Choice::Several(vec![first.into(), other.into()]));
        assert_eq!(choose(&[first, second, "m.bin.index.json"]), Choice::One("m.bin.index.json".into()));
        assert_eq!(shard_set(second).unwrap(), [first, second]);
        for name in ["m-1-of-2.bin", "m-00001-of-99999.bin", "m-of-00002.bin", "made-of-glass.pt"] {
            assert_eq!(shard_set(name), None, "{name}");
        }
    }
}
