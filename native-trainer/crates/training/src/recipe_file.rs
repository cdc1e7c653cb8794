//! Recipes by name or path: those that come with the program, and TOML files.

use super::recipe::Recipe;
use super::settings::Setting;
use super::unused;
use anyhow::{Context, Result, bail, ensure};
use dermake_files::text_file;
use dermake_sources::Form;
use std::path::Path;

/// The recipes that come with the program.
const BUILT_IN: [(&str, &str); 8] = [
    ("clip-small", include_str!("../../../recipes/clip-small.toml")),
    ("make-small", include_str!("../../../recipes/make-small.toml")),
    ("clip-finetune", include_str!("../../../recipes/clip-finetune.toml")),
    ("pretrain-vit-b-16", include_str!("../../../recipes/pretrain-vit-b-16.toml")),
    ("synth-demo", include_str!("../../../recipes/synth-demo.toml")),
    ("synth-demo-further", include_str!("../../../recipes/synth-demo-further.toml")),
    ("synth-demo-last", include_str!("../../../recipes/synth-demo-last.toml")),
    ("smoke", include_str!("../../../recipes/smoke.toml")),
];

impl Recipe {
    /// Reads a built-in recipe by its name, or a TOML file.
    ///
    /// # Errors
    /// For bad TOML, unknown fields and values that make no sense, with the place.
    pub fn read(name_or_path: &str) -> Result<Self> {
        Self::read_with(name_or_path, &[])
    }

    /// The same with settings in place of, or beside, those of the recipe.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_with(name_or_path: &str, settings: &[Setting]) -> Result<Self> {
        let is_file = Path::new(name_or_path).exists();
        let is_meant = |name: &str| name == name_or_path || (!is_file && name.eq_ignore_ascii_case(name_or_path));
        let text = match BUILT_IN.iter().find(|(name, _)| is_meant(name)) {
            Some((_, text)) => Some(*text),
            None if is_file && Form::of_name(name_or_path).is_some() => {
                bail!("a recipe is a TOML file, and this is a table of data; name it with --data: {name_or_path}")
            }
            None if is_file => None,
            None => bail!("{}: {name_or_path}", no_such_recipe(name_or_path)),
        };
        let recipe: Self = match (text, settings) {
            (Some(text), []) => toml::from_str(text).with_context(|| format!("in recipe {name_or_path}"))?,
            (None, []) => text_file::read_toml(Path::new(name_or_path))?,
            (text, settings) => {
                let table = match text {
                    Some(text) => toml::from_str(text).with_context(|| format!("in recipe {name_or_path}"))?,
                    None => text_file::read_toml(Path::new(name_or_path))?,
                };
                with_settings(table, settings).with_context(|| format!("in recipe {name_or_path}"))?
            }
        };
        let checked = recipe.validate().and_then(|()| unused::check(&recipe));
        checked.with_context(|| format!("in recipe {name_or_path}"))?;
        Ok(recipe)
    }
}

fn with_settings(mut table: toml::Table, settings: &[Setting]) -> Result<Recipe> {
    for (place, setting) in settings.iter().enumerate() {
        let is_there = settings[..place].iter().any(|earlier| earlier.key() == setting.key());
        ensure!(!is_there, "{} has two values in --set, expected one", setting.key());
        setting.apply(&mut table)?;
    }
    let typed = settings.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    toml::Value::Table(table).try_into().with_context(|| format!("with {typed}"))
}

/// Says that the recipe does not exist, and lists those that do.
fn no_such_recipe(typed: &str) -> String {
    let spelled = typed.to_ascii_lowercase();
    let spelled = spelled.strip_suffix(".toml").unwrap_or(&spelled);
    let near = BUILT_IN.iter().map(|(name, _)| *name).find(|name| strsim::damerau_levenshtein(name, spelled) <= 2);
    let near = near.map(|name| format!("did you mean {name}? ")).unwrap_or_default();
    let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    format!("no such recipe; {near}there are {}, or give a TOML file", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_recipes_are_sound() {
        for (name, _) in BUILT_IN {
            let recipe = Recipe::read(name).unwrap();
            recipe.model.drawn_config().unwrap();
        }
    }

    #[test]
    fn a_table_in_place_of_a_recipe_is_recognized() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["train.csv", "train.jsonl.gz"] {
            let path = folder.path().join(name);
            std::fs::write(&path, "image,caption\n").unwrap();
            let err = Recipe::read(path.to_str().unwrap()).unwrap_err().to_string();
            assert!(err.contains("a table of data; name it with --data"), "{err}");
        }
    }

    #[test]
    fn what_a_recipe_says_is_checked() {
        let (_, text) = BUILT_IN.into_iter().find(|(name, _)| *name == "smoke").unwrap();
        let fails = |change: (&str, &str), expected: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("r.toml");
            assert!(text.contains(change.0), "{}", change.0);
            std::fs::write(&path, text.replace(change.0, change.1)).unwrap();
            let err = format!("{:#}", Recipe::read(path.to_str().unwrap()).unwrap_err());
            assert!(err.contains(expected), "{err}");
        };
        fails(("epochs = ", "epocs = "), "epocs");
        fails(("[model]", "[model]\nfrom = \"m\""), "both from and model_cfg");
        fails(("batch_size = ", "batch_size = 0 # "), "run.batch_size is 0");
        fails(("batch_size = ", "batch_size = 1 # "), "run.batch_size is 1");
        fails(("learning_rate = ", "learning_rate = nan # "), "learning_rate is NaN");
        fails(("weight_decay = 0.1", "weight_decay = -0.1"), "weight_decay is -0.1");
        fails(("weight_decay = 0.1", "weight_decay = 0.1\nclip_norm = 0.0"), "clip_norm is 0");
        fails(("weight_decay = 0.1", "weight_decay = 0.1\nbeta2 = 1.0"), "beta2 is 1");
        fails(
            ("variant = \"paper\"", "variant = \"paper\"\nlambda_m = 0.0\nlambda_s = 0.0"),
            "lambda_m and lambda_s",
        );
        fails(("validation = ", "max_bad_share = 2.0\nvalidation = "), "max_bad_share is 2");
        let again = "[[data.zero_shot]]\nname = \"synth\"\ntable = \"a\"\nclasses = \"pad\"\n[objective]";
        fails(("[objective]", again), "two zero_shot tables");
        assert_eq!(Recipe::read("Smoke").unwrap(), Recipe::read("smoke").unwrap());
        for near in ["smoke.toml", "Smoek"] {
            let err = Recipe::read(near).unwrap_err().to_string();
            assert!(err.contains("did you mean smoke?") && err.ends_with(near), "{err}");
        }
        assert!(!Recipe::read("nonsense").unwrap_err().to_string().contains("did you mean"));
        assert!(Recipe::read("nonsense").unwrap_err().to_string().contains("synth-demo"));
    }
}
