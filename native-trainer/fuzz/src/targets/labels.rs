//! Labels as they are typed, a file of labels, a template; the bytes of a text file.

use shared_model::labels::{MAX_LABELS, ReadLabels, Templates, spelling_key};
use shared_model::text_file;
use std::collections::HashSet;

/// Reads the input as labels of each kind and as a template.
pub(super) fn run(bytes: &[u8]) {
    let Ok(content) = text_file::decode(bytes) else { return };
    assert!(text_file::lines(content).all(|line| !line.contains(['\n', '\r'])));
    let read = [ReadLabels::from_key_or_text, ReadLabels::from_text, ReadLabels::from_file];
    for labels in read.iter().filter_map(|read| read(content).ok()) {
        let names = &labels.set.class_names;
        assert!(!names.is_empty() && names.len() <= MAX_LABELS);
        assert!(names.iter().all(|name| !name.trim().is_empty()));
        let keys: HashSet<String> = names.iter().map(|name| spelling_key(name)).collect();
        assert_eq!(keys.len(), names.len(), "each label once");
        assert!(labels.warnings.iter().all(|warning| !warning.to_string().is_empty()));
    }
    if let Ok(templates) = Templates::new(vec![content.to_owned()]) {
        assert!(templates.prompts("a label").all(|prompt| prompt.contains("a label")));
    }
}
