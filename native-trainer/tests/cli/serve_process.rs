//! The process of `dermake serve`: its memory, its stdout, and how signals stop it.

use crate::limited::{self, Limited};
use crate::signals;
use sha2::{Digest, Sha256};
use shared_model::demo;
use shared_model::manifest::Manifest;
use std::fs;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const WEIGHTS: &str = "/models/make%20q8/vision.safetensors";

/// A page and a quantized model on disk, each of whose files is the same: `weights` and then zeros.
struct Site(TempDir);

impl Site {
    fn new(weights: &str, size_bytes: u64) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        for folder in ["app", "make q8"] {
            fs::create_dir(site.path(folder)).unwrap();
        }
        fs::write(site.path("app/index.html"), "<!DOCTYPE html>").unwrap();
        let mut file = fs::File::create(site.path("make q8/vision.safetensors")).unwrap();
        file.set_len(size_bytes).unwrap();
        file.write_all(weights.as_bytes()).unwrap();
        let mut hash = Sha256::new();
        std::io::copy(&mut fs::File::open(site.path("make q8/vision.safetensors")).unwrap(), &mut hash).unwrap();
        let sha256 = format!("{:x}", hash.finalize());
        let mut manifest = Manifest::from_json(demo::file(Manifest::FILE_NAME).unwrap()).unwrap();
        for entry in &mut manifest.files {
            entry.file = "vision.safetensors".into();
            entry.bytes = size_bytes;
            entry.sha256.clone_from(&sha256);
        }
        fs::write(site.path("make q8/manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
        site
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }
}

/// Sends a request and returns all that comes.
fn raw(address: SocketAddr, request_line: &str, headers: &str) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).unwrap();
    let request = format!("{request_line}\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    answer
}

/// `dermake serve`, as it is installed.
struct Program {
    process: Limited,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
    address: SocketAddr,
}

impl Program {
    fn start(site: &Site) -> Self {
        let mut command = limited::dermake();
        command
            .args(["serve", "--port", "0", "--app"])
            .arg(site.path("app"))
            .arg("--models")
            .arg(site.path("make q8"))
            .stdout(Stdio::piped());
        let mut process = Limited::start(&mut command);
        let mut lines = std::io::BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.next().expect("the address is printed").unwrap();
        let address = url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap().parse().unwrap();
        Self { process, lines, address }
    }

    /// The most memory that it has held so far; 0 where that cannot be read.
    fn peak_memory_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) * 1024
    }

    fn send(&self, signal: &str) {
        send(signal, &self.process);
    }

    /// Whether it ends in order by this signal.
    fn stop(&mut self, signal: &str) -> bool {
        self.send(signal);
        self.process.wait().unwrap().success()
    }
}

fn send(signal: &str, process: &Limited) {
    assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_huge_file_streams_to_many_clients_in_flat_memory() {
    const SIZE_BYTES: u64 = 1 << 30;
    const N_CLIENTS: usize = 50;
    let site = Site::new("START", SIZE_BYTES);
    // A process of its own, whose memory no other test has a part in.
    let mut server = Program::start(&site);
    let before = server.peak_memory_bytes();
    let address = server.address;
    std::thread::scope(|scope| {
        for _ in 0..N_CLIENTS {
            scope.spawn(move || {
                let mut socket = TcpStream::connect(address).unwrap();
                write!(socket, "GET {WEIGHTS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
                let received = std::io::copy(&mut (&mut socket).take(32 << 20), &mut std::io::sink()).unwrap();
                assert_eq!(received, 32 << 20);
            });
        }
        let mut whole = TcpStream::connect(address).unwrap();
        write!(whole, "GET {WEIGHTS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let received = std::io::copy(&mut whole, &mut std::io::sink()).unwrap();
        assert!(received > SIZE_BYTES && received < SIZE_BYTES + 4096, "{received}");
    });
    let grown = server.peak_memory_bytes().saturating_sub(before);
    assert!(grown < 128 << 20, "memory grew by {grown} bytes");
    let tail = raw(address, &format!("GET {WEIGHTS} HTTP/1.1"), "Range: bytes=1073740912-\r\n");
    assert!(tail.starts_with(b"HTTP/1.1 206") && tail.ends_with(&[0; 912]));
    assert!(server.stop("-TERM"), "a stop by signal is no failure");
}

#[test]
fn the_address_is_printed_and_a_signal_stops_the_server() {
    signals::take();
    for signal in ["-TERM", "-INT"] {
        let site = Site::new("0123456789", 10);
        let mut server = Program::start(&site);
        let answer = raw(server.address, "GET /healthz HTTP/1.1", "");
        assert!(answer.ends_with(b"\r\n\r\nok"));
        assert!(server.stop(signal), "a stop by signal is no failure");
        assert_eq!((&mut server.lines).count(), 0, "the address is all of stdout");
    }
}

#[test]
fn a_second_signal_stops_the_server_at_once() {
    signals::take();
    let site = Site::new("START", 1 << 30);
    let mut server = Program::start(&site);
    // A download that nobody reads, for which the server waits.
    let mut slow = TcpStream::connect(server.address).unwrap();
    write!(slow, "GET {WEIGHTS} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    slow.read_exact(&mut [0; 12]).unwrap();
    server.send("-TERM");
    server.send("-INT");
    assert_eq!(server.process.wait().unwrap().code(), Some(130));
}

/// In a container, where a process has the number 1 and no signal ends it by itself.
#[test]
fn a_signal_while_a_model_is_loaded_ends_the_server() {
    signals::take();
    // A hub that takes requests and never answers.
    let hub = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    hub.set_nonblocking(true).unwrap();
    let home = tempfile::tempdir().unwrap();
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let mut command = limited::dermake();
        command
            .args(["serve", "--port", "0", "--infer", "cpu", "--infer-model", "hf-hub:ada/untrained"])
            .env("HF_ENDPOINT", format!("http://{}", hub.local_addr().unwrap()))
            .env("HF_HOME", home.path())
            .env_remove("HF_HUB_OFFLINE")
            .env("NO_PROXY", "127.0.0.1")
            .stderr(Stdio::piped());
        let mut process = Limited::start(&mut command);
        let connection = loop {
            match hub.accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                accepted => break Some(accepted.unwrap()),
            }
            if process.try_wait().unwrap().is_some() {
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        if connection.is_some() {
            send(signal, &process);
        }
        let output = process.output();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(connection.is_some(), "it has not asked the hub: {log}");
        assert_eq!(output.status.code(), Some(code), "not ended by the signal itself: {log}");
    }
}
