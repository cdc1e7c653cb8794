//! The reader that asks a language model.

use crate::LEXICON;
use crate::service::{Turn, options, service};
use dermake_prepare::llm::{LlmCounts, LlmReader};
use dermake_prepare::{Extractor, Reader};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CAPTION: &str = "Scaly plaques of psoriasis, no crust.";

fn good() -> Value {
    json!({
        "condition": {"name": "psoriasis", "evidence": "psoriasis"},
        "concepts": [{"name": "scale", "evidence": "Scaly"}, {"name": "plaque", "evidence": "plaques"}],
        "negated": [{"name": "crust", "evidence": "no crust"}],
    })
}

fn invented() -> Value {
    let mut answer = good();
    answer["concepts"][1] = json!({"name": "papule", "evidence": "papules"});
    answer
}

/// Reads [`CAPTION`] against these turns; returns who read it, what was counted, and the requests.
fn read(turns: Vec<Turn>) -> (Result<Reader, String>, LlmCounts, Vec<(String, Value)>) {
    let folder = tempfile::tempdir().unwrap();
    let service = service(turns);
    let reader = LlmReader::new(&options(&service, &folder), &LEXICON).unwrap();
    let found = reader.extract(CAPTION).map(|found| {
        assert_eq!((found.condition.as_deref(), found.negated), (Some("psoriasis"), vec!["crust".to_owned()]));
        found.by
    });
    let requests = service.requests.lock().unwrap().clone();
    (found.map_err(|error| format!("{error:#}")), reader.counts(), requests)
}

#[test]
fn a_request_has_the_rules_a_schema_and_the_key() {
    let (by, counts, requests) = read(vec![Turn::Say(good())]);
    assert_eq!((by, counts.n_requests), (Ok(Reader::Llm), 1));
    let (head, body) = &requests[0];
    assert!(head.starts_with("POST /v1/chat/completions") && head.contains("Bearer secret-key"), "{head}");
    assert_eq!((&body["temperature"], &body["model"]), (&json!(0), &json!("stand-in")));
    assert_eq!(body["response_format"]["type"], "json_schema");
    assert!(body["messages"][1]["content"].as_str().unwrap().contains(CAPTION));
}

#[test]
fn faults_that_pass_are_tried_again() {
    for fault in [
        Turn::Status(500, ""),
        Turn::Status(503, ""),
        Turn::Status(429, "Retry-After: 0\r\n"),
        Turn::BreakOff,
        Turn::Sleep,
    ] {
        let (by, _, requests) = read(vec![fault, Turn::Say(good())]);
        assert_eq!((by, requests.len()), (Ok(Reader::Llm), 2));
    }
}

