//! The page's texts: what the build refuses, and that every text of every language can be shown.

#![cfg(not(target_arch = "wasm32"))]

#[path = "../build/catalogs.rs"]
#[allow(dead_code, reason = "the build script calls the rest")]
mod catalogs;
#[path = "../build/check.rs"]
mod check;

use catalogs::{Catalog as Source, NUMBER_PREFIX, parse, read};
use check::check;
use fluent_bundle::FluentValue;
use std::path::Path;
use web::language::{Catalog, Language};
use web::sentences;
use web::worker::protocol::{Progress, Stage};

/// Numbers for which some of the languages have a form of their own.
const NUMBERS: [u32; 7] = [0, 1, 2, 5, 11, 21, 1_000_000];

fn sources() -> Vec<Source> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("languages")).expect("the catalogs can be read")
}

/// The catalog of a language as the page fetches it.
fn catalog(language: Language) -> Catalog {
    let source =
        sources().into_iter().find(|source| source.code == language.code()).expect("each language has a catalog");
    Catalog::parse(language, source.source()).expect("each catalog can be parsed")
}

/// A catalog with one file.
fn with(code: &str, content: &str) -> Source {
    Source {
        code: code.into(),
        files: vec![parse(&format!("{code}/a.ftl"), content.into()).expect("the text is a catalog")],
    }
}

/// What is wrong with a translation of these texts.
fn problems(english: &str, other: &str) -> Vec<String> {
    check(&[with("en", english), with("de", other)]).err().unwrap_or_default()
}

#[test]
fn every_language_has_its_texts_and_its_texts_have_a_language() {
    let mut codes: Vec<String> = sources().into_iter().map(|source| source.code).collect();
    codes.sort();
    let mut known = Language::ALL.map(|language| language.code().to_string());
    known.sort();
    assert_eq!(codes, known);
    check(&sources()).unwrap();
}

#[test]
fn every_text_is_shown_in_every_language() {
    for language in Language::ALL {
        let catalog = catalog(language);
        for (file, text) in sources().iter().find(|source| source.code == language.code()).unwrap().texts() {
            for number in NUMBERS {
                let args: Vec<(&'static str, FluentValue<'_>)> = text
                    .variables
                    .iter()
                    .map(|name| {
                        let value = match name.starts_with(NUMBER_PREFIX) {
                            true => FluentValue::from(number),
                            false => FluentValue::from("«name»"),
                        };
                        (&*name.clone().leak(), value)
                    })
                    .collect();
                let (shown, errors) = catalog.text_and_errors(&text.id, &args);
                let context = format!("{}: {}: {shown:?}", file.path, text.id);
                assert_eq!(errors, Vec::<String>::new(), "{context}");
                assert!(!shown.trim().is_empty() && !shown.contains(['{', '}', '$', '\n']), "{context}");
                for name in &text.variables {
                    let value =
                        if name.starts_with(NUMBER_PREFIX) { number.to_string() } else { "«name»".into() };
                    assert!(shown.contains(&value), "{context} lacks {name}");
                }
            }
        }
    }
}

#[test]
fn each_language_counts_by_its_own_rules() {
    let imported = |language, n_photos: u32| {
        catalog(language).text_and_errors("journal-imported", &[("n-photos", FluentValue::from(n_photos))]).0
    };
    assert_eq!(imported(Language::English, 0), "0 photos were imported.");
    assert_eq!(imported(Language::English, 1), "1 photo was imported.");
    assert_eq!(imported(Language::German, 1), "1 Foto wurde übernommen.");
    assert_eq!(imported(Language::German, 2), "2 Fotos wurden übernommen.");
    assert_eq!(imported(Language::Spanish, 0), "Se importaron 0 fotos.");
    // In French and Portuguese, nothing is singular.
    assert_eq!(imported(Language::French, 0), "0 photo a été importée.");
    assert_eq!(imported(Language::French, 2), "2 photos ont été importées.");
    assert_eq!(imported(Language::Portuguese, 0), "0 foto foi importada.");
    assert_eq!(imported(Language::Portuguese, 1), "1 foto foi importada.");
    // The French noun is beside what is done, not beside all.
    let done = |n_done: u32| {
        let args = [("n-files", FluentValue::from(3_u32)), ("n-done", FluentValue::from(n_done))];
        catalog(Language::French).text_and_errors("table-done", &args).0
    };
    assert_eq!(done(0), "0 photo sur 3 est traitée.");
    assert_eq!(done(1), "1 photo sur 3 est traitée.");
    assert_eq!(done(3), "3 photos sur 3 sont traitées.");
    // Chinese has one form.
    assert_eq!(imported(Language::Chinese, 1), "已导入 1 张照片。");
}

