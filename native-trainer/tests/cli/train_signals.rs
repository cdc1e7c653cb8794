//! `dermake train` when a signal arrives, when the disk is full, and twice in one folder.

use crate::archive::run_of_archive;
use crate::train_run::Run;
use crate::{dermake, limited, script};
use std::process::{Child, Command};

#[test]
fn an_interrupted_run_saves_and_a_full_disk_leaves_the_last_checkpoint() {
    crate::signals::take();
    let whole = Run::new(40, "1e-3");
    let stopped = Run::new(40, "1e-3");
    let mut child = stopped.start_until_saved();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let saved = stopped.tensors("last");

    // Files may not grow beyond half a megabyte: no checkpoint can be written.
    let words = stopped.arguments();
    let output = script("ulimit -f 512; exec \"$@\"").args(&words).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot save checkpoint"), "{stderr}");
    assert!(stopped.tensors("last") == saved, "the last checkpoint has changed");
    stopped.assert_no_partial_checkpoint();

    stopped.finish();
    whole.finish();
    assert!(stopped.tensors("last") == whole.tensors("last"));
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_hangup_saves_unless_the_run_was_started_to_ignore_it() {
    crate::signals::take();
    for signal in ["HUP", "INT"] {
        let run = Run::new(8, "1e-3");
        let mut child = run.start_ignoring(signal);
        send(&format!("-{signal}"), &child);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal} was ignored when the run started");
        assert!(run.out().join("curves.svg").is_file());
    }
    let run = Run::new(40, "1e-3");
    let mut child = run.start_until_saved();
    // A shell and the system may both send one when a terminal ends.
    send("-HUP", &child);
    send("-HUP", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    run.assert_saved_after_last_step();
}

#[test]
fn a_run_whose_pictures_were_unpacked_first_saves_too() {
    crate::signals::take();
    let run = run_of_archive(400);
    let cache = tempfile::tempdir().unwrap();
    let mut command = limited::dermake();
    command.args(run.arguments()).env("XDG_CACHE_HOME", cache.path());
    let mut child = run.wait_until_saved(&mut command);
    assert!(cache.path().join("dermake/images").is_dir(), "the pictures were not unpacked");
    send("-TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    run.assert_saved_after_last_step();
}

#[test]
fn the_notice_of_a_batch_system_saves_and_the_run_goes_on() {
    let run = Run::new(40, "1e-3");
    let mut child = run.start_until_saved();
    // A job's processes may each be sent one.
    send("-USR1", &child);
    send("-USR1", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(run.log().contains("going on after step"));
}

#[test]
fn of_two_runs_in_one_folder_the_second_is_refused_and_the_first_goes_on() {
    let whole = Run::new(40, "1e-3");
    let run = Run::new(40, "1e-3");
    let mut first = run.start_until_saved();
    let second = dermake().args(run.arguments()).output().unwrap();
    let stderr = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("another dermake is writing to this folder"), "{stderr}");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    whole.finish();
    assert!(run.tensors("last") == whole.tensors("last"), "the first was disturbed");

    let killed = Run::new(40, "1e-3");
    let mut child = killed.start_until_saved();
    child.kill().unwrap();
    child.wait().unwrap();
    killed.finish();
}
