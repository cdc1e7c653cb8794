//! What is over a limit, broken or too slow, and how it is refused.

use super::demo::photo;
use super::running::Running;
use super::*;

/// The head of a PNG of 10,001 x 10,000 pixels.
const HUGE_PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x27\x11\0\0\x27\x10\x08\x02\0\0\0";

#[test]
fn each_refusal_has_its_status_and_code() {
    let server = Running::with(|config| {
        config.limits.max_body_mib = 1;
        config.limits.max_labels = 3;
        config.limits.max_images = 2;
        config.limits.rate_per_sec = 0;
    });
    let (jpeg, large) = (photo(0), vec![0; (1 << 20) + 1]);
    let cut = &jpeg[..jpeg.len() / 2];
    for (path, content_type, body, expected) in [
        ("/v1/classify", "image/png", &large[..], (413, "body_too_large")),
        ("/v1/classify", "image/png", HUGE_PNG, (413, "image_too_large")),
        ("/v1/classify", "text/plain", &jpeg, (415, "unsupported_type")),
        ("/v1/classify", "application/json", b"{}", (422, "invalid")),
        ("/v1/classify", "image/jpeg", b"not a photo", (415, "unsupported_type")),
        ("/v1/classify", "image/jpeg", b"", (422, "invalid")),
        ("/v1/classify", "image/jpeg", cut, (422, "invalid")),
        ("/v1/classify?labels=a,b,c,d", "image/jpeg", &jpeg, (422, "invalid")),
        ("/v1/classify?labels=a.txt", "image/jpeg", &jpeg, (422, "invalid")),
        ("/v1/classify?labels=", "image/jpeg", &jpeg, (422, "invalid")),
        ("/v1/classify?top_k=none", "image/jpeg", &jpeg, (422, "invalid")),
        ("/v1/classify?template=none", "image/jpeg", &jpeg, (422, "invalid")),
        ("/v1/classify?topk=3", "image/jpeg", &jpeg, (400, "malformed")),
        ("/v1/classify?top_k=1&top_k=2", "image/jpeg", &jpeg, (400, "malformed")),
        ("/v1/classify", "multipart/form-data; boundary=x", b"--x\r\nnonsense", (400, "malformed")),
        ("/v1/annotate?concepts=a,b,c,d", "image/jpeg", &jpeg, (422, "invalid")),
        ("/v1/embed", "application/json", b"{\"texts\": [", (400, "malformed")),
        ("/v1/embed", "application/json", b"{\"tests\": \"a\"}", (400, "malformed")),
        ("/v1/embed", "application/json", b"{\"texts\": 5}", (422, "invalid")),
        ("/v1/embed", "application/json", b"{\"texts\": []}", (422, "invalid")),
        ("/v1/embed", "application/json", b"{\"texts\": [\"\"]}", (422, "invalid")),
        ("/v1/embed?encoding=f64", "image/jpeg", &jpeg, (422, "invalid")),
        ("/v1/similarity", "image/jpeg", &jpeg, (422, "invalid")),
        ("/v1/nothing", "image/jpeg", &jpeg, (404, "not_found")),
        ("/nothing", "image/jpeg", &jpeg, (404, "not_found")),
        ("/models/nothing/vision.safetensors", "image/jpeg", &jpeg, (404, "not_found")),
        ("/site.webmanifest", "image/jpeg", &jpeg, (405, "method_not_allowed")),
        ("/", "image/jpeg", &jpeg, (405, "method_not_allowed")),
    ] {
        let reply = server.post(path, content_type, body);
        assert_eq!((reply.status, reply.code()), expected, "{path} {content_type}: {reply:?}");
    }
    let three = [("image", &*jpeg), ("image", &*jpeg), ("image", &*jpeg)];
    assert_eq!(server.post_form("/v1/embed", &three).status, 422);
    assert_eq!(server.post_form("/v1/classify", &three[..2]).status, 422);
    let get = server.get("/v1/classify");
    assert_eq!(
        (get.status, get.code(), &get.headers["allow"]),
        (405, "method_not_allowed", &"POST".parse().unwrap())
    );
    assert_eq!(server.count("batch_size_count", ""), 0.0, "nothing of it reached the model");
}