#[test]
fn sentences_have_the_decimal_mark_of_their_language() {
    let progress = Progress { stage: Stage::Download, done: 12_345_678, total: 88_100_000 };
    let amount = |language| sentences::amount(&catalog(language), progress);
    assert_eq!(amount(Language::English), "12.3 of 88.1 MB");
    assert_eq!(amount(Language::German), "12,3 von 88,1 MB");
    assert_eq!(amount(Language::French), "12,3 sur 88,1 Mo");
    let size = |language| web::model_card::megabytes(&catalog(language), 84_700_000);
    assert_eq!([size(Language::English), size(Language::French)], ["84.7 MB", "84,7 Mo"]);
    let percent = |language| [0.973, 0.0].map(|probability| sentences::percent(&catalog(language), probability));
    assert_eq!(percent(Language::German), ["97,3 %", "< 0,1 %"]);
    assert_eq!(percent(Language::Chinese), ["97.3 %", "< 0.1 %"]);
}

#[test]
fn built_in_labels_are_marked_as_english_in_other_languages() {
    let language = |language, labels: &[&str]| {
        let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
        sentences::labels_language(&catalog(language), &labels)
    };
    assert_eq!(language(Language::German, &["nevus", "lupus subacute"]), Some("en"));
    assert_eq!(language(Language::German, &["nevus", "Muttermal"]), None);
    assert_eq!(language(Language::English, &["nevus"]), None);
}

#[test]
fn french_marks_and_percentages_stay_on_the_line_of_their_word() {
    for (file, text) in sources().iter().find(|source| source.code == "fr").unwrap().texts() {
        let breaks =
            [" :", " ;", " ?", " !", " %", " »", "« "].into_iter().find(|found| text.words.contains(found));
        assert_eq!(breaks, None, "{}: {}: a space that breaks a line, expected U+00A0", file.path, text.id);
    }
}

#[test]
fn the_build_names_what_a_translation_lacks() {
    assert_eq!(problems("a = A { $name }\nb = B", "b = B2\na = { $name } A"), Vec::<String>::new());
    assert_eq!(problems("a = A\nb = B", "a = A"), ["de/a.ftl: b is missing"]);
    assert_eq!(problems("a = A", "a = A\nb = B"), ["de/a.ftl: b is not in en/a.ftl"]);
    assert_eq!(problems("a = A { $name }", "a = A"), ["de/a.ftl: a: expected the variables [\"name\"], found []"]);
    assert_eq!(problems("a = A", "a = A { $n-photos }").len(), 1);
    assert_eq!(problems("a = A", "a = A\na = A2"), ["de/a.ftl: a is also in de/a.ftl"]);
    assert_eq!(check(&[with("de", "a = A")]).unwrap_err(), ["there is no folder languages/en"]);
    let file = |path: &str| parse(path, "a = A".into()).unwrap();
    let moved = Source { code: "de".into(), files: vec![file("de/b.ftl")] };
    assert_eq!(check(&[with("en", "a = A"), moved]).unwrap_err().len(), 2, "it is in another file");
}

#[test]
fn the_build_refuses_what_it_does_not_understand() {
    for (source, problem) in [
        ("a = A\n?? = B", "de/a.ftl, line 2: "),
        ("a = A\nb = { $name", "de/a.ftl, line "),
        ("a =", "de/a.ftl, line 1: "),
        ("a = { \"\" }", "de/a.ftl: a: it has no text"),
        (
            "a =\n    { $n-photos ->\n        [one] { \" \" }\n       *[other] B\n    }",
            "de/a.ftl: a: it has no text",
        ),
        ("a = A\n    .b = B", "de/a.ftl: a: write a message of its own"),
        ("-a = A", "de/a.ftl: -a: write a message"),
        ("label-acne = { $name }", "de/a.ftl: label-acne: a label has"),
        ("a = A { b }", "de/a.ftl: a: only variables"),
        ("a = { NUMBER($n-photos) }", "de/a.ftl: a: only variables"),
        ("a =\n    { $name ->\n       *[other] B\n    }", "de/a.ftl: a: a choice needs"),
    ] {
        let problems = parse("de/a.ftl", source.into()).unwrap_err();
        assert!(problems[0].starts_with(problem), "{source:?}: {problems:?}");
    }
}
