//! `dermake train` over MPI: needs the feature `mpi`, and `mpirun`. `just test-mpi` runs it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "cli/shared_folder.rs"]
mod shared_folder;
#[path = "cli/train.rs"]
#[allow(dead_code, reason = "its other tests and helpers are for `cli`")]
mod train;

use assert_cmd::Command;
use std::process::Output;
use std::time::{Duration, Instant};
use train::Run;

fn dermake() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dermake"));
    command.env_remove("DERMAKE_MODEL").env_remove("DERMAKE_DEVICE").env("HF_HUB_OFFLINE", "1");
    command
}

/// `mpirun` on this machine, as any user and with more ranks than cores.
fn mpirun(run: &Run, size: usize) -> std::process::Command {
    let mut command = std::process::Command::new("mpirun");
    command.envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")]);
    command.env("RAYON_NUM_THREADS", "1").args(["--oversubscribe", "-n", &size.to_string()]);
    command.arg(env!("CARGO_BIN_EXE_dermake")).args(run.arguments());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn ranks_over_mpi_train_the_model_of_one() {
    let one = Run::new(1, "1e-3");
    one.finish();
    let losses = |run: &Run| {
        let metrics = run.metrics();
        metrics.iter().filter_map(|line| line["loss"].as_f64()).collect::<Vec<_>>()
    };
    for size in [2, 4] {
        let run = Run::new(1, "1e-3");
        let output = mpirun(&run, size).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains(&format!("ranks       {size}, each with")), "{}", said(&output));
        let (found, expected) = (losses(&run), losses(&one));
        assert_eq!(expected.len(), 5);
        for (loss, expected) in found.iter().zip(&expected) {
            assert!(
                (loss - expected).abs() < 1e-6 * expected.max(1.0),
                "{size} ranks: {loss}, expected {expected}"
            );
        }
    }
}

#[test]
fn an_error_of_one_rank_over_mpi_ends_all() {
    let run = Run::new(400, "1e-3");
    run.change("save_every_steps = 3", "save_every_steps = 1");
    let mut child = mpirun(&run, 2).stderr(std::process::Stdio::piped()).spawn().unwrap();
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
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(said(&output).contains("cannot save checkpoint"), "{}", said(&output));
}
