//! The table of both readers on labeled captions.

use crate::LEXICON;
use crate::service::{Turn, options, service};
use dermake_prepare::llm::{LlmReader, LlmReading};
use dermake_prepare::scoring::{answers_in_words, labeled, table};
use serde_json::json;

/// The lexicon does not find that the last one is red.
const LABELED: &str = "style|caption|condition|concepts|negated
note|Scaly plaques of psoriasis, no crust.|psoriasis|scale,plaque|crust
note|Vesicles of herpes zoster.|herpes zoster|vesicle|
note|Scaly patch like a strawberry.||scale,patch,red|
";

#[test]
fn the_table_has_the_lexicon_the_answers_and_what_prepare_would_write() {
    let captions = labeled(LABELED).unwrap();
    let good = json!({
        "condition": {"name": "Psoriasis", "evidence": "psoriasis"},
        "concepts": [{"name": "scale", "evidence": "Scaly"}, {"name": "plaque", "evidence": "plaques"}],
        "negated": [{"name": "crust", "evidence": "no crust"}],
    });
    let invented = json!({
        "condition": {"name": "herpes zoster", "evidence": "herpes zoster"},
        "concepts": [{"name": "vesicle", "evidence": "Vesicles"}, {"name": "ulcer", "evidence": "ulcers"}],
        "negated": [],
    });
    let again = Turn::Say(invented.clone());
    let service = service(vec![Turn::Say(good), Turn::Say(invented), again, Turn::Text("A red patch.".into())]);
    let folder = tempfile::tempdir().unwrap();
    let reader = LlmReader::new(&options(&service, &folder), &LEXICON).unwrap();
    let readings: Vec<LlmReading> = captions.iter().map(|labeled| reader.read(&labeled.caption).unwrap()).collect();
    let expected = "\
| read by | captions | condition, precision | recall | concepts, precision | recall | negated, precision | recall |
|---|---|---|---|---|---|---|---|
| lexicon | 3 | 100.0 % | 100.0 % | 100.0 % | 83.3 % | 100.0 % | 100.0 % |
| model, unchecked | 3 | 100.0 % | 100.0 % | 75.0 % | 50.0 % | 100.0 % | 100.0 % |
| model, passed | 1 | 100.0 % | 100.0 % | 100.0 % | 100.0 % | 100.0 % | 100.0 % |
| model, else lexicon | 3 | 100.0 % | 100.0 % | 100.0 % | 83.3 % | 100.0 % | 100.0 % |
";
    assert_eq!(table(&LEXICON, &captions, &readings), expected);
    let of_lexicon: Vec<&str> = expected.lines().take(3).collect();
    assert_eq!(table(&LEXICON, &captions, &[]).lines().collect::<Vec<_>>(), of_lexicon);
    assert_eq!(
        answers_in_words(&reader.counts(), captions.len()),
        "4 answers to 3 captions, 0 of them from the file: 50.0 % have terms that were refused (2 terms); broken or \
         missing: 1; the lexicon read 2 captions (66.7 %)\n"
    );
}

#[test]
fn a_model_of_which_nothing_passes_has_no_figures_of_its_own() {
    let captions = labeled(LABELED).unwrap();
    let broken = captions.iter().map(|_| Turn::Text("I cannot tell.".into())).collect();
    let service = service(broken);
    let folder = tempfile::tempdir().unwrap();
    let reader = LlmReader::new(&options(&service, &folder), &LEXICON).unwrap();
    let readings: Vec<LlmReading> = captions.iter().map(|labeled| reader.read(&labeled.caption).unwrap()).collect();
    let table = table(&LEXICON, &captions, &readings);
    assert!(table.contains("| model, unchecked | 3 | n/a | 0.0 % | n/a | 0.0 % | n/a | 0.0 % |"), "{table}");
    assert!(table.contains("| model, passed | 0 | n/a | n/a | n/a | n/a | n/a | n/a |"), "{table}");
}
