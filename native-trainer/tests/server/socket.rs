//! Over a real socket: hostile addresses, huge files and the end.

use super::*;

/// Runs `visit` against the site on a free port, then stops the server.
async fn with_server(site: &Site, visit: impl FnOnce(SocketAddr) + Send + 'static) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let visit = tokio::task::spawn_blocking(move || visit(address));
    let stop = async { visit.await.unwrap() };
    Server::new(&site.config()).unwrap().serve_until(listener, stop).await;
}

/// Sends a request line as it is, which a client library would tidy up, and reads all that comes.
fn raw(address: SocketAddr, request_line: &str, headers: &str) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).unwrap();
    let request = format!("{request_line}\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_leads_out_of_the_folders() {
    let site = Site::new();
    let absolute = site.path("secret.txt").display().to_string();
    let visit = move |address| {
        let secrets = [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/..%5csecret.txt",
            "/samples/../../secret.txt",
            "/models/make%20q8/../../secret.txt",
            "/models/make%20q8/..%2f..%2fsecret.txt",
            "/models/..%2fsecret.txt",
            "/models/%2e%2e/secret.txt",
            "/models/make%20q8/notes.txt",
            "/models/make%20q8/",
            "/models/make%20q8",
            "/.hidden",
            "/samples/",
            "/samples",
            "/index.html%00.txt",
            &format!("/{absolute}"),
            &absolute,
        ];
        for path in secrets {
            let answer = String::from_utf8_lossy(&raw(address, &format!("GET {path} HTTP/1.1"), "")).into_owned();
            assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
            assert!(!answer.contains("secret\r\n") && !answer.ends_with("secret"), "{path}: {answer}");
        }
    };
    with_server(&site, visit).await;
}

#[cfg(unix)]
#[test]
fn a_huge_file_streams_to_many_clients_in_flat_memory() {
    const SIZE_BYTES: u64 = 1 << 30;
    const N_CLIENTS: usize = 50;
    let site = Site::new();
    let mut huge = fs::File::options().write(true).open(site.path("make q8/vision.safetensors")).unwrap();
    huge.set_len(SIZE_BYTES).unwrap();
    huge.write_all(b"START").unwrap();
    site.write("make q8/manifest.json", &manifest("vision.safetensors", SIZE_BYTES as usize));
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

/// `dermake serve`, as it is installed; ended when dropped.
#[cfg(unix)]
struct Program {
    process: std::process::Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
    address: SocketAddr,
}

#[cfg(unix)]
impl Program {
    fn start(site: &Site) -> Self {
        use std::io::BufRead;
        let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_dermake"))
            .args(["serve", "--port", "0", "--app"])
            .arg(site.path("app"))
            .arg("--models")
            .arg(site.path("make q8"))
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
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

    /// Whether it ends in order by this signal.
    fn stop(&mut self, signal: &str) -> bool {
        let sent = std::process::Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        sent.unwrap().success() && self.process.wait().unwrap().success()
    }
}

#[cfg(unix)]
impl Drop for Program {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_a_visitor_who_does_not_read() {
    let site = Site::new();
    let path = site.path("make q8/vision.safetensors");
    fs::File::options().write(true).open(path).unwrap().set_len(64 << 20).unwrap();
    site.write("make q8/manifest.json", &manifest("vision.safetensors", 64 << 20));
    let (idle, idling) = std::sync::mpsc::channel();
    let visit = move |address| {
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "GET {WEIGHTS} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        socket.read_exact(&mut [0; 12]).unwrap();
        idle.send(socket).unwrap();
    };
    let limit = std::time::Duration::from_secs(30);
    tokio::time::timeout(limit, with_server(&site, visit)).await.expect("the server stops");
    drop(idling.recv());
}

#[cfg(unix)]
#[test]
fn the_address_is_printed_and_a_signal_stops_the_server() {
    crate::signals::take();
    for signal in ["-TERM", "-INT"] {
        let site = Site::new();
        let mut server = Program::start(&site);
        let answer = raw(server.address, "GET /healthz HTTP/1.1", "");
        assert!(answer.ends_with(b"\r\n\r\nok"));
        assert!(server.stop(signal), "a stop by signal is no failure");
        assert_eq!((&mut server.lines).count(), 0, "the address is all of stdout");
    }
}
