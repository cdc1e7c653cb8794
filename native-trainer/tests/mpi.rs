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
#[path = "cli/rank_faults.rs"]
mod rank_faults;
#[path = "cli/ranks_equal_one.rs"]
mod ranks_equal_one;
#[path = "cli/rounding.rs"]
mod rounding;
#[path = "cli/shared_folder.rs"]
mod shared_folder;
#[path = "support/signals.rs"]
mod signals;
#[path = "cli/train_run.rs"]
#[allow(dead_code, reason = "some is for `cli`")]
mod train_run;

use assert_cmd::Command;
use limited::Limited;
use std::ffi::OsStr;
use std::fs;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use train_run::Run;

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
fn a_loss_that_is_not_finite_on_one_rank_over_mpi_ends_all_at_its_step() {
    rank_faults::loss_not_finite(to_the_end);
}

#[test]
fn an_error_of_one_rank_over_mpi_ends_all() {
    let run = Run::new(400, "1e-3");
    run.change("save_every_steps = 3", "save_every_steps = 1");
    let ranks = Ranks::start_until_saved(&run);
    // A file in the place of the folder that the next checkpoint is written to.
    let blocked = run.out().join("checkpoints");
    fs::rename(&blocked, run.out().join("moved")).unwrap();
    fs::write(&blocked, "").unwrap();
    let output = ranks.end_within_ten_seconds();
    assert!(!output.status.success());
    assert!(said(&output).contains("cannot save checkpoint"), "{}", said(&output));
}

#[test]
fn ctrl_c_to_one_rank_over_mpi_saves_and_ends_all() {
    signals::take();
    let run = Run::new(400, "1e-3");
    let ranks = Ranks::start_until_saved(&run);
    send("-INT", ranks.processes[1]);
    let output = ranks.end_within_ten_seconds();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    run.assert_saved_after_last_step();
}

#[test]
fn a_killed_rank_over_mpi_ends_all_and_costs_no_checkpoint() {
    let run = Run::new(400, "1e-3");
    let mut last_step = 0;
    for victim in [1, 0] {
        let ranks = Ranks::start_until_saved(&run);
        send("-KILL", ranks.processes[victim]);
        let output = ranks.end_within_ten_seconds();
        assert!(!output.status.success(), "{}", said(&output));
        let step = run.last_saved_step();
        assert!(step >= last_step, "the checkpoint of step {last_step} is lost");
        last_step = step;
    }
    // The same command goes on, alone.
    let mut alone = Limited::start(limited::dermake().args(run.arguments()).stderr(Stdio::piped()));
    wait_until(&mut alone, || run.saved_step().is_some_and(|step| step > last_step));
    send("-USR1", alone.id());
    let output = alone.output();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(said(&output).contains(&format!("going on after step {last_step}")), "{}", said(&output));
}

/// Two ranks of a training run.
struct Ranks {
    mpirun: Limited,
    processes: [u32; 2],
}

impl Ranks {
    /// Starts them, and waits until they have saved a checkpoint.
    fn start_until_saved(run: &Run) -> Self {
        let earlier = run.last_saved();
        let mut mpirun = Limited::start(mpirun(2, &run.arguments()).stderr(Stdio::piped()));
        wait_until(&mut mpirun, || run.last_saved().is_some_and(|saved| Some(saved) != earlier));
        let processes = [0, 1].map(|rank| process_of_rank(&mpirun, rank));
        Self { mpirun, processes }
    }

    fn end_within_ten_seconds(mut self) -> Output {
        let started = Instant::now();
        while self.mpirun.try_wait().unwrap().is_none() || self.processes.into_iter().any(is_running) {
            assert!(started.elapsed() < Duration::from_secs(10), "the ranks are still there");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.mpirun.output()
    }
}

/// Waits until `is_there`; fails if the process ends before.
fn wait_until(child: &mut Limited, is_there: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(120), "no checkpoint came");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before a checkpoint was seen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The process of a rank that `mpirun` has started.
fn process_of_rank(mpirun: &Limited, rank: usize) -> u32 {
    let parent = |id: u32| -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    };
    let variable = format!("OMPI_COMM_WORLD_RANK={rank}");
    let is_of_rank = |id: u32| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|one| one == variable.as_bytes())
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.find(|&id| parent(id) == Some(mpirun.id()) && is_of_rank(id)).unwrap()
}

/// A process that has ended and nobody has waited for has no command.
fn is_running(process: u32) -> bool {
    fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|command| !command.is_empty())
}

fn send(signal: &str, process: u32) {
    assert!(std::process::Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}
