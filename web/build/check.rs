//! Compares the catalogs: each has the files, the texts and the variables of the English one.

use super::catalogs::{Catalog, Text};
use std::collections::HashMap;

/// Code of the language that the others are compared with.
const ENGLISH: &str = "en";

/// Checks all catalogs; returns the English one.
///
/// # Errors
/// What is missing, there twice or different, each with its file and its message.
pub fn check(catalogs: &[Catalog]) -> Result<&Catalog, Vec<String>> {
    let english = catalogs.iter().find(|catalog| catalog.code == ENGLISH);
    let english = english.ok_or_else(|| vec![format!("there is no folder languages/{ENGLISH}")])?;
    let mut problems: Vec<String> = catalogs.iter().flat_map(twice).collect();
    problems.extend(catalogs.iter().flat_map(|catalog| differences(english, catalog)));
    if problems.is_empty() { Ok(english) } else { Err(problems) }
}

/// Texts with an identifier that an earlier text of the language has.
fn twice(catalog: &Catalog) -> Vec<String> {
    let mut known = HashMap::new();
    let texts = catalog.texts();
    texts
        .filter_map(|(file, text)| {
            let earlier = known.insert(&text.id, &file.path)?;
            Some(format!("{}: {} is also in {earlier}", file.path, text.id))
        })
        .collect()
}

/// How the texts of a language differ from the English ones, apart from their words.
fn differences(english: &Catalog, other: &Catalog) -> Vec<String> {
    // The name of a file belongs to a text: both are found in one place in all languages.
    let by_place = |catalog: &'_ Catalog| -> HashMap<(String, String), Text> {
        let place = |path: &str, text: &Text| {
            let name = path.rsplit('/').next().unwrap_or(path);
            ((name.to_string(), text.id.clone()), text.clone())
        };
        catalog.texts().map(|(file, text)| place(&file.path, text)).collect()
    };
    let (expected, found) = (by_place(english), by_place(other));
    let mut problems = Vec::new();
    for (place @ (file, id), text) in &expected {
        match found.get(place) {
            None => problems.push(format!("{}/{file}: {id} is missing", other.code)),
            Some(translated) if sorted(translated) != sorted(text) => problems.push(format!(
                "{}/{file}: {id}: expected the variables {:?}, found {:?}",
                other.code,
                sorted(text),
                sorted(translated)
            )),
            Some(_) => {}
        }
    }
    let unknown = found.keys().filter(|place| !expected.contains_key(place));
    problems.extend(unknown.map(|(file, id)| format!("{}/{file}: {id} is not in {ENGLISH}/{file}", other.code)));
    problems.sort();
    problems
}

fn sorted(text: &Text) -> Vec<&str> {
    let mut variables: Vec<&str> = text.variables.iter().map(String::as_str).collect();
    variables.sort_unstable();
    variables
}
