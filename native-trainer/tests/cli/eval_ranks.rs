//! `dermake eval` and `dermake embed` as several ranks: what one would write, and what happens when one of them ends.

use crate::limited::Limited;
use crate::rank_processes::{RankProcesses, command, free_port, over_tcp};
use crate::{dermake, ranks_equal_one, train_run};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

#[test]
fn ranks_score_what_one_does() {
    ranks_equal_one::evaluation(over_tcp);
}

#[test]
fn ranks_make_the_index_of_one() {
    ranks_equal_one::index(over_tcp);
}

/// Photos of two classes, so many times as many as the drawn ones, whose contents all differ.
fn photos(n_times: u8) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        fs::create_dir(folder.path().join(class)).unwrap();
    }
    let mut names: Vec<PathBuf> =
        fs::read_dir(train_run::data().join("images/train")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for (at, path) in names.iter().enumerate() {
        let class = if at % 2 == 0 { "a" } else { "b" };
        for copy in 0..n_times {
            // What comes after the end of a JPEG is not decoded.
            let content = [fs::read(path).unwrap(), vec![copy]].concat();
            fs::write(folder.path().join(format!("{class}/{at:03}-{copy:02}.jpg")), content).unwrap();
        }
    }
    folder
}

/// Whether a store below this folder has rows.
fn has_rows(folder: &Path) -> bool {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files
        .filter(|entry| entry.file_name() == "features.f32")
        .any(|entry| entry.metadata().is_ok_and(|m| m.len() > 0))
}

#[test]
fn a_rank_that_dies_ends_an_index_within_ten_seconds_and_costs_no_photo() {
    let photos = photos(10);
    let (index, out) = (photos.path().join("index"), photos.path().join("features.npy"));
    let arguments: [&Path; 6] =
        ["embed".as_ref(), photos.path(), "--index".as_ref(), &index, "--out".as_ref(), &out];
    for victim in [0, 1] {
        let mut ranks = RankProcesses::start(2, &arguments);
        let before = fs::metadata(index.join("features.f32")).map_or(0, |metadata| metadata.len());
        ranks.wait_until(|| fs::metadata(index.join("features.f32")).is_ok_and(|file| file.len() > before));
        ranks.children[victim].kill().unwrap();
        let mut ended = ranks.ends_within_ten_seconds();
        let (code, said) = ended.remove(1 - victim);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("lost the connection to rank {victim}")), "{said}");
        assert!(!out.exists(), "nothing is half-written");
    }
    let output = dermake().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.exists() && index.join("files.csv").exists());
}

#[test]
fn a_rank_that_dies_or_is_stopped_ends_an_evaluation() {
    let photos = photos(10);
    let root = tempfile::tempdir().unwrap();
    let (cache, report) = (root.path().join("cache"), root.path().join("report"));
    let arguments: [&Path; 7] =
        ["eval".as_ref(), "--data".as_ref(), photos.path(), "--cache".as_ref(), &cache, "--out".as_ref(), &report];
    for victim in [1, 0] {
        let _ = fs::remove_dir_all(&cache);
        let mut ranks = RankProcesses::start(2, &arguments);
        ranks.wait_until(|| has_rows(&cache));
        ranks.children[victim].kill().unwrap();
        let mut ended = ranks.ends_within_ten_seconds();
        let (code, said) = ended.remove(1 - victim);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("lost the connection to rank {victim}")), "{said}");
        assert!(!report.join("results.json").exists(), "nothing is half-written");
    }
    // A stop request to one rank ends all, and what was done is kept.
    let _ = fs::remove_dir_all(&cache);
    let mut ranks = RankProcesses::start(2, &arguments);
    ranks.wait_until(|| has_rows(&cache));
    ranks.send("-USR1", 1);
    for output in ranks.wait() {
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let results = fs::read_to_string(report.join("results.json")).unwrap();
    assert!(results.contains("the evaluation was stopped"), "{results}");
}

#[test]
fn what_the_first_rank_cannot_do_ends_all_with_the_reason() {
    let (photos, root) = (photos(1), tempfile::tempdir().unwrap());
    fs::write(root.path().join("thesis.txt"), "mine").unwrap();
    let arguments: [&Path; 5] = ["eval".as_ref(), "--data".as_ref(), photos.path(), "--out".as_ref(), root.path()];
    let ended = RankProcesses::start(2, &arguments).ended();
    assert_eq!((ended[0].0, ended[1].0), (Some(2), Some(1)), "{ended:?}");
    assert!(ended[1].1.contains("rank 0 failed: the folder has something else in it"), "{ended:?}");

    // A model that is not there is an error of all.
    let arguments = ["eval", "--data", photos.path().to_str().unwrap(), "--model", "no/such/folder", "--no-cache"];
    let ended = RankProcesses::start(2, &arguments).ended();
    assert_eq!((ended[0].0, ended[1].0), (Some(2), Some(1)), "{ended:?}");
}

/// Each rank starts in a folder of its own, as on machines whose disks should have the same photos.
#[test]
fn a_stale_disk_of_another_rank_is_told_from_a_damaged_photo() {
    let (root, names) = (tempfile::tempdir().unwrap(), ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]);
    let mut drawn: Vec<PathBuf> =
        fs::read_dir(train_run::data().join("images/train")).unwrap().map(|entry| entry.unwrap().path()).collect();
    drawn.sort();
    let photo = |at: usize| fs::read(&drawn[at]).unwrap();
    for place in ["here", "there"] {
        fs::create_dir_all(root.path().join(place).join("photos")).unwrap();
        for (at, name) in names.iter().enumerate() {
            fs::write(root.path().join(place).join("photos").join(name), photo(at)).unwrap();
        }
    }
    let embed = |index: &str, content: &[u8]| {
        // The second rank reads the second half.
        fs::write(root.path().join("there/photos/3.jpg"), content).unwrap();
        let index = root.path().join(index);
        let arguments = ["embed", "photos", "--index", index.to_str().unwrap()];
        let port = free_port();
        let start = |(rank, place): (usize, &str)| {
            Limited::start(command(rank, 2, port, &arguments).current_dir(root.path().join(place)))
        };
        let children = ["here", "there"].into_iter().enumerate().map(start).collect();
        RankProcesses { children }.ended().remove(0)
    };
    for (index, stale) in [("damaged", &photo(3)[..40]), ("other", &photo(2))] {
        let (code, said) = embed(index, stale);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("rank 1 has another file than rank 0") && said.contains("3.jpg"), "{said}");
    }
    // Nothing of it was kept.
    for index in ["damaged", "other"] {
        let (code, said) = embed(index, &photo(3));
        assert!(code == Some(0) && !said.contains("error"), "{said}");
    }
}
