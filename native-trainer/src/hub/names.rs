//! The file names a model goes by, and which of several to take.

use std::path::Path;

use super::WeightsKind;

/// The model's configuration, as open_clip writes it.
pub(super) const CONFIG: &str = "open_clip_config.json";

/// What marks a folder that `dermake quantize` wrote.
pub(super) const MANIFEST: &str = "manifest.json";

/// Well-known weights, the first one wins. `model.safetensors` comes last: beside an open_clip
/// checkpoint it holds the same model under the keys of another library.
pub(super) const WEIGHTS: [&str; 3] =
    ["open_clip_model.safetensors", "open_clip_pytorch_model.bin", "model.safetensors"];

/// Outcome of looking for weights among file names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    One(String),
    None,
    Several(Vec<String>),
}

/// Picks the weights from the names of one folder's files: a well-known name, else the only
/// safetensors file, else the only pickle.
pub(super) fn choose_weights(names: &[String]) -> Choice {
    if let Some(known) = WEIGHTS.iter().find(|known| names.iter().any(|name| name == *known)) {
        return Choice::One((*known).to_owned());
    }
    for kind in [WeightsKind::Safetensors, WeightsKind::Pickle] {
        let mut found: Vec<_> =
            names.iter().filter(|name| kind_of(Path::new(name)) == Some(kind)).cloned().collect();
        found.sort();
        match found.len() {
            0 => {}
            1 => return Choice::One(found.remove(0)),
            _ => return Choice::Several(found),
        }
    }
    Choice::None
}

/// How a checkpoint of this name is written; `None` for a name that is no checkpoint's.
pub(super) fn kind_of(path: &Path) -> Option<WeightsKind> {
    match path.extension()?.to_str()? {
        "safetensors" => Some(WeightsKind::Safetensors),
        "bin" | "pt" | "pth" => Some(WeightsKind::Pickle),
        _ => None,
    }
}

/// The weights' names as an error lists them.
pub(super) fn weights_looked_for() -> String {
    format!("{}, one *.safetensors, one *.bin, *.pt or *.pth", WEIGHTS.join(", "))
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
    }
}
