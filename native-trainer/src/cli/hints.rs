//! Hints below an error: what somebody most likely wanted.

use crate::formats::Format;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use dermake_models::NoConfig;
use std::path::Path;

/// Options of open_clip's training, and the settings of a recipe in their place.
const SETTINGS: [(&str, &str); 10] = [
    ("--batch-size", "run.batch_size=64"),
    ("--epochs", "run.epochs=10"),
    ("--lock-image", "lock.image=true"),
    ("--lr", "schedule.learning_rate=1e-5"),
    ("--model", "model.from=hf-hub:owner/name"),
    ("--precision", "run.precision=bf16"),
    ("--pretrained", "model.from=hf-hub:owner/name"),
    ("--seed", "run.seed=1"),
    ("--warmup", "schedule.warmup_steps=100"),
    ("--wd", "optimizer.weight_decay=0.1"),
];

/// Returns a hint for an error, if there is one.
pub fn hint(err: &anyhow::Error) -> Option<String> {
    if err.is::<NoConfig>() {
        return Some(
            "put one there, or name the architecture: with --arch, or as `architecture` in a recipe's [model]"
                .into(),
        );
    }
    let text = format!("{err:#}");
    if text.starts_with("no such recipe") {
        return Some(
            "clip-small trains a small model from random weights on your images and captions, clip-finetune one that is \
             there: --set model.from=hf-hub:owner/name"
                .into(),
        );
    }
    if let Some((_, rest)) = text.split_once("unknown field `").filter(|_| text.contains("recipe")) {
        return Some(recipe_keys(rest.split('`').next().unwrap_or_default()));
    }
    if text.contains("web/dist") {
        return Some("`just web` builds the page".into());
    }
    if text.contains("hf-hub:") {
        return Some("`dermake init --out DIR` makes an untrained model to try things with".into());
    }
    None
}

/// Which keys of a recipe end in a name.
fn recipe_keys(name: &str) -> String {
    let keys = Format::find("recipe").map(|recipe| recipe.paths_ending_in(name)).unwrap_or_default();
    match keys.is_empty() {
        true => "`dermake help recipe` lists the keys of a recipe".into(),
        false => format!("there is {}; `dermake help recipe` lists all keys", keys.join(", ")),
    }
}

/// Returns a hint for a command line that cannot be parsed, if there is one.
pub fn parse_hint(err: &clap::Error) -> Option<String> {
    let arguments = match err.get(ContextKind::InvalidArg)? {
        ContextValue::String(argument) => std::slice::from_ref(argument),
        ContextValue::Strings(arguments) => arguments,
        _ => return None,
    };
    let usage = err.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    let is_of = |command: &str| usage.contains(&format!("dermake {command} "));
    match (err.kind(), arguments) {
        (ErrorKind::UnknownArgument, [argument]) if Path::new(argument).exists() => {
            Some(format!("data are named with --data, as in `--data {argument}`"))
        }
        (ErrorKind::UnknownArgument, [argument]) if is_of("train") || is_of("lr-find") => {
            let setting = SETTINGS.iter().find(|(option, _)| option == argument);
            setting.map(|(_, setting)| format!("the recipe says that; to change it, `--set {setting}`"))
        }
        (ErrorKind::UnknownArgument, [argument]) if argument == "--pretrained" => {
            Some("a model and its weights have one name: `--model hf-hub:owner/name`, a folder or a file".into())
        }
        (ErrorKind::MissingRequiredArgument, _) if is_of("train") => {
            Some("clip-small is a recipe for images and captions of your own: `dermake train clip-small --data captions.csv --out runs/own`".into())
        }
        (ErrorKind::MissingRequiredArgument, _) if is_of("finetune") => {
            Some("with photos in a folder for each class: `dermake finetune --data photos --out head`".into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use dermake_training::Setting;

    #[test]
    fn a_first_try_is_told_what_to_change() {
        let hint = |line: &str| parse_hint(&Cli::read(line.split(' ')).unwrap_err());
        assert!(hint("dermake eval src").unwrap().contains("--data src"));
        assert!(hint("dermake train --data a --out b").unwrap().contains("clip-small"));
        assert!(hint("dermake train src").unwrap().contains("clip-small"));
        assert!(hint("dermake finetune src").unwrap().contains("--data photos"));
        assert_eq!(hint("dermake eval no-such-file"), None);
        assert_eq!(hint("dermake eval --no-such-option"), None);
    }

    #[test]
    fn options_of_open_clip_are_told_their_settings() {
        let error = |line: &str| Cli::read(line.split(' ')).unwrap_err();
        for (option, setting) in SETTINGS {
            let error = error(&format!("dermake train clip-small --data a --out b {option} 3"));
            assert!(parse_hint(&error).unwrap().contains(setting), "{option}");
            assert!(!error.to_string().contains("as a value"), "{error}");
            Setting::parse(setting).unwrap();
            let key = setting.split('=').next().unwrap();
            let name = key.rsplit('.').next().unwrap();
            assert!(recipe_keys(name).contains(key), "{key}: {}", recipe_keys(name));
        }
        assert!(parse_hint(&error("dermake eval --pretrained openai")).unwrap().contains("--model hf-hub:"));
        assert_eq!(parse_hint(&error("dermake eval --lr 1")), None);
    }

    #[test]
    fn a_key_of_a_recipe_without_its_section_is_found() {
        let hint = |text: &str| hint(&anyhow::anyhow!("{text}"));
        let unknown = |field: &str| hint(&format!("in recipe a.toml: unknown field `{field}`, expected `model`"));
        assert_eq!(unknown("epochs").unwrap(), "there is run.epochs; `dermake help recipe` lists all keys");
        assert_eq!(unknown("epoch").unwrap(), "`dermake help recipe` lists the keys of a recipe");
        assert_eq!(hint("in a list: unknown field `epochs`"), None);
        assert!(hint("no such recipe; there are clip-small: clip").unwrap().contains("model.from="));
    }
}
