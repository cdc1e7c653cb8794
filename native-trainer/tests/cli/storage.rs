//! Caches that cannot be used, indexes that are damaged, folders that two want to write to.

use crate::color_model::{COLORS, model, picture};
use crate::{dermake, json_lines, sample};
#[cfg(unix)]
use crate::{
    limited::{self, Limited},
    script,
};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn annotate(cache: &Path) -> Output {
    let mut command = dermake();
    command.args(["annotate", "--json", "--concepts", "scale, plaque"]).arg(sample(1)).env("XDG_CACHE_HOME", cache);
    command.output().unwrap()
}

#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_used_is_one_warning_and_the_answers_are_the_same() {
    let home = tempfile::tempdir().unwrap();
    let usable = home.path().join("usable");
    let expected = annotate(&usable);
    assert!(expected.status.success() && !log(&expected).contains("cache"), "{}", log(&expected));
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let holding = home.path().join("holding");
    annotate(&holding);
    let store = fs::read_dir(holding.join("dermake/features")).unwrap().next().unwrap().unwrap().path();
    let lock = fs::File::create(store.join(".dermake-lock")).unwrap();
    lock.lock().unwrap();
    for cache in [Path::new("/proc/nope"), &file, &holding] {
        let output = annotate(cache);
        assert!(output.status.success(), "{}: {}", cache.display(), log(&output));
        assert_eq!(output.stdout, expected.stdout, "{}", cache.display());
        assert_eq!(log(&output).matches("cache of features").count(), 1, "{}", log(&output));
    }
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let home = tempfile::tempdir().unwrap();
    let expected = annotate(home.path());
    let store = fs::read_dir(home.path().join("dermake/features")).unwrap().next().unwrap().unwrap().path();
    for file in ["catalog.log", "features.f32"] {
        for content in ["", "garbage"] {
            fs::write(store.join(file), content).unwrap();
            let output = annotate(home.path());
            assert!(output.status.success() && output.stdout == expected.stdout, "{}", log(&output));
            assert_eq!(log(&output).matches("are made anew").count(), 1, "{file}: {}", log(&output));
            assert!(!log(&annotate(home.path())).contains("damaged"), "it was mended");
        }
    }
}

#[test]
fn without_a_home_the_work_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = dermake();
    command.args(["annotate", "--concepts", "scale"]).arg(sample(1)).current_dir(folder.path());
    for cache in ["", "relative"] {
        let output = command.env_remove("HOME").env("XDG_CACHE_HOME", cache).output().unwrap();
        assert!(output.status.success(), "{}", log(&output));
    }
    for home in ["", "relative"] {
        let output = command.env("HOME", home).output().unwrap();
        assert!(output.status.success(), "{}", log(&output));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a relative path is not valid there");
}

/// Files may not grow beyond some kilobytes: the cache can be opened but not kept.
#[cfg(target_os = "linux")]
#[test]
fn a_cache_that_fills_up_is_one_warning() {
    let home = tempfile::tempdir().unwrap();
    let expected = annotate(&home.path().join("roomy"));
    let mut limited = script("ulimit -f 1; exec \"$@\"");
    limited.args(["annotate", "--json", "--concepts", "scale, plaque"]).arg(sample(1));
    let output = limited.env("XDG_CACHE_HOME", home.path().join("full")).output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    assert_eq!(output.stdout, expected.stdout);
    assert_eq!(log(&output).matches("cache of features").count(), 1, "{}", log(&output));
}

/// A photo of 81 megapixels, and a process that may have some hundred megabytes.
#[cfg(target_os = "linux")]
#[test]
fn a_photo_that_had_no_room_in_memory_is_read_the_next_time() {
    let photos = tempfile::tempdir().unwrap();
    image::GrayImage::new(9000, 9000).save(photos.path().join("large.png")).unwrap();
    let arguments = ["embed", photos.path().to_str().unwrap(), "--model", "demo"];
    let mut limited = script("ulimit -v 400000; exec \"$@\"");
    let output = limited.args(arguments).env("RAYON_NUM_THREADS", "2").output().unwrap();
    assert!(log(&output).contains("not enough memory for an image of 9000x9000 pixels"), "{}", log(&output));
    let output = dermake().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("1 photos new or changed"), "{output:?}");
}

