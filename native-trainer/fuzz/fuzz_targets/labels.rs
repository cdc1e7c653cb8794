//! Labels as they are typed, a file of labels, a template.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_model::labels::{LabelSet, MAX_LABELS, Templates};

fuzz_target!(|content: &str| {
    for labels in [LabelSet::from_text(content), LabelSet::from_file_content(content)].into_iter().flatten() {
        let names = &labels.class_names;
        assert!(!names.is_empty() && names.len() <= MAX_LABELS);
        assert!(names.iter().all(|name| !name.trim().is_empty()));
    }
    if let Ok(templates) = Templates::new(vec![content.to_owned()]) {
        assert!(templates.prompts("a label").all(|prompt| prompt.contains("a label")));
    }
});
