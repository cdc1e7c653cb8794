//! Downloads that go wrong: nothing of them reaches the cache, and all are finished in the end.

use super::*;

#[test]
fn a_cut_connection_is_resumed() {
    let world = World::new();
    world.hub.inject(WEIGHTS, Fault::CutAfter(70_000));
    world.hub.inject(CONFIG, Fault::CutAfter(3));
    world.assert_whole(&world.resolve().unwrap());
    assert_eq!(world.weights_ranges(), ["bytes=0-", "bytes=70000-"]);
}

#[test]
fn a_body_that_ends_early_without_an_error_is_noticed() {
    let world = World::new();
    world.hub.inject(WEIGHTS, Fault::EndAfter(70_000));
    world.hub.inject(CONFIG, Fault::EndAfter(3));
    world.assert_whole(&world.resolve().unwrap());
    assert_eq!(world.weights_ranges(), ["bytes=0-", "bytes=70000-"]);
}

#[test]
fn what_a_failed_run_left_is_finished_by_the_next() {
    let world = World::new();
    for _ in 0..5 {
        world.hub.inject(WEIGHTS, Fault::CutAfter(10_000));
    }
    let complaint = world.complaint(MODEL);
    assert!(complaint.contains(WEIGHTS) && complaint.contains("again"), "{complaint}");
    let has_weights = |path: &PathBuf| path.join(WEIGHTS).exists();
    assert!(!world.cached("snapshots").iter().any(has_weights));
    assert!(world.cached("refs").is_empty(), "half a model is no model");

    world.assert_whole(&world.resolve().unwrap());
    assert_eq!(world.weights_ranges().last().unwrap(), "bytes=50000-");
}

#[test]
fn bytes_of_another_hash_never_reach_the_cache() {
    let world = World::new();
    world.hub.inject(WEIGHTS, Fault::WrongByte);
    let error = world.resolve().unwrap_err();
    assert!(matches!(&error, Error::Damaged { file, .. } if file == WEIGHTS), "{error}");
    assert_eq!(world.cached("blobs").len(), 1, "the config alone");
    world.assert_whole(&world.resolve().unwrap());
}

#[test]
fn a_server_that_ignores_ranges_starts_over_at_once() {
    let world = World::new();
    world.hub.inject(WEIGHTS, Fault::CutAfter(70_000));
    world.hub.inject(WEIGHTS, Fault::RangeIgnored);
    world.assert_whole(&world.resolve().unwrap());
    assert_eq!(world.weights_ranges(), ["bytes=0-", "bytes=70000-"]);
}

#[test]
fn a_proxys_page_is_not_taken_for_the_file() {
    let world = World::new();
    for _ in 0..5 {
        world.hub.inject(CONFIG, Fault::HtmlPage);
    }
    let error = world.resolve().unwrap_err();
    assert!(matches!(&error, Error::Page { file, .. } if file == CONFIG), "{error}");
    assert!(world.cached("blobs").is_empty());
    world.hub.inject(WEIGHTS, Fault::HtmlPage);
    world.assert_whole(&world.resolve().unwrap());
}

#[test]
fn a_hub_that_talks_nonsense_counts_as_gone() {
    let world = World::new();
    for (fault, n_times, expected) in [
        (Fault::HtmlPage, 5, "a web page instead of JSON"),
        (Fault::Status(503), 5, "503"),
        (Fault::Bare, 1, "lacks the commit"),
    ] {
        for _ in 0..n_times {
            world.hub.inject(LISTING, fault);
        }
        let error = world.resolve().unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(expected), "{cause}");
    }
    let files = world.resolve().unwrap();
    // With a copy in the cache, there is no wait for the hub.
    for fault in [Fault::HtmlPage, Fault::Status(503), Fault::Bare, Fault::RetryAfter(429, 3600)] {
        world.hub.inject(LISTING, fault);
        assert_eq!(world.resolve().unwrap(), files);
    }
}

#[test]
fn a_listing_is_asked_for_again_after_a_passing_error() {
    let world = World::new();
    for fault in [Fault::Status(502), Fault::RetryAfter(429, 0), Fault::HtmlPage] {
        world.hub.inject(LISTING, fault);
    }
    world.assert_whole(&world.resolve().unwrap());
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it() {
    for fault in [Fault::RetryAfter(429, 1), Fault::RateLimited(1)] {
        let world = World::new();
        world.hub.inject(WEIGHTS, fault);
        let start = std::time::Instant::now();
        world.assert_whole(&world.resolve().unwrap());
        assert!(start.elapsed() >= Duration::from_secs(1), "{fault:?}");
    }
}

#[test]
fn a_rate_that_is_spent_for_long_is_an_error_that_says_what_to_do() {
    let mut world = World::new();
    for (file, token, expected) in [
        (LISTING, None, "rate limited; set HF_TOKEN, or try again in 3600 s"),
        (WEIGHTS, None, "rate limited; set HF_TOKEN, or try again in 3600 s"),
        (WEIGHTS, Some("hf_a"), "rate limited; try again in 3600 s"),
    ] {
        world.settings.token = token.map(str::to_owned);
        world.hub.inject(file, Fault::RateLimited(3600));
        let error = world.resolve().unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.ends_with(expected), "{cause}");
    }
    world.assert_whole(&world.resolve().unwrap());
}

