//! A stand-in for a service with OpenAI's chat completions, with every fault of a real one.

use dermake_prepare::llm::LlmOptions;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the stand-in does with one request.
pub enum Turn {
    /// Answers with this content of a message.
    Say(Value),
    /// Answers with this text as content.
    Text(String),
    Status(u16, &'static str),
    /// Promises more bytes than it sends.
    BreakOff,
    /// Answers long after the client's timeout.
    Sleep,
    Large,
    /// Answers with a message that has no content.
    Empty,
}

pub struct Service {
    pub url: String,
    pub requests: Arc<Mutex<Vec<(String, Value)>>>,
}

/// Serves as many requests as there are turns, then ends.
pub fn service(turns: Vec<Turn>) -> Service {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    std::thread::spawn(move || {
        for turn in turns {
            let Ok((stream, _)) = listener.accept() else { return };
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || serve(stream, turn, &seen));
        }
    });
    Service { url, requests }
}

fn serve(stream: TcpStream, turn: Turn, seen: &Mutex<Vec<(String, Value)>>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) < 3 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    seen.lock().unwrap().push((head, serde_json::from_slice(&body).unwrap()));
    let completion = |content: &str| json!({"choices": [{"message": {"content": content}}]}).to_string();
    let (status, header, body, promised) = match turn {
        Turn::Say(value) => (200, "", completion(&value.to_string()), 0),
        Turn::Text(text) => (200, "", completion(&text), 0),
        Turn::Status(status, header) => (status, header, "{\"error\": \"busy\"}".into(), 0),
        Turn::BreakOff => (200, "", "{\"choices\": [{\"mess".into(), 500),
        Turn::Sleep => {
            std::thread::sleep(Duration::from_millis(1500));
            (200, "", completion("{}"), 0)
        }
        Turn::Empty => (200, "", json!({"choices": [{"message": {"content": null}}]}).to_string(), 0),
        Turn::Large => (200, "", completion(&"x".repeat(10 << 20)), 0),
    };
    let length = body.len() + promised;
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{header}\r\n");
    let mut stream = reader.into_inner();
    // A client that has gone does not matter.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// Options to ask the stand-in.
pub fn options(service: &Service, folder: &tempfile::TempDir) -> LlmOptions {
    LlmOptions {
        endpoint: service.url.clone(),
        model: "stand-in".into(),
        key: Some("secret-key".into()),
        answers: folder.path().join("answers.jsonl"),
        timeout: Duration::from_millis(500),
        retry_wait: Duration::from_millis(1),
    }
}
