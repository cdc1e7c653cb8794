//! Settings of a command line that replace or add keys of a recipe: `run.seed=1`, `schedule.learning_rate=1e-4`.

use anyhow::{Context, Result, bail, ensure};
use std::fmt;

/// A dotted key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    key: Vec<String>,
    value: toml::Value,
    /// The value as it was typed.
    typed: String,
}

/// A dotted key and the values to try.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    settings: Vec<Setting>,
}

impl Setting {
    /// Reads `key=value`. The value is TOML; what is none is a text.
    ///
    /// # Errors
    /// When there is no `=`, or a part of the key is empty.
    pub fn parse(text: &str) -> Result<Self> {
        let (key, value) = split(text)?;
        Ok(Self::new(key, value))
    }

    fn new(key: Vec<String>, typed: &str) -> Self {
        let typed = typed.trim();
        let parsed = format!("value = {typed}").parse::<toml::Table>().ok();
        let value = parsed.and_then(|mut table| (table.len() == 1).then(|| table.remove("value")).flatten());
        Self { key, value: value.unwrap_or_else(|| toml::Value::String(typed.into())), typed: typed.into() }
    }

    /// Puts the value into a recipe.
    ///
    /// # Errors
    /// When a part of the key is no section.
    pub fn apply(&self, recipe: &mut toml::Table) -> Result<()> {
        let [sections @ .., last] = self.key.as_slice() else { bail!("a setting has no key") };
        let mut table = recipe;
        for section in sections {
            let entry = table.entry(section.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table =
                entry.as_table_mut().with_context(|| format!("{section} in {self} is no section of the recipe"))?;
        }
        table.insert(last.clone(), self.value.clone());
        Ok(())
    }

    /// The dotted key.
    pub fn key(&self) -> String {
        self.key.join(".")
    }

    /// The value as it was typed.
    pub fn typed(&self) -> &str {
        &self.typed
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key(), self.typed)
    }
}

impl Sweep {
    /// Reads `key=value,value,…`. Commas within brackets, braces and quotes belong to a value.
    ///
    /// # Errors
    /// When there is no `=`, a part of the key is empty, or a value is empty or there twice.
    pub fn parse(text: &str) -> Result<Self> {
        let (key, values) = split(text)?;
        let settings: Vec<Setting> =
            values_of(values).into_iter().map(|value| Setting::new(key.clone(), value)).collect();
        for (place, setting) in settings.iter().enumerate() {
            ensure!(!setting.typed.is_empty(), "a value of {text} is empty, expected KEY=VALUE,VALUE");
            let is_there = settings[..place].iter().any(|earlier| earlier.value == setting.value);
            ensure!(!is_there, "{text} has {} twice", setting.typed);
        }
        Ok(Self { settings })
    }

    /// All combinations of one value for each key, the last key changing first.
    pub fn combinations(sweeps: &[Self]) -> Vec<Vec<Setting>> {
        let add = |combinations: Vec<Vec<Setting>>, sweep: &Self| {
            let with = |settings: &Vec<Setting>| {
                let one = |setting: &Setting| [&settings[..], std::slice::from_ref(setting)].concat();
                sweep.settings.iter().map(one).collect::<Vec<_>>()
            };
            combinations.iter().flat_map(with).collect()
        };
        sweeps.iter().fold(vec![Vec::new()], add)
    }

    /// The dotted key.
    pub fn key(&self) -> String {
        self.settings.first().map(Setting::key).unwrap_or_default()
    }
}

/// The parts of a key, and what is behind `=`.
fn split(text: &str) -> Result<(Vec<String>, &str)> {
    let (key, value) =
        text.split_once('=').with_context(|| format!("expected KEY=VALUE as in run.seed=1, got {text}"))?;
    let key: Vec<String> = key.trim().split('.').map(str::to_owned).collect();
    ensure!(key.iter().all(|part| !part.is_empty()), "a part of the key is empty in {text}");
    Ok((key, value))
}

fn values_of(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut start, mut values) = (0usize, None, 0, Vec::new());
    for (place, letter) in text.char_indices() {
        // Within a text without quotes, as in `don't`, a quote is a letter.
        let may_open = depth > 0 || text[start..place].trim().is_empty();
        match letter {
            _ if quote == Some(letter) => quote = None,
            _ if quote.is_some() => {}
            '"' | '\'' if may_open => quote = Some(letter),
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                values.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    values.push(&text[start..]);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_replace_and_add_keys() {
        let mut recipe: toml::Table = "[run]\nseed = 0\n".parse().unwrap();
        for text in ["run.seed=3", "schedule.shape=cosine", "lora.matrices=[\"q\", \"v\"]", "model.notice=a = b"] {
            Setting::parse(text).unwrap().apply(&mut recipe).unwrap();
        }
        let expected = "[run]\nseed = 3\n[schedule]\nshape = \"cosine\"\n[lora]\nmatrices = [\"q\", \"v\"]\n[model]\n\
                        notice = \"a = b\"";
        assert_eq!(recipe, expected.parse().unwrap());
        let error = Setting::parse("run.seed.x=1").unwrap().apply(&mut recipe).unwrap_err().to_string();
        assert!(error.contains("seed in run.seed.x=1 is no section"), "{error}");
        for bad in ["run.seed", "=1", "run..seed=1"] {
            assert!(Setting::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sweeps_combine_their_values() {
        let of = |text: &str| Sweep::parse(text).unwrap();
        let sweeps = [of("run.seed=1,2"), of("data.augmentation.scale=[0.4, 1.0],[0.9, 1.0]")];
        let names = |settings: &Vec<Setting>| settings.iter().map(Setting::typed).collect::<Vec<_>>().join(" ");
        let combinations: Vec<String> = Sweep::combinations(&sweeps).iter().map(names).collect();
        assert_eq!(combinations, ["1 [0.4, 1.0]", "1 [0.9, 1.0]", "2 [0.4, 1.0]", "2 [0.9, 1.0]"]);
        for (text, expected) in [
            ("model.notice='a, b',\"c, d\"", ["'a, b'", "\"c, d\""]),
            ("model.notice=don't,do", ["don't", "do"]),
            ("lora.matrices=['q'],[\"k\", 'v']", ["['q']", "[\"k\", 'v']"]),
        ] {
            assert_eq!(of(text).settings.iter().map(Setting::typed).collect::<Vec<_>>(), expected);
        }
        assert!(matches!(&Sweep::combinations(&[])[..], [none] if none.is_empty()));
        assert!(Sweep::parse("run.seed=1,,2").unwrap_err().to_string().contains("is empty"));
        assert!(Sweep::parse("run.seed=1,1").unwrap_err().to_string().contains("has 1 twice"));
    }
}