#[test]
fn a_connection_that_falls_silent_is_made_again() {
    let mut world = World::new();
    world.settings.stall_timeout = Duration::from_secs(1);
    world.hub.inject(WEIGHTS, Fault::StallAfter(70_000));
    world.hub.inject(CONFIG, Fault::StallAfter(0));
    world.assert_whole(&world.resolve().unwrap());
    assert_eq!(world.weights_ranges(), ["bytes=0-", "bytes=70000-"]);
}

#[test]
fn tries_that_bring_a_megabyte_are_not_counted() {
    let world = World::new();
    let large: Vec<u8> = (0..10_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(world.published(WEIGHTS), large).unwrap();
    for _ in 0..8 {
        world.hub.inject(WEIGHTS, Fault::CutAfter(1_200_000));
    }
    world.assert_whole(&world.resolve().unwrap());
}

#[test]
fn a_passing_server_error_is_retried() {
    let world = World::new();
    world.hub.inject(WEIGHTS, Fault::Status(503));
    world.hub.inject(WEIGHTS, Fault::Status(429));
    world.assert_whole(&world.resolve().unwrap());
}

#[test]
fn parts_left_by_a_crash_are_used_if_good_and_dropped_if_not() {
    let whole = fs::read(World::new().published(WEIGHTS)).unwrap();
    let too_long = [&whole[..], b"!"].concat();
    let spoilt = vec![0; whole.len()];
    let half_spoilt = vec![0; whole.len() / 2];
    for (part, n_requests) in [(&whole, 0), (&spoilt, 1), (&too_long, 1), (&half_spoilt, 2)] {
        let world = World::new();
        let etag = sha256_of(&world.published(WEIGHTS));
        let staging = world.settings.cache.join(".locks/dermake/models--ada--skin/blobs");
        fs::create_dir_all(&staging).unwrap();
        fs::write(staging.join(etag).with_extension("part"), part).unwrap();
        world.assert_whole(&world.resolve().unwrap());
        assert_eq!(world.weights_ranges().len(), n_requests);
    }
}

#[test]
fn a_dangling_link_in_the_cache_is_mended() {
    let world = World::new();
    let files = world.resolve().unwrap();
    fs::remove_file(fs::canonicalize(&files.weights).unwrap()).unwrap();
    world.assert_whole(&world.resolve().unwrap());
}

/// As behind a network that lets only the hub through.
#[test]
fn cached_content_is_not_asked_for_where_the_hub_s_redirect_leads() {
    let world = World::new();
    let old = world.resolve().unwrap();
    world.hub.close_cdn();
    fs::write(world.published(CONFIG), "{\"model_cfg\": \"new\"}").unwrap();
    let n_requests = world.hub.seen().len();
    let new = world.resolve().unwrap();
    world.assert_whole(&new);
    assert_ne!(new.config, old.config);
    let seen = world.hub.seen();
    assert!(!seen[n_requests..].iter().any(|seen| seen.path.starts_with("/cdn/")), "{seen:?}");
}

#[test]
fn an_older_copy_answers_while_a_new_one_cannot_be_downloaded() {
    let world = World::new();
    let old = world.resolve().unwrap();
    world.hub.close_cdn();
    write_model(&world.folder.path().join("hub/ada/skin"), 2);
    assert_eq!(world.resolve().unwrap(), old);
    // What the hub lacks is an error, copy or not.
    fs::remove_file(world.published(WEIGHTS)).unwrap();
    assert!(matches!(world.resolve(), Err(Error::MissingFile { .. })));
}

fn sha256_of(path: &Path) -> String {
    use sha2::Digest;
    format!("{:x}", sha2::Sha256::digest(fs::read(path).unwrap()))
}

#[test]
fn a_cached_file_that_was_cut_is_fetched_again() {
    let world = World::new();
    let tensor = safetensors::tensor::TensorView::new(safetensors::Dtype::U8, vec![4000], &[7; 4000]).unwrap();
    let weights = safetensors::serialize([("w", tensor)], None).unwrap();
    fs::write(world.published(WEIGHTS), weights).unwrap();
    let files = world.resolve().unwrap();
    world.assert_whole(&files);
    let config = files.config.unwrap();
    for path in [&files.weights, &config] {
        let bytes = fs::read(path).unwrap();
        fs::write(fs::canonicalize(path).unwrap(), &bytes[..bytes.len() - 1]).unwrap();
        world.assert_whole(&world.resolve().unwrap());
    }
}

#[test]
fn a_token_that_no_header_can_hold_is_named_before_anything_is_asked() {
    let mut world = World::new();
    for token in ["hf\u{e9}", "hf a", "hf\n"] {
        world.settings.token = Some(token.into());
        let complaint = world.complaint(MODEL);
        assert!(complaint.contains("HF_TOKEN") && complaint.contains("character"), "{complaint}");
    }
    assert!(world.hub.seen().is_empty());
}
