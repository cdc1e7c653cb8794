//! Makes a function of each text, so that a text that is missing or takes other arguments does not compile, and one that
//! is not used is a warning. Labels are a table in place of functions: the page knows them by their English text.

use super::catalogs::{Catalog, NUMBER_PREFIX, Text};
use std::fmt::Write;

/// Returns the source of these functions and of the table of labels.
pub fn functions(english: &Catalog) -> String {
    let mut source = String::new();
    let mut labels = Vec::new();
    for (_, text) in english.texts() {
        match text.label() {
            Some(label) => labels.push(format!("({label:?}, {:?})", text.id)),
            None => source.push_str(&function(text)),
        }
    }
    // Writing to a string does not fail.
    let _ = writeln!(source, "\npub const LABELS: &[(&str, &str)] = &[{}];", labels.join(", "));
    source
}

/// Returns the list of all identifiers, as an expression.
pub fn ids(english: &Catalog) -> String {
    let ids: Vec<String> = english.texts().map(|(_, text)| format!("{:?}", text.id)).collect();
    format!("&[{}]", ids.join(", "))
}

fn function(text: &Text) -> String {
    let Text { id, variables, .. } = text;
    let (mut parameters, mut arguments) = (String::new(), String::new());
    for variable in variables {
        let name = snake(variable);
        let (kind, value) = match variable.starts_with(NUMBER_PREFIX) {
            true => ("impl Into<FluentNumber>", "FluentValue::Number(NAME.into())"),
            false => ("&str", "FluentValue::from(NAME)"),
        };
        let _ = write!(parameters, ", {name}: {kind}");
        let _ = write!(arguments, "({variable:?}, {}), ", value.replace("NAME", &name));
    }
    let name = snake(id);
    format!(
        "\npub fn {name}(catalog: &Catalog{parameters}) -> String {{\n    catalog.text({id:?}, &[{arguments}])\n}}\n"
    )
}

/// The name of a message or a variable as a name of Rust's.
fn snake(name: &str) -> String {
    name.replace('-', "_")
}
