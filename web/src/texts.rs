//! The texts of the page, with a function for each that takes the catalog and the text's variables. The build makes the
//! functions of `languages/en` (`build/generate.rs`), and `LABELS`: the labels that have translations, by their identifiers.

use crate::language::Catalog;
use fluent_bundle::FluentValue;
use fluent_bundle::types::FluentNumber;

/// A text without variables.
pub type Text = fn(&Catalog) -> String;

include!(concat!(env!("OUT_DIR"), "/texts.rs"));
