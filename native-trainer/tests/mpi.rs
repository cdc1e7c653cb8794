//! `dermake train`, `eval` and `embed` over MPI: needs the feature `mpi`, and `mpirun`. `just test-mpi` runs it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "cli/color_model.rs"]
#[allow(dead_code, reason = "some is for `cli`")]
mod color_model;
#[path = "cli/eval_data.rs"]
#[allow(dead_code, reason = "some is for `cli`")]
mod eval_data;
#[path = "support/limited.rs"]
mod limited;
#[path = "cli/ranks_equal_one.rs"]
mod ranks_equal_one;
#[path = "cli/rounding.rs"]
mod rounding;
#[path = "cli/shared_folder.rs"]
mod shared_folder;
#[path = "cli/train.rs"]
#[allow(dead_code, reason = "its other tests and helpers are for `cli`")]
mod train;

use assert_cmd::Command;
use limited::Limited;
use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use train::Run;

fn dermake() -> Command {
    let mut command = Command::from_std(limited::dermake());
    command.timeout(limited::TIME_LIMIT);
    command
}

/// `mpirun` on this machine, as any user and with more ranks than cores.
fn mpirun<S: AsRef<OsStr>>(size: usize, arguments: &[S]) -> std::process::Command {
    let mut command = limited::without_settings(std::process::Command::new("mpirun"));
    command.envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")]);
    // A container may not read the memory of other processes, and may have no ssh.
    command.envs([("OMPI_MCA_btl_vader_single_copy_mechanism", "none"), ("OMPI_MCA_plm", "isolated")]);
    command.env("RAYON_NUM_THREADS", "1").args(["--oversubscribe", "-n", &size.to_string()]);
    command.arg(env!("CARGO_BIN_EXE_dermake")).args(arguments);
    command
}

/// Runs so many ranks to their end.
fn to_the_end(size: usize, arguments: &[&OsStr]) -> Output {
    Limited::start(mpirun(size, arguments).stdout(Stdio::piped()).stderr(Stdio::piped())).output()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn ranks_over_mpi_train_the_model_of_one() {
    ranks_equal_one::training(to_the_end);
}

#[test]
fn ranks_over_mpi_score_what_one_does() {
    ranks_equal_one::evaluation(to_the_end);
}

#[test]
fn ranks_over_mpi_make_the_index_of_one() {
    ranks_equal_one::index(to_the_end);
}

#[test]
fn an_error_of_one_rank_over_mpi_ends_all() {
    let run = Run::new(400, "1e-3");
    run.change("save_every_steps = 3", "save_every_steps = 1");
    let mut child = Limited::start(mpirun(2, &run.arguments()).stderr(Stdio::piped()));
    let (state, started) = (run.checkpoint("last").join("state.json"), Instant::now());
    while !state.exists() {
        assert!(started.elapsed() < Duration::from_secs(120), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(5));
    }
    // A file in the place of the folder that the next checkpoint is written to.
    let blocked = run.out().join("checkpoints");
    std::fs::rename(&blocked, run.out().join("moved")).unwrap();
    std::fs::write(&blocked, "").unwrap();
    let asked = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(asked.elapsed() < Duration::from_secs(10), "the ranks are still there");
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.output();
    assert!(!output.status.success());
    assert!(said(&output).contains("cannot save checkpoint"), "{}", said(&output));
}
