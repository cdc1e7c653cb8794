//! Labels as people type them, with their warnings and errors.

use super::super::{MAX_LABEL_BYTES, MAX_LABELS};
use super::*;

fn read(text: &str) -> ReadLabels {
    ReadLabels::from_key_or_text(text).unwrap()
}

fn error(text: &str) -> String {
    ReadLabels::from_key_or_text(text).unwrap_err().to_string()
}

#[test]
fn spellings_of_one_label_are_joined_and_named() {
    for text in [
        "Acne,acne,ACNE",
        "Acne; nevus; acne ",
        "Acne\n acne\u{200b}\nnevus",
        "[\"Acne\", \"acne\"]",
        "Acne, nevus, \u{feff}ａｃｎｅ",
    ] {
        let labels = read(text);
        assert_eq!(labels.set.class_names[0], "Acne", "{text:?}");
        assert!(matches!(&labels.warnings[0], LabelWarning::Joined { .. }), "{text:?}");
    }
    let joined = read("Acne,acne,nevus,ACNE").warnings[0].to_string();
    assert_eq!(joined, "listed more than once, counted once: \"acne\", \"ACNE\"");
}

#[test]
fn one_label_alone_and_a_heading_are_warnings() {
    assert!(matches!(&read("acne").warnings[..], [LabelWarning::Single { .. }]));
    assert!(matches!(&read("Diagnosis\nacne\nnevus").warnings[..], [LabelWarning::Header { .. }]));
    assert!(read("acne, nevus").warnings.is_empty() && read("pad").warnings.is_empty());
    let file = |content: &str| ReadLabels::from_file(content).unwrap().warnings;
    assert!(matches!(&file("label\nacne\nnevus\n")[..], [LabelWarning::Header { .. }]));
    for (content, separator) in [("acne,L70\nnevus,D22\n", ','), ("acne;L70\nnevus;D22", ';'), ("a|1\nb|2", '|')] {
        assert_eq!(file(content), [LabelWarning::Separated { separator }], "{content:?}");
    }
    assert!(file("eczema; atopic\nnevus").is_empty() && file("a; b; c\nd; e").is_empty());
    for heading in ["labels:", "concept", "Disease_Name"] {
        let name = heading.to_string();
        assert_eq!(file(&format!("{heading}\nacne\nnevus")), [LabelWarning::Header { name }]);
    }
    let gaps = ReadLabels::from_file("1. acne\n2. nevus\n4. scar\n").unwrap();
    assert_eq!(gaps.set.class_names[2], "4. scar");
    assert_eq!(gaps.warnings, [LabelWarning::Numbered { name: "1. acne".into() }]);
    let commented = ReadLabels::from_file("# my labels\nacne\n// c\nnevus\n").unwrap();
    assert_eq!(commented.set.class_names, ["acne", "nevus"]);
    assert_eq!(commented.warnings, [LabelWarning::Comments { n_lines: 2 }]);
    assert!(file("[\"acne, inflamed\", \"nevus, blue\"]").is_empty());
}

#[test]
fn keys_are_known_in_any_case_and_their_near_misses_are_errors() {
    assert_eq!(read(" F17K ").set.class_names.len(), 114);
    for (text, key) in [("f17", "f17k"), ("Padd", "pad"), ("pda", "pad"), ("snuu", "snu"), ("sd129", "sd128")] {
        assert!(error(text).contains(&format!("did you mean {key}?")), "{text}: {}", error(text));
    }
    assert_eq!(read("psoriasis").set.class_names, ["psoriasis"]);
    assert_eq!(read("padd, acne").set.class_names, ["padd", "acne"]);
}

#[test]
fn a_key_is_a_set_by_itself_and_an_error_in_a_list() {
    for text in ["\"pad\"", "[\"pad\"]"] {
        assert_eq!(read(text).set.key, "pad", "{text}");
    }
    for text in ["pad,f17k", "pad;snu", "[\"acne\", \"SD-128\"]", "pad\npad"] {
        assert!(error(text).contains("expected the key of one set alone, or names"), "{text}: {}", error(text));
        assert!(ReadLabels::from_text(text).is_err(), "{text}");
    }
    let file = |content: &str| ReadLabels::from_file(content).unwrap().with_keys();
    assert_eq!(file("pad\n").unwrap().set.class_names.len(), 6);
    assert!(file("acne\nf17k\n").unwrap_err().to_string().contains("the set \"f17k\" in a list"));
    assert_eq!(file("acne\nnevus\n").unwrap().set.class_names, ["acne", "nevus"]);
}

#[test]
fn names_of_files_are_no_labels() {
    for text in
        ["missing.csv", "labels.TXT", "data/labels.json", "C:\\labels.xlsx", "a.txt, b.txt", "/etc/passwd", "@list"]
    {
        assert!(error(text).contains("looks like a file"), "{text}");
    }
    assert_eq!(read("SJS/TEN, v. vulgaris").set.class_names, ["SJS/TEN", "v. vulgaris"]);
}

#[test]
fn labels_that_cannot_be_used_are_errors() {
    let many = (0..=MAX_LABELS).map(|index| format!("label {index}")).collect::<Vec<_>>().join("\n");
    let long = "x".repeat(MAX_LABEL_BYTES + 1);
    for (text, expected) in [
        ("", "expected at least one name, found 0"),
        (" , ;", "found 0"),
        (&many, "1 to 10000 names, found 10001"),
        (&long, "at most 1000 bytes"),
        ("acne, ---", "a name with letters"),
        ("acne\n]\n", "a name with letters"),
        ("[\"acne\", \" \"]", "label 2 of 2: expected a name, found an empty one"),
        ("[\"acne\", \"\u{200b}\"]", "a name with letters"),
    ] {
        assert!(error(text).contains(expected), "{expected}: {}", error(text));
    }
}

#[test]
fn a_class_list_may_not_name_a_class_twice() {
    let list = |content: &str| ReadLabels::from_file(content).unwrap().into_class_list();
    assert_eq!(list("b\na\n").unwrap().class_names, ["b", "a"]);
    assert!(list("a\nb\nA\n").unwrap_err().to_string().contains("\"A\" more than once"));
}

proptest::proptest! {
    #[test]
    fn whatever_is_typed_labels_differ_and_are_not_empty(text in "[ \\PC\n\r\t,;|\"'.0-9aA\\[\\]\u{200b}-]{0,40}") {
        for read in [ReadLabels::from_key_or_text, ReadLabels::from_text, ReadLabels::from_file] {
            let Ok(labels) = read(&text) else { continue };
            let names = &labels.set.class_names;
            let keys: std::collections::HashSet<String> = names.iter().map(|name| spelling_key(name)).collect();
            assert_eq!(keys.len(), names.len(), "{names:?}");
            assert!(names.iter().all(|name| !name.trim().is_empty()), "{names:?}");
            assert_eq!(LabelSet::from_class_names(names.clone()).unwrap().class_names, *names);
        }
    }
}