#[test]
fn a_damaged_index_is_an_error_until_it_is_embedded_again() {
    let photos = tempfile::tempdir().unwrap();
    for (name, _) in COLORS {
        fs::write(photos.path().join(format!("{name}.png")), picture(name)).unwrap();
    }
    let embed = || dermake().arg("embed").arg(photos.path()).arg("--model").arg(model()).output().unwrap();
    let search = || {
        let mut command = dermake();
        command.args(["search", "red", "--json", "--index"]).arg(photos.path()).arg("--model").arg(model());
        command.output().unwrap()
    };
    assert!(embed().status.success());
    let expected = search();
    assert_eq!(json_lines(&expected.stdout).len(), 8);
    for name in ["catalog.log", "features.f32"] {
        let path = photos.path().join(".dermake").join(name);
        let whole = fs::read(&path).unwrap();
        let middle = whole.len() / 2;
        let mut flipped = whole.clone();
        flipped[middle] ^= 0x10;
        for (what, bytes) in [
            ("empty", &b""[..]),
            ("cut", &whole[..middle]),
            ("flipped", &flipped),
            ("zeroed", &vec![0; whole.len()]),
            ("ones", &vec![0xff; whole.len()]),
        ] {
            fs::write(&path, bytes).unwrap();
            let output = search();
            let log = log(&output);
            assert_eq!(output.status.code(), Some(2), "{name} {what}: {log}");
            assert!(log.contains("the index is damaged") && log.contains("dermake embed"), "{name} {what}: {log}");
            assert!(embed().status.success(), "{name} {what}");
            let found = search();
            assert_eq!(json_lines(&found.stdout).len(), 8, "{name} {what}");
        }
    }
}

/// Whether a process holds a lock file. It creates the file before it locks it.
#[cfg(unix)]
fn is_held(lock: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(file) = fs::metadata(lock) else { return false };
    // Where the system has no such list, the file has to do.
    fs::read_to_string("/proc/locks").map_or(true, |locks| locks.contains(&format!(":{} ", file.ino())))
}

/// Starts a command, stops it once its lock is there, runs the same again, and lets the first finish.
#[cfg(unix)]
fn second_is_refused(arguments: &[&str], lock: &Path, result: &Path) {
    let mut first = limited::dermake();
    let mut first = Limited::start(first.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()));
    while !is_held(lock) {
        assert!(first.try_wait().unwrap().is_none(), "{arguments:?} ended before its lock was seen");
        std::thread::yield_now();
    }
    // Where the machine is busy, the first would otherwise be done before the second looks.
    let send = |signal: &str| Command::new("kill").args([signal, &first.id().to_string()]).status().unwrap();
    assert!(send("-STOP").success());
    let second = dermake().args(arguments).output().unwrap();
    assert!(send("-CONT").success());
    assert_eq!(second.status.code(), Some(2), "{arguments:?}: {}", log(&second));
    assert!(log(&second).contains("another dermake is writing"), "{arguments:?}: {}", log(&second));
    assert!(first.wait().unwrap().success(), "{arguments:?}");
    assert!(result.exists(), "{arguments:?}");
    assert!(!lock.exists(), "{arguments:?}");
}

#[cfg(unix)]
#[test]
fn of_two_that_write_into_one_folder_the_second_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).to_string_lossy().into_owned();
    let synth = ["synth", "--images", "300", "--image-size", "64", "--out", &text("set")];
    second_is_refused(&synth, &at(".set.dermake-lock"), &at("set/train.csv"));
    let init = ["init", "--arch", "ViT-B-32", "--out", &text("fresh")];
    second_is_refused(&init, &at(".fresh.dermake-lock"), &at("fresh/open_clip_config.json"));
    let embed = ["embed", &text("set"), "--index", &text("index")];
    second_is_refused(&embed, &at("index/.dermake-lock"), &at("index/files.csv"));
    fs::create_dir(at("data")).unwrap();
    fs::rename(at("set"), at("data/synth")).unwrap();
    let eval = ["eval", "--data", &text("data"), "--no-cache", "--out", &text("report")];
    second_is_refused(&eval, &at("report/.dermake-lock"), &at("report/results.json"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_or_killed_command_leaves_no_half_a_folder() {
    crate::signals::take();
    let folder = tempfile::tempdir().unwrap();
    let (out, partial) = (folder.path().join("set"), folder.path().join(".set.dermake-partial/images/train"));
    let start = || {
        let mut command = limited::dermake();
        command.args(["synth", "--images", "3000", "--image-size", "64", "--out"]).arg(&out);
        let mut child = Limited::start(command.stderr(Stdio::null()));
        while fs::read_dir(&partial).map_or(0, Iterator::count) == 0 {
            assert!(child.try_wait().unwrap().is_none());
            std::thread::yield_now();
        }
        child
    };
    let mut child = start();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut child = start();
    child.kill().unwrap();
    child.wait().unwrap();
    dermake().args(["synth", "--images", "20", "--image-size", "64", "--out"]).arg(&out).assert().success();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "what the killed one left is gone");
}

#[cfg(unix)]
#[test]
fn an_interrupted_check_says_so_and_leaves_no_temporary_folder() {
    crate::signals::take();
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = limited::dermake();
    command.args(["gpu-check", "--device", "cpu", "--small", "--phases", "training", "--out"]);
    command.arg(folder.path().join("gpu.json")).env("TMPDIR", &temporary);
    let mut child = Limited::start(command.stdout(Stdio::null()).stderr(Stdio::piped()));
    let is_drawing = || {
        let mut inside = fs::read_dir(&temporary).unwrap().flatten();
        inside.any(|folder| fs::read_dir(folder.path()).is_ok_and(|mut inside| inside.next().is_some()))
    };
    while !is_drawing() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.output();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(130) && log.contains("interrupted: what was not finished"), "{log}");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}