#[test]
fn who_asks_first_is_not_made_to_send_what_is_refused() {
    let server = Running::with(|config| config.limits.max_body_mib = 1);
    let mut client = TcpStream::connect(server.address).unwrap();
    let head = "POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nExpect: 100-continue\r\n";
    write!(client, "{head}Content-Length: 100000000\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"), "{answer}");
}

/// Found in use: Python's client, which reads after it has sent all, saw a broken connection.
#[test]
fn a_client_that_sends_a_body_far_over_the_limit_reads_why_it_is_refused() {
    const MIB: usize = 1 << 20;
    let server = Running::with(|config| config.limits.max_body_mib = 1);
    let chunk = [&b"100000\r\n"[..], &vec![0; MIB], b"\r\n"].concat();
    for (framing, part, end) in [
        (format!("Content-Length: {}", 40 * MIB), &chunk[8..8 + MIB], ""),
        ("Transfer-Encoding: chunked".to_owned(), &chunk[..], "0\r\n\r\n"),
    ] {
        for path in ["/v1/classify", "/nothing"] {
            let mut client = TcpStream::connect(server.address).unwrap();
            write!(client, "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n{framing}\r\n\r\n")
                .unwrap();
            for _ in 0..40 {
                client.write_all(part).unwrap();
            }
            client.write_all(end.as_bytes()).unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            let status = if path == "/nothing" { "HTTP/1.1 404" } else { "HTTP/1.1 413" };
            assert!(answer.starts_with(status) && answer.contains("connection: close"), "{framing}: {answer}");
        }
    }
}

/// A batch that waits for a second photo, longer than any test.
fn waits_for_a_second_photo(config: &mut ServeConfig) {
    config.infer.max_batch = 2;
    config.infer.batch_wait_ms = 10_000;
}

fn head(body: &[u8]) -> String {
    let length = body.len();
    format!("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
fn a_full_queue_refuses_and_a_late_answer_is_given_up() {
    let server = Running::with(|config| {
        waits_for_a_second_photo(config);
        config.limits.queue_length = 1;
        config.limits.max_images = 1;
        config.limits.request_timeout_secs = 4; // time to decode on a busy machine
    });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| server.post_photo("/v1/classify", 0));
        server.wait_for("waiting", "Images", 1.0);
        let second = server.post_photo("/v1/classify", 1);
        assert_eq!((second.status, second.code()), (503, "overloaded"));
        let full = "the queue of images is full: at most 1 wait for one model; try again a little later";
        assert_eq!(
            (&second.body["message"], &second.headers["retry-after"]),
            (&full.into(), &"1".parse().unwrap())
        );
        let first = first.join().unwrap();
        assert_eq!((first.status, first.code()), (504, "timed_out"));
    });
    assert_eq!(server.count("requests_total", "504"), 1.0);
}

#[test]
fn what_a_gone_client_asked_for_is_not_computed() {
    let server = Running::with(waits_for_a_second_photo);
    let mut client = TcpStream::connect(server.address).unwrap();
    client.write_all(head(&photo(0)).as_bytes()).unwrap();
    client.write_all(&photo(0)).unwrap();
    server.wait_for("waiting", "Images", 1.0);
    drop(client);
    // Two others fill the batch; the one that went is not among them.
    std::thread::scope(|scope| {
        let ask = || server.post_photo("/v1/classify", 1).status;
        server.wait_for("connections", "", 1.0); // that of the question itself
        let (first, second) = (scope.spawn(ask), scope.spawn(ask));
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (200, 200));
    });
    assert_eq!(server.count("abandoned", ""), 1.0);
    assert_eq!(server.count("batch_size_sum", "Images"), 2.0);
}

#[test]
fn what_was_accepted_is_answered_before_the_end() {
    let mut server = Running::with(|config| {
        config.infer.max_batch = 2;
        config.infer.batch_wait_ms = 1000;
    });
    let mut client = TcpStream::connect(server.address).unwrap();
    client.write_all(head(&photo(0)).as_bytes()).unwrap();
    client.write_all(&photo(0)).unwrap();
    server.wait_for("waiting", "Images", 1.0);
    server.stop();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("predictions"), "{answer}");
    drop(server);
}