#[test]
fn a_service_that_names_a_wait_is_given_it() {
    let started = Instant::now();
    let (by, _, requests) = read(vec![Turn::Status(429, "Retry-After: 1\r\n"), Turn::Say(good())]);
    let waited = started.elapsed();
    assert_eq!((by, requests.len()), (Ok(Reader::Llm), 2));
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[test]
fn an_answer_that_is_no_use_is_left_to_the_lexicon() {
    for turn in [Turn::Text("It is psoriasis.".into()), Turn::Text("{\"condition\": nu".into()), Turn::Large] {
        let (by, counts, _) = read(vec![turn]);
        assert_eq!((by, counts.n_broken_answers, counts.n_by_lexicon), (Ok(Reader::Lexicon), 1, 1));
    }
}

#[test]
fn an_answer_without_a_content_that_can_be_read_is_not_asked_for_again() {
    for turn in [Turn::Large, Turn::Empty] {
        let folder = tempfile::tempdir().unwrap();
        let service = service(vec![turn]);
        let options = options(&service, &folder);
        for n_kept in [0, 1] {
            let reader = LlmReader::new(&options, &LEXICON).unwrap();
            assert_eq!(reader.extract(CAPTION).unwrap().by, Reader::Lexicon);
            assert_eq!((reader.counts().n_kept, reader.counts().n_broken_answers), (n_kept, 1));
        }
        assert_eq!(service.requests.lock().unwrap().len(), 1);
    }
}

#[test]
fn an_answer_in_a_code_block_among_words_is_read() {
    let (by, counts, _) = read(vec![Turn::Text(format!("Sure! Here it is:\n```json\n{}\n```\nBye.", good()))]);
    assert_eq!((by, counts.n_broken_answers), (Ok(Reader::Llm), 0));
}

/// As a model of 135 million parameters answers a schema whose lists may be of any length.
#[test]
fn a_finding_that_is_repeated_until_the_tokens_are_used_up_is_left_to_the_lexicon() {
    let term = r#"{"name": "papule", "evidence": "exfoliation"}"#;
    let cut = format!(r#"{{"concepts": [{}, {{"name": "pa"#, [term; 30].join(", "));
    let (by, counts, requests) = read(vec![Turn::Text(cut)]);
    assert_eq!((by, counts.n_broken_answers, requests.len()), (Ok(Reader::Lexicon), 1, 1));
    // A whole answer that repeats a term has one refused term, which is named once in the next request.
    let mut repeated = good();
    repeated["concepts"] = serde_json::from_str(&format!("[{}]", [term; 9].join(","))).unwrap();
    let (by, counts, requests) = read(vec![Turn::Say(repeated), Turn::Say(good())]);
    assert_eq!((by, counts.n_refused_terms), (Ok(Reader::Llm), 1));
    assert!(requests[1].1["messages"][1]["content"].as_str().unwrap().contains("assert: papule. Leave"));
}

#[test]
fn a_service_without_schemas_is_asked_without_one_from_then_on() {
    for status in [400, 422, 501] {
        let folder = tempfile::tempdir().unwrap();
        let service = service(vec![Turn::Status(status, ""), Turn::Say(good()), Turn::Say(good())]);
        let reader = LlmReader::new(&options(&service, &folder), &LEXICON).unwrap();
        for caption in [CAPTION, "Psoriasis with scaly plaques, no crust."] {
            assert_eq!(reader.extract(caption).unwrap().by, Reader::Llm);
        }
        let requests = service.requests.lock().unwrap().clone();
        let has_schema: Vec<bool> = requests.iter().map(|(_, body)| body["response_format"].is_object()).collect();
        assert_eq!(has_schema, [true, false, false]);
        drop(reader);
        let again = LlmReader::new(&options(&service, &folder), &LEXICON).unwrap();
        assert_eq!(again.extract(CAPTION).unwrap().by, Reader::Llm);
        assert_eq!(service.requests.lock().unwrap().len(), 3, "the same command asks nothing twice");
    }
}

#[test]
fn invented_terms_are_refused_and_asked_about_once_more() {
    let (by, counts, requests) = read(vec![Turn::Say(invented()), Turn::Say(good())]);
    assert_eq!((by, counts.n_requests), (Ok(Reader::Llm), 2));
    assert_eq!((counts.n_refused_answers, counts.n_refused_terms), (1, 1));
    assert!(requests[1].1["messages"][1]["content"].as_str().unwrap().contains("papule"));
    let mut worse = invented();
    worse["negated"][0] = json!({"name": "ulcer", "evidence": "ulcers"});
    let (by, counts, _) = read(vec![Turn::Say(invented()), Turn::Say(worse)]);
    assert_eq!((by, counts.n_by_lexicon), (Ok(Reader::Lexicon), 1));
    assert_eq!((counts.n_refused_answers, counts.n_refused_terms), (2, 3));
}

#[test]
fn a_model_that_gives_up_after_a_refusal_leaves_the_caption_to_the_lexicon() {
    let nothing = json!({"condition": null, "concepts": [], "negated": []});
    let (by, counts, _) = read(vec![Turn::Say(invented()), Turn::Say(nothing)]);
    assert_eq!((by, counts.n_requests, counts.n_by_lexicon), (Ok(Reader::Lexicon), 2, 1));
}

#[test]
fn a_refused_key_or_request_ends_the_run_and_names_neither_key_nor_cause_twice() {
    for (status, expected) in
        [(401, "DERMAKE_LLM_KEY"), (403, "DERMAKE_LLM_KEY"), (400, "status 400"), (404, "busy")]
    {
        let (by, ..) = read(vec![Turn::Status(status, ""), Turn::Status(status, "")]);
        let error = by.unwrap_err();
        assert!(error.contains(expected) && !error.contains("secret-key"), "{error}");
    }
    let (by, _, requests) = read((0..6).map(|_| Turn::Status(500, "")).collect());
    assert!(by.unwrap_err().contains("6 attempts") && requests.len() == 6);
}

#[test]
fn a_caption_that_the_service_alone_refuses_is_read_by_the_lexicon() {
    let folder = tempfile::tempdir().unwrap();
    let refused = || Turn::Status(400, "");
    let good = || Turn::Say(good());
    let service = service(vec![good(), refused(), refused(), refused(), good(), good(), refused(), refused()]);
    let options = options(&service, &folder);
    let reader = LlmReader::new(&options, &LEXICON).unwrap();
    let by = |reader: &LlmReader<'_>, caption: &str| reader.extract(caption).unwrap().by;
    assert_eq!(by(&reader, CAPTION), Reader::Llm);
    assert_eq!(by(&reader, "Psoriasis, refused."), Reader::Lexicon);
    assert_eq!(by(&reader, "Scaly plaques of psoriasis, no crust; refused with a schema alone."), Reader::Llm);
    assert_eq!(by(&reader, "Scaly plaques of psoriasis, no crust; taken."), Reader::Llm);
    let has_schema: Vec<bool> =
        service.requests.lock().unwrap().iter().map(|(_, body)| body["response_format"].is_object()).collect();
    assert_eq!(has_schema, [true, true, false, true, false, true]);
    assert_eq!((reader.counts().n_broken_answers, reader.counts().n_by_lexicon), (1, 1));
    drop(reader);
    let again = LlmReader::new(&options, &LEXICON).unwrap();
    assert_eq!(by(&again, CAPTION), Reader::Llm);
    assert_eq!(by(&again, "Psoriasis, refused."), Reader::Lexicon, "the next run does not end there, either");
}

#[test]
fn equal_captions_and_a_second_run_ask_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(vec![Turn::Say(good())]);
    let options = options(&service, &folder);
    let reader = LlmReader::new(&options, &LEXICON).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(reader.extract(CAPTION).unwrap().by, Reader::Llm));
        }
    });
    assert_eq!((reader.counts().n_requests, reader.counts().n_kept), (1, 3));
    drop(reader);
    let again = LlmReader::new(&options, &LEXICON).unwrap();
    assert_eq!(again.extract(CAPTION).unwrap().by, Reader::Llm);
    assert_eq!((again.counts().n_requests, service.requests.lock().unwrap().len()), (0, 1));
}
