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

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_one_host() {
    let visit = |address: SocketAddr| {
        for (line, hosts, status) in [
            ("GET /healthz HTTP/1.1", "Host: x\r\n", "200"),
            ("GET /healthz HTTP/1.1", "", "400"),
            ("GET /healthz HTTP/1.1", "Host: x\r\nHost: y\r\n", "400"),
            ("GET /healthz HTTP/1.0", "", "200"),
        ] {
            let mut socket = TcpStream::connect(address).unwrap();
            write!(socket, "{line}\r\n{hosts}Connection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            assert_eq!(answer.split(' ').nth(1), Some(status), "{line} {hosts}: {answer}");
        }
    };
    with_server(&Site::new(), visit).await;
}

/// As docs/server.md says: hyper refuses these, before the server sees a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_cannot_be_read_is_refused_without_a_body() {
    let visit = |address: SocketAddr| {
        let many = "X: y\r\n".repeat(70);
        for (line, headers, status) in [
            ("GET / HTTP/1.1", "no header\r\n", "400"),
            ("GET /a b HTTP/1.1", "", "400"),
            ("GET / HTTP/1.1", &many, "431"),
        ] {
            let mut socket = TcpStream::connect(address).unwrap();
            write!(socket, "{line}\r\nHost: x\r\n{headers}\r\n").unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            assert!(answer.split(' ').nth(1) == Some(status) && answer.ends_with("\r\n\r\n"), "{line}: {answer}");
        }
    };
    with_server(&Site::new(), visit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_modified_has_no_other_length() {
    let visit = |address: SocketAddr| {
        for (path, length) in [(WEIGHTS, weights().len()), ("/", INDEX.len())] {
            for (method, expected) in [("HEAD", Some(length.to_string())), ("GET", None)] {
                let answer = raw(address, &format!("{method} {path} HTTP/1.1"), "If-None-Match: *\r\n");
                let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
                assert!(answer.starts_with("http/1.1 304") && answer.ends_with("\r\n\r\n"), "{answer}");
                let found = answer.lines().find_map(|line| line.strip_prefix("content-length: "));
                assert_eq!(found, expected.as_deref(), "{method} {path}");
            }
        }
    };
    with_server(&Site::new(), visit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_a_visitor_who_does_not_read() {
    let site = Site::new();
    let path = site.path("make q8/vision.safetensors");
    fs::File::options().write(true).open(path).unwrap().set_len(64 << 20).unwrap();
    let longer = [weights().into_bytes(), vec![0; (64 << 20) - weights().len()]].concat();
    let manifest = manifest("vision.safetensors", 64 << 20).replace(&sha256(weights()), &sha256(longer));
    site.write("make q8/manifest.json", &manifest);
    let (idle, idling) = std::sync::mpsc::channel();
    let visit = move |address| {
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "GET {WEIGHTS} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut status = [0; 12];
        socket.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        idle.send(socket).unwrap();
    };
    let limit = std::time::Duration::from_secs(30);
    tokio::time::timeout(limit, with_server(&site, visit)).await.expect("the server stops");
    drop(idling.recv());
}
