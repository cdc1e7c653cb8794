//! What is said of labels: language and translations of the built-in ones, and how the visitor's own are read.

use crate::language::{Catalog, Language};
use crate::state::OwnLabelsSummary;
use crate::texts::{self, LABELS};
use shared_model::labels::{LabelSet, LabelWarning};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Names that a warning lists.
const MAX_LISTED: usize = 5;

/// The name of a label in the language of the page, if it has another one there.
pub fn translation(catalog: &Catalog, label: &str) -> Option<String> {
    if catalog.language() == Language::English {
        return None;
    }
    let (_, id) = LABELS.iter().find(|(known, _)| *known == label)?;
    Some(catalog.text(id, &[])).filter(|name| name.to_lowercase() != label)
}

/// A label, and its name in the language of the page, as one text: an option has no elements.
pub fn with_translation(catalog: &Catalog, label: &str) -> String {
    match translation(catalog, label) {
        Some(name) => format!("{label} · {name}"),
        None => label.into(),
    }
}

/// The language of labels if it is not the page's: the built-in ones are in English, that of others is not known.
pub fn labels_language<'a>(
    catalog: &Catalog,
    labels: impl IntoIterator<Item = &'a String>,
) -> Option<&'static str> {
    static BUILT_IN: LazyLock<HashSet<String>> =
        LazyLock::new(|| LabelSet::built_in().into_iter().flat_map(|set| set.class_names).collect());
    let is_other = catalog.language() != Language::English;
    let is_english = is_other && labels.into_iter().all(|label| BUILT_IN.contains(label));
    is_english.then_some(Language::English.code())
}

/// How the typed labels are parsed.
pub fn own_labels(catalog: &Catalog, OwnLabelsSummary { n_labels, first }: &OwnLabelsSummary) -> String {
    let listed = first.join(" · ");
    match n_labels - first.len() {
        0 => texts::labels_read(catalog, *n_labels, &listed),
        n_more => texts::labels_read_more(catalog, *n_labels, &listed, n_more),
    }
}

/// Warnings about the typed labels as one text; `None` if there are none.
pub fn warnings(catalog: &Catalog, warnings: &[LabelWarning]) -> Option<String> {
    let said: Vec<String> = warnings.iter().map(|found| warning(catalog, found)).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn warning(catalog: &Catalog, warning: &LabelWarning) -> String {
    let quoted = |name: &String| format!("{name:?}");
    match warning {
        LabelWarning::Joined { names } => {
            let listed = names.iter().take(MAX_LISTED).map(quoted).collect::<Vec<_>>().join(", ");
            match names.len().saturating_sub(MAX_LISTED) {
                0 => texts::labels_joined(catalog, &listed),
                n_more => texts::labels_joined_more(catalog, &listed, n_more),
            }
        }
        LabelWarning::Single { name } => texts::labels_single(catalog, &quoted(name)),
        LabelWarning::Header { name } => texts::labels_header(catalog, &quoted(name)),
        LabelWarning::Separated { separator: ',' } => texts::labels_separated_by_comma(catalog),
        LabelWarning::Separated { separator: ';' } => texts::labels_separated_by_semicolon(catalog),
        LabelWarning::Separated { .. } => texts::labels_separated_by_bar(catalog),
        LabelWarning::Comments { n_lines } => texts::labels_comments(catalog, *n_lines),
        LabelWarning::Numbered { name } => texts::labels_numbered(catalog, &quoted(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_built_in_labels_have_translations() {
        let sets = LabelSet::built_in();
        for (label, id) in LABELS {
            let is_built_in = sets.iter().any(|set| set.class_names.iter().any(|name| name == label));
            assert!(is_built_in, "{id}: {label:?} is no label of the built-in sets");
        }
        assert_eq!(translation(&Catalog::english(), LABELS[0].0), None);
    }

    #[test]
    fn the_first_of_many_labels_are_listed() {
        let said = |n_labels, first: &[&str]| {
            let first = first.iter().map(ToString::to_string).collect();
            own_labels(&Catalog::english(), &OwnLabelsSummary { n_labels, first })
        };
        assert_eq!(said(1, &["a"]), "1 label: a");
        assert_eq!(said(3, &["a", "b", "c"]), "3 labels: a · b · c");
        assert_eq!(said(8, &["a", "b", "c", "d", "e", "f"]), "8 labels: a · b · c · d · e · f and 2 more");
    }

    #[test]
    fn the_english_warnings_are_those_of_the_program() {
        let name = String::from("a \"b\"");
        let many: Vec<String> = (0..7).map(|index| format!("label {index}")).collect();
        let all = [
            LabelWarning::Joined { names: many[..2].to_vec() },
            LabelWarning::Joined { names: many },
            LabelWarning::Single { name: name.clone() },
            LabelWarning::Header { name: name.clone() },
            LabelWarning::Separated { separator: ',' },
            LabelWarning::Separated { separator: ';' },
            LabelWarning::Separated { separator: '|' },
            LabelWarning::Comments { n_lines: 3 },
            LabelWarning::Numbered { name },
        ];
        let english = Catalog::english();
        for found in &all {
            assert_eq!(warning(&english, found), found.to_string());
        }
        assert_eq!(warnings(&english, &[]), None);
        assert_eq!(warnings(&english, &all[3..5]).unwrap(), format!("{}; {}", all[3], all[4]));
    }
}
