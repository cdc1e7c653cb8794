//! Over a real socket: hostile addresses, huge files and the end.

use super::*;

/// Runs `visit` against the site on a free port, then stops the server.
async fn with_server(site: &Site, visit: impl FnOnce(SocketAddr) + Send + 'static) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let visit = tokio::task::spawn_blocking(move || visit(address));
    let stop = async { visit.await.unwrap() };
    serve_until(listener, site.router(), stop).await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_file_streams_in_flat_memory() {
    const SIZE_BYTES: u64 = 512 << 20;
    let site = Site::new();
    let mut huge = fs::File::options().write(true).open(site.path("make q8/vision.safetensors")).unwrap();
    huge.set_len(SIZE_BYTES).unwrap();
    huge.write_all(b"START").unwrap();
    site.write("make q8/manifest.json", &manifest("vision.safetensors", SIZE_BYTES as usize));
    let visit = |address| {
        let before = peak_memory_bytes();
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "GET {WEIGHTS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let received = std::io::copy(&mut socket, &mut std::io::sink()).unwrap();
        assert!(received > SIZE_BYTES && received < SIZE_BYTES + 4096, "{received}");
        let grown = peak_memory_bytes().saturating_sub(before);
        assert!(grown < 64 << 20, "memory grew by {grown} bytes");

        let tail = raw(address, &format!("GET {WEIGHTS} HTTP/1.1"), "Range: bytes=536870000-\r\n");
        assert!(tail.starts_with(b"HTTP/1.1 206") && tail.ends_with(&[0; 912]));
    };
    with_server(&site, visit).await;
}

/// The most memory that this process has held so far; 0 where that cannot be read.
fn peak_memory_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) * 1024
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

/// The server's process in the test below, which starts it by this name. Ends by itself, should
/// that test have failed to end it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "serves until it is stopped"]
async fn served_in_a_process_of_its_own() {
    let folder = PathBuf::from(std::env::var("SITE").unwrap());
    let address = ([127, 0, 0, 1], 0).into();
    let config = ServeConfig { app: folder.join("app"), models: vec![folder.join("make q8")], address };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, serve(config)).await.expect("a signal stops it").unwrap();
}

#[cfg(unix)]
#[test]
fn the_address_is_printed_and_a_signal_stops_the_server() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    for signal in ["-TERM", "-INT"] {
        let site = Site::new();
        let mut server = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "socket::served_in_a_process_of_its_own", "--ignored", "--nocapture", "-q"])
            .env("SITE", site.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url = lines.find(|line| line.starts_with("http")).expect("the address is printed");
        let address = url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
        let answer = raw(address.parse().unwrap(), "GET /healthz HTTP/1.1", "");
        assert!(answer.ends_with(b"\r\n\r\nok"));

        let sent = Command::new("kill").args([signal, &server.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert!(server.wait().unwrap().success(), "a stop by signal is no failure");
        assert_eq!(lines.filter(|line| line.starts_with("http")).count(), 0);
    }
}