#[test]
fn a_body_that_comes_too_slowly_is_refused_and_one_that_breaks_off_harms_nobody() {
    let server = Running::with(|config| config.limits.body_timeout_secs = 3);
    let started = std::time::Instant::now();
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.write_all(head(&photo(0)).as_bytes()).unwrap();
    slow.write_all(&photo(0)[..1000]).unwrap();
    let mut half = TcpStream::connect(server.address).unwrap();
    half.write_all(head(&photo(0)).as_bytes()).unwrap();
    half.write_all(&photo(0)[..1000]).unwrap();
    half.shutdown(std::net::Shutdown::Both).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_too_slow"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    let waited = started.elapsed().as_secs_f64();
    assert!((3.0..5.8).contains(&waited), "{waited} s, expected the limit once");
    assert_eq!(server.post_photo("/v1/classify", 0).status, 200);
}

/// As a phone sends a photo over a slow network.
#[test]
fn a_body_may_take_longer_than_a_pause_in_it_and_than_the_answer() {
    let server = Running::with(|config| {
        config.limits.body_timeout_secs = 2;
        config.limits.request_timeout_secs = 4; // time to decode on a busy machine
    });
    // Bytes behind a photo's end are ignored.
    let body = [photo(0), vec![0; 400 << 10]].concat();
    let mut client = TcpStream::connect(server.address).unwrap();
    client.write_all(head(&body).as_bytes()).unwrap();
    for part in body.chunks(body.len().div_ceil(9)) {
        client.write_all(part).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    let mut answer = [0; 12];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[test]
fn a_head_that_does_not_come_closes_the_connection() {
    let server = Running::with(|config| {
        config.limits.header_timeout_secs = 1;
        config.limits.idle_timeout_secs = 1;
    });
    let mut half_head = TcpStream::connect(server.address).unwrap();
    half_head.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
    let silent = TcpStream::connect(server.address).unwrap();
    let mut idle = TcpStream::connect(server.address).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    for mut client in [half_head, silent, idle] {
        client.read_to_end(&mut Vec::new()).unwrap(); // ends
    }
}

/// As a load balancer keeps connections for its next request.
#[test]
fn an_idle_connection_stays_open_and_a_head_on_it_must_still_come_in_time() {
    let server = Running::with(|config| {
        config.limits.header_timeout_secs = 1;
        config.limits.idle_timeout_secs = 60;
    });
    let mut client = TcpStream::connect(server.address).unwrap();
    client.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    let mut answer = [0; 12];
    for n_bytes_of_body in [0, 3] {
        let length = format!("Content-Length: {n_bytes_of_body}");
        write!(client, "GET /healthz HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n").unwrap();
        client.write_all(&vec![b'x'; n_bytes_of_body]).unwrap();
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        let mut rest = [0; 4096];
        while !rest.ends_with(b"\r\n\r\nok") {
            let n_read = client.read(&mut rest[..]).unwrap();
            assert!(n_read > 0, "closed");
            rest.rotate_left(n_read);
        }
        std::thread::sleep(std::time::Duration::from_millis(1500));
    }
    let started = std::time::Instant::now();
    client.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
    client.read_to_end(&mut Vec::new()).ok(); // ends
    assert!((0.9..20.0).contains(&started.elapsed().as_secs_f64()), "{:?}", started.elapsed());
}

#[test]
fn connections_beyond_the_limit_are_told_so() {
    let server = Running::with(|config| config.limits.max_connections_per_client = 2);
    let open: Vec<_> = (0..2).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    // Accepted in their order: the third comes when the first two are counted.
    let mut third = TcpStream::connect(server.address).unwrap();
    third.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    third.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with("are open\"}"), "{answer}");
    drop(open);
}

#[test]
fn nothing_of_the_inside_is_sent() {
    let server = Running::with(|_| {});
    let damaged = [&photo(0)[..600], &[0; 2000], &photo(0)[600..]].concat();
    for reply in
        [server.post("/v1/classify", "image/jpeg", damaged), server.post_photo("/v1/classify?model=/etc", 0)]
    {
        let text = reply.body.to_string();
        for inside in ["panicked", "src/", ".rs", env!("CARGO_MANIFEST_DIR")] {
            assert!(!text.contains(inside), "{text}");
        }
    }
}
