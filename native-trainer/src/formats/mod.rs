//! The files that people write or read, key by key: `dermake help recipe`, `benchmarks`, `results`, `tables` and `manifest`.
//!
//! Everything is made from the types that read and write these files, so that it cannot drift.

mod keys;

use anyhow::{Context, Result};
use schemars::{Schema, schema_for};
use serde_json::Value;
use std::fmt::Write;

/// A file format.
pub struct Format {
    /// What `dermake help` calls it.
    pub name: &'static str,
    title: &'static str,
    about: &'static str,
    schema: fn() -> Schema,
}

/// All of them.
pub static FORMATS: [Format; 5] = [
    Format {
        name: "recipe",
        title: "Recipe",
        about: "A TOML file that `dermake train` reads; `plan.toml` of a run is one with every default filled in.",
        schema: || schema_for!(dermake_training::recipe::Recipe),
    },
    Format {
        name: "benchmarks",
        title: "benchmarks.toml",
        about: "A TOML file in the data folder of `dermake eval`, for benchmarks that are run again and again.",
        schema: || schema_for!(dermake_evaluation::Benchmarks),
    },
    Format {
        name: "results",
        title: "results.json",
        about: "What `dermake eval --out` writes: every figure of the report.",
        schema: || schema_for!(dermake_evaluation::results::Results),
    },
    Format {
        name: "tables",
        title: "Tables of images",
        about: "The columns of the tables that `dermake eval` writes for other programs, as CSV, TSV, Parquet or NumPy. \
                Beside a NumPy file `x.npy`, which has the numbers, `x.rows.csv` has the texts of the rows, and \
                `x.columns.txt` the names of the columns.",
        schema: || schema_for!(dermake_evaluation::TableColumns),
    },
    Format {
        name: "manifest",
        title: "manifest.json",
        about: "What `dermake quantize` writes beside the weights, and the page and the server read.",
        schema: || schema_for!(shared_model::manifest::Manifest),
    },
];

/// The names of all, for a message.
pub fn names() -> String {
    FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ")
}

impl Format {
    /// The format of this name, in any case.
    pub fn find(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name.eq_ignore_ascii_case(name))
    }

    /// Its JSON schema, on several lines.
    ///
    /// # Errors
    /// Only if the program is damaged.
    pub fn json_schema(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&(self.schema)()).context("in a schema")? + "\n")
    }

    /// Its keys for the terminal.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n{}\n", self.title, self.about);
        for key in self.keys() {
            let _ = write!(text, "\n{}\n    {}; {}\n", key.path, key.kind, key.need);
            if !key.about.is_empty() {
                let _ = writeln!(text, "    {}", key.about);
            }
        }
        text
    }

    /// Its keys as a section of Markdown.
    fn markdown(&self) -> String {
        let about = format!("{} `dermake help {} --json` prints its JSON schema.", self.about, self.name);
        let mut text = format!("\n## {}\n\n{}\n", self.title, wrapped(&about, ""));
        for key in self.keys() {
            let about = if key.about.is_empty() { String::new() } else { format!(": {}", key.about) };
            text += &wrapped(&format!("- `{}` ({}; {}){about}", key.path, key.kind, key.need), "  ");
        }
        text
    }

    /// The keys whose last part is `name`, with the keys around them.
    pub fn paths_ending_in(&self, name: &str) -> Vec<String> {
        let paths = self.keys().into_iter().map(|key| key.path);
        paths.filter(|path| path.rsplit('.').next() == Some(name)).collect()
    }

    fn keys(&self) -> Vec<keys::Key> {
        keys::of(&Value::from((self.schema)()))
    }
}

/// Breaks a text into lines, the further ones with an indent.
fn wrapped(text: &str, indent: &str) -> String {
    /// Characters of a line.
    const WIDTH: usize = 120;
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &format!("{line}\n");
            line = indent.to_owned();
        }
        let is_start = line.trim().is_empty();
        line += &if is_start { word.to_owned() } else { format!(" {word}") };
    }
    lines + &line + "\n"
}

/// The page `docs/formats.md`.
pub fn page() -> String {
    let head = "# File formats\n\n\
                The keys of the files that people write or read, made from the types in the program: `dermake help \
                --markdown`\nprints this page. In a key, `[]` means each entry of a list, and `{}` each value of \
                an object.\n";
    head.to_owned() + &FORMATS.iter().map(Format::markdown).collect::<String>()
}
