//! Mirrors that behave like nginx, a proxy or a file server in front of a hub.

use super::*;

#[test]
fn mirrors_work_whatever_they_leave_out() {
    let plain = Mirror::default;
    for mirror in [
        Mirror { prefix: "/hf", ..plain() },
        Mirror { redirects: Some(308), ..plain() },
        Mirror { redirects: Some(307), prefix: "/a/b", ..plain() },
        Mirror { redirects: Some(301), redirect_host: Some("localhost"), ..plain() },
        Mirror { has_weak_tags: true, ..plain() },
        Mirror { lacks_tags: true, ..plain() },
        Mirror { lacks_ranges: true, ..plain() },
        Mirror { lacks_hub_headers: true, ..plain() },
        Mirror { lacks_hub_headers: true, lacks_lengths: true, lacks_ranges: true, ..plain() },
        Mirror { lacks_lengths: true, ..plain() },
        Mirror { compresses: true, ..plain() },
        Mirror { compresses: true, lacks_ranges: true, has_weak_tags: true, ..plain() },
        Mirror {
            prefix: "/hf",
            redirects: Some(302),
            circles: false,
            redirect_host: None,
            has_weak_tags: true,
            lacks_tags: true,
            lacks_ranges: true,
            lacks_hub_headers: true,
            lacks_lengths: true,
            compresses: true,
        },
    ] {
        let mut world = World::behind(mirror.clone());
        let files = world.resolve().unwrap_or_else(|error| panic!("{mirror:?}: {error}"));
        world.assert_whole(&files);
        assert_eq!(world.resolve().unwrap(), files, "{mirror:?}");
        world.settings.offline = true;
        assert_eq!(world.resolve().unwrap(), files, "{mirror:?}");
    }
}

#[test]
fn a_broken_download_is_finished_without_ranges_and_without_hashes() {
    for mirror in [
        Mirror { lacks_ranges: true, ..Mirror::default() },
        Mirror { lacks_hub_headers: true, ..Mirror::default() },
        Mirror { lacks_hub_headers: true, lacks_ranges: true, has_weak_tags: true, ..Mirror::default() },
    ] {
        let world = World::behind(mirror.clone());
        world.hub.inject(WEIGHTS, Fault::CutAfter(70_000));
        world.hub.inject(WEIGHTS, Fault::CutAfter(90_000));
        let files = world.resolve().unwrap_or_else(|error| panic!("{mirror:?}: {error}"));
        world.assert_whole(&files);
    }
}

#[test]
fn the_token_goes_to_the_hub_alone() {
    let mut world = World::behind(Mirror { redirects: Some(307), ..Mirror::default() });
    world.settings.token = Some("hf_secret".into());
    world.assert_whole(&world.resolve().unwrap());
    assert!(world.hub.seen().iter().all(|seen| seen.authorization.is_some()), "another path, the same hub");

    let mut world =
        World::behind(Mirror { redirects: Some(307), redirect_host: Some("localhost"), ..Mirror::default() });
    world.settings.token = Some("hf_secret".into());
    world.assert_whole(&world.resolve().unwrap());
    let seen = world.hub.seen();
    let elsewhere = seen.iter().filter(|seen| seen.host.as_ref().is_some_and(|host| host.starts_with("localhost")));
    assert!(elsewhere.clone().count() > 3 && elsewhere.clone().all(|seen| seen.authorization.is_none()));
}

#[test]
fn an_endpoint_that_is_no_address_is_named() {
    let mut world = World::new();
    for typed in ["mirror.example", "ftp://mirror", "http://", ""] {
        world.settings.endpoint = typed.into();
        let complaint = world.complaint(MODEL);
        assert!(complaint.contains("HF_ENDPOINT") && complaint.contains("http://"), "{typed}: {complaint}");
    }
}

#[test]
fn redirects_in_a_circle_end() {
    let world = World::behind(Mirror { redirects: Some(302), circles: true, ..Mirror::default() });
    let error = world.resolve().unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("more than 10 redirects"), "{error}");
}

#[test]
fn a_proxy_of_the_environment_is_used_and_those_it_excludes_are_not() {
    let world = World::new();
    let proxy = Proxy::start();
    let through = |variables: &[(&str, &str)]| {
        let settings = settings(&world.hub, &world.folder.path().join(variables.len().to_string()), variables);
        resolve_with(MODEL, &HubSettings { retry_wait: Duration::from_millis(1), ..settings })
    };
    let address = format!("http://ada:s%40cret@{}", proxy.address);
    world.assert_whole(&through(&[("HTTP_PROXY", &address)]).unwrap());
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|head| head.contains("basic YWRhOnNAY3JldA==")), "{asked:?}");

    world.assert_whole(&through(&[("http_proxy", &address), ("no_proxy", "10.0.0.0/8, 127.0.0.1")]).unwrap());
    assert_eq!(proxy.asked().len(), asked.len());

    let refused = through(&[("ALL_PROXY", "http://127.0.0.1:1"), ("A", ""), ("B", "")]).unwrap_err();
    assert!(matches!(refused, Error::Unreachable { .. }), "{refused}");
}

/// A proxy that connects to whomever it is asked for, and notes who asked.
struct Proxy {
    address: std::net::SocketAddr,
    asked: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: std::sync::Arc<std::sync::Mutex<Vec<String>>> = Default::default();
        let noted = asked.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let noted = noted.clone();
                std::thread::spawn(move || tunnel(client, &noted));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn tunnel(mut client: std::net::TcpStream, noted: &std::sync::Mutex<Vec<String>>) -> Option<()> {
    use std::io::{BufRead, BufReader, Write};
    let mut lines = BufReader::new(client.try_clone().ok()?).lines();
    let head: Vec<String> = lines.by_ref().map_while(|line| line.ok().filter(|line| !line.is_empty())).collect();
    let target = head.first()?.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    noted.lock().ok()?.push(head.join("\n").replace("Basic", "basic"));
    let mut server = std::net::TcpStream::connect(target).ok()?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    std::io::copy(&mut server, &mut client).ok().map(drop)
}
