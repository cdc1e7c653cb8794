//! `dermake serve` started as a stranger starts it: in an empty folder, without options.

use crate::limited::{self, Limited};
use crate::sample;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

pub struct Server {
    child: Limited,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(options: &[&str]) -> Self {
        Self::run(limited::dermake().arg("serve").args(options))
    }

    pub fn run(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        command.args(["--port", "0"]).current_dir(folder.path()).env("HOME", folder.path());
        let mut child = Limited::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim_end().trim_end_matches('/').into(), _folder: folder }
    }

    /// Status and body.
    fn get(&self, path: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.get(format!("{}{path}", self.url)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    #[cfg(unix)]
    fn send(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

#[test]
fn without_options_it_serves_the_page_and_the_demo_model() {
    let server = Server::start(&[]);
    let (status, page) = server.get("/");
    assert_eq!(status, 200);
    // A program that was built before the page says how to build it.
    assert!(page.contains("<title>Dermake") || page.contains("just build"), "{page}");
    let (_, models) = server.get("/models");
    let models: serde_json::Value = serde_json::from_str(&models).unwrap();
    assert_eq!(models.as_array().unwrap().len(), 1);
    assert!(models[0]["notice"].as_str().unwrap().contains("drawn"), "{models}");
    let manifest = models[0]["manifest"].as_str().unwrap();
    assert_eq!(manifest, "/models/demo/manifest.json");
    assert_eq!(server.get(manifest).0, 200);
    for file in models[0]["files"].as_array().unwrap() {
        let agent = ureq::agent();
        let url = format!("{}/models/demo/{}", server.url, file["file"].as_str().unwrap());
        let bytes = agent.get(url).call().unwrap().body_mut().read_to_vec().unwrap();
        assert_eq!(bytes.len() as u64, file["bytes"].as_u64().unwrap(), "{file}");
        assert_eq!(dermake_files::hash::sha256(&bytes), file["sha256"], "{file}");
    }
    assert_eq!(std::fs::read_dir(server._folder.path()).unwrap().count(), 0, "nothing is written");
}

#[test]
fn with_infer_alone_the_demo_model_answers() {
    let server = Server::start(&["--infer", "cpu"]);
    let photo = std::fs::read(sample(1)).unwrap();
    let response =
        ureq::post(format!("{}/v1/classify?labels=pad", server.url)).content_type("image/jpeg").send(&photo[..]);
    let answer: serde_json::Value =
        serde_json::from_str(&response.unwrap().body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 5, "{answer}");
    let (_, models) = server.get("/models");
    assert!(models.contains("/v1/classify?model=demo"), "{models}");
}

#[cfg(unix)]
#[test]
fn a_hangup_stops_the_server_unless_it_was_started_to_ignore_it() {
    crate::signals::take();
    let start = "trap '' HUP; exec \"$0\" \"$@\"";
    let mut command = limited::without_settings(Command::new("sh"));
    let mut server = Server::run(command.args(["-c", start, env!("CARGO_BIN_EXE_dermake"), "serve"]));
    server.send("-HUP");
    assert_eq!(server.get("/healthz"), (200, "ok".into()));
    server.send("-TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));

    let mut server = Server::start(&[]);
    server.send("-HUP");
    assert_eq!(server.child.wait().unwrap().code(), Some(0), "it stopped as at Ctrl-C");
}

#[test]
fn empty_variables_count_as_unset_and_flags_take_words() {
    let mut command = limited::dermake();
    command.arg("serve").env("DERMAKE_BEHIND_PROXY", "yes");
    for name in ["DERMAKE_PORT", "DERMAKE_TOKENS", "DERMAKE_HOST", "DERMAKE_RATE_PER_SEC", "DERMAKE_TLS_CERT"] {
        command.env(name, "");
    }
    let server = Server::run(&mut command);
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
}

#[test]
fn a_port_that_is_taken_is_told_of_before_the_models_are_read() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = crate::dermake();
    let output = command.args(["serve", "--port", &port, "--models", "no/such/folder"]).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert!(log.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{log}");
}
