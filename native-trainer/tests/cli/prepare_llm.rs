//! `dermake prepare --endpoint`: captions read by a language model, from the command to its files.

use crate::json_lines;
use crate::prepare::{CAPTIONS, prepare};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

/// Serves a model that finds plaques in every caption; returns its base address.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream));
        }
    });
    url
}

fn answer(stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) < 3 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let found = json!({"condition": null, "concepts": [{"name": "plaque", "evidence": "plaques"}], "negated": []});
    let body = json!({"choices": [{"message": {"content": found.to_string()}}]}).to_string();
    let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    reader.into_inner().write_all(reply.as_bytes()).unwrap();
}

fn counts(folder: &Path) -> Value {
    serde_json::from_slice::<Value>(&fs::read(folder.join("prepare.json")).unwrap()).unwrap()["llm"].clone()
}

#[test]
fn the_lexicon_reads_what_a_model_invents_and_a_second_run_asks_nothing() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let url = service();
    let run = || {
        let output = prepare(folder, CAPTIONS, &["--endpoint", &url, "--model", "stand-in"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let summary = run();
    assert!(
        summary.contains("5 requests, 0 kept answers; 4 answers refused (4 terms), 2 captions read by the lexicon"),
        "{summary}"
    );
    let extracted = json_lines(&fs::read(folder.join("extracted.jsonl")).unwrap());
    let by: Vec<&Value> = extracted.iter().map(|line| &line["by"]).collect();
    assert_eq!(by, ["llm", "lexicon", "lexicon"]);
    assert_eq!((&extracted[0]["condition"], &extracted[0]["concepts"]), (&Value::Null, &json!(["plaque"])));
    assert_eq!(extracted[2]["concepts"], json!(["erythema", "red", "papule"]));
    let first = counts(folder);
    assert_eq!((&first["n_requests"], &first["n_refused_answers"]), (&5.into(), &4.into()));
    assert_eq!(fs::read_to_string(folder.join("answers.jsonl")).unwrap().lines().count(), 5);

    run();
    let second = counts(folder);
    assert_eq!((&second["n_requests"], &second["n_kept"]), (&0.into(), &5.into()));
    assert_eq!((&second["n_refused_answers"], &second["n_by_lexicon"]), (&4.into(), &2.into()));
}
