//! `dermake train` as several processes: what one would train, and what happens when one of them ends.

use crate::dermake;
use crate::train::{Run, own_data};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// The processes of a run.
struct RankProcesses {
    children: Vec<Child>,
    /// When the checkpoint that was there before had been written.
    earlier: Option<SystemTime>,
}

impl RankProcesses {
    fn start(run: &Run, size: usize) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let start = |rank: usize| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dermake"));
            command.args(run.arguments()).env_remove("DERMAKE_DEVICE").env("MASTER_PORT", &port);
            command.env("RANK", rank.to_string()).env("LOCAL_RANK", rank.to_string());
            command.env("WORLD_SIZE", size.to_string()).env("LOCAL_WORLD_SIZE", size.to_string());
            command.stderr(Stdio::piped()).spawn().unwrap()
        };
        Self { earlier: last_saved(run), children: (0..size).map(start).collect() }
    }

    fn wait(self) -> Vec<Output> {
        self.children.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
    }

    /// Waits until these processes have saved a checkpoint.
    fn wait_for_checkpoint(&mut self, run: &Run) {
        let started = Instant::now();
        while last_saved(run).is_none_or(|saved| Some(saved) == self.earlier) {
            assert!(started.elapsed() < Duration::from_secs(120), "no checkpoint came");
            assert!(self.children[0].try_wait().unwrap().is_none(), "the run ended before a checkpoint was seen");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn send(&self, signal: &str, rank: usize) {
        let id = self.children[rank].id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Exit codes and messages; fails if a process is still there after ten seconds.
    fn ends_within_ten_seconds(mut self) -> Vec<(Option<i32>, String)> {
        let started = Instant::now();
        while self.children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
            if started.elapsed() > Duration::from_secs(10) {
                self.children.iter_mut().for_each(|child| child.kill().unwrap());
                panic!("a rank is still there ten seconds after another died");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let said = |output: Output| (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
        self.wait().into_iter().map(said).collect()
    }
}

/// When the checkpoint was written that a run goes on from.
fn last_saved(run: &Run) -> Option<SystemTime> {
    std::fs::metadata(run.checkpoint("last").join("state.json")).ok()?.modified().ok()
}

fn succeed(run: &Run, size: usize) -> Vec<String> {
    let said = |output: Output| {
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        log
    };
    RankProcesses::start(run, size).wait().into_iter().map(said).collect()
}

fn losses(run: &Run) -> Vec<(f64, f64)> {
    let metrics = run.metrics();
    let steps = metrics.iter().filter(|line| line["loss"].is_f64());
    steps.map(|line| (line["loss"].as_f64().unwrap(), line["distinct_captions"].as_f64().unwrap())).collect()
}

/// Asserts that parameters differ by less than `bound`, but for the keys' bias, whose gradient is rounding.
fn assert_near(left: &Run, right: &Run, bound: f32) {
    let values =
        |bytes: &[u8]| bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect::<Vec<_>>();
    for ((name, left), (other, right)) in left.tensors("last").iter().zip(&right.tensors("last")) {
        assert_eq!(name, other);
        if name.ends_with("in_proj_bias") || name.contains("_moment.") {
            continue;
        }
        let (left, right) = (values(left), values(right));
        let difference = left.iter().zip(&right).map(|(l, r)| (l - r).abs()).fold(0f32, f32::max);
        assert!(difference < bound, "{name}: {difference:e}");
    }
}

/// One image cannot be read, and another row takes its place.
#[test]
fn ranks_train_on_the_rows_of_one_and_continue_each_others_runs() {
    let set = own_data();
    std::fs::write(set.path().join("images/train/000003.jpg"), "no picture").unwrap();
    let new = |epochs: u32| {
        let mut run = Run::new(epochs, "1e-3");
        run.data = set.path().to_path_buf();
        run.change("validation = ", "max_bad_share = 0.1\nvalidation = ");
        run
    };
    let (one, two) = (new(1), new(1));
    one.finish();
    let logs = succeed(&two, 2);
    assert!(logs[0].contains("ranks       2, each with 8 images") && !logs[1].contains("objective"), "{logs:?}");
    assert_eq!(logs.concat().matches("train/000003.jpg").count(), 1, "{logs:?}");
    let (expected, found) = (losses(&one), losses(&two));
    assert_eq!(expected.len(), 5);
    for ((loss, n_texts), (expected, n_expected)) in found.iter().zip(&expected) {
        assert!((loss - expected).abs() < 1e-6 * expected.max(1.0), "{loss}, expected {expected}");
        assert_eq!(n_texts, n_expected);
    }
    assert_near(&one, &two, 1e-5);
    let evaluated = |run: &Run| {
        let metrics = run.metrics();
        let line = metrics.iter().find(|line| line["validation_loss"].is_f64()).unwrap();
        (line["validation_loss"].as_f64().unwrap(), line["zero_shot_top1_synth"].as_f64().unwrap())
    };
    let ((loss, top1), (expected, expected_top1)) = (evaluated(&two), evaluated(&one));
    assert!((loss - expected).abs() < 1e-4 && (top1 - expected_top1).abs() < 0.2, "{loss} {top1}");

    // A run of two ranks, stopped by a signal to one of them, goes on with one and with four.
    const EPOCHS: u32 = 8;
    let stopped = new(EPOCHS);
    let mut ranks = RankProcesses::start(&stopped, 2);
    ranks.wait_for_checkpoint(&stopped);
    ranks.send("-USR1", 1);
    for output in ranks.wait() {
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let other = new(EPOCHS);
    copy_folder(&stopped.out(), &other.out());
    assert!(stopped.log().contains("going on after step"));
    assert!(succeed(&other, 4)[0].contains("going on after step"));
    let (found, expected) = (losses(&other), losses(&stopped));
    assert_eq!((found.len(), expected.len()), (5 * EPOCHS as usize, 5 * EPOCHS as usize));
    for (step, ((loss, _), (expected, _))) in found.iter().zip(&expected).enumerate() {
        assert!((loss - expected).abs() < 5e-2 * expected, "step {step}: {loss}, expected {expected}");
    }
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let place = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(place).unwrap(),
            false => drop(std::fs::copy(entry.path(), place).unwrap()),
        }
    }
}

/// `DERMAKE_KILLS` kills more often than the suite.
#[test]
fn a_rank_that_dies_ends_all_and_costs_no_checkpoint() {
    let n_kills = std::env::var("DERMAKE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let run = Run::new(400, "1e-3");
    let mut last_step = 0;
    for kill in 0..n_kills {
        let mut ranks = RankProcesses::start(&run, 2);
        ranks.wait_for_checkpoint(&run);
        // A different moment each time, while a checkpoint may be being written.
        std::thread::sleep(Duration::from_millis(kill * 7 % 60));
        let victim = (kill % 2) as usize;
        ranks.children[victim].kill().unwrap();
        let mut ended = ranks.ends_within_ten_seconds();
        let (code, said) = ended.remove(1 - victim);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("lost the connection to rank {victim}")), "{said}");
        let step = last_saved_step(&run);
        assert!(step >= last_step, "the checkpoint of step {last_step} is lost");
        last_step = step;
    }
    // The same command goes on, alone.
    let mut alone = RankProcesses::start(&run, 1);
    alone.wait_for_checkpoint(&run);
    alone.send("-USR1", 0);
    assert_eq!(alone.wait()[0].status.code(), Some(130));
    assert!(last_saved_step(&run) > last_step);
}

/// The step of the checkpoint that a run goes on from: that of `last`, or of the one that was being replaced.
fn last_saved_step(run: &Run) -> u64 {
    let read = |name: &str| std::fs::read(run.checkpoint(name).join("state.json")).ok();
    let state = read("last").or_else(|| read(".previous-last")).unwrap();
    serde_json::from_slice::<serde_json::Value>(&state).unwrap()["step"].as_u64().unwrap()
}

#[test]
fn what_one_rank_cannot_do_ends_all_with_the_reason() {
    // Files may not grow beyond half a megabyte: the first rank cannot save.
    let run = Run::new(4, "1e-3");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = format!(
        "export WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 MASTER_PORT={port}; RANK=1 \"$@\" & (ulimit -f 512; RANK=0 exec \"$@\"); \
         echo \"first $?\" >&2; wait $!; echo \"second $?\" >&2"
    );
    let output = output_of(&script, &run);
    assert!(output.contains("error: cannot save checkpoint last"), "{output}");
    assert!(output.contains("error: rank 0 failed: cannot save checkpoint last"), "{output}");
    assert!(output.contains("first 2") && output.contains("second 1"), "{output}");

    // Another recipe on one rank.
    let (run, other) = (Run::new(4, "1e-3"), Run::new(4, "2e-3"));
    let other = other.recipe.display().to_string();
    let script = format!(
        "export WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 MASTER_PORT={port}; RANK=1 \"$1\" train {other} --data \"$5\" --out \"$7\" & \
         RANK=0 \"$@\"; wait $!"
    );
    let output = output_of(&script, &run);
    assert!(output.contains("has another recipe than rank"), "{output}");
    assert!(!run.out().join("metrics.jsonl").exists());
}

/// What the processes of a script write to stderr; its parameters are the command of a run.
fn output_of(script: &str, run: &Run) -> String {
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_dermake")]).args(run.arguments());
    String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned()
}

#[test]
fn variables_that_make_no_sense_and_too_many_ranks_are_refused() {
    let run = Run::new(1, "1e-3");
    let refused = |variables: &[(&str, &str)]| {
        let mut command = dermake();
        command.args(run.arguments()).envs(variables.iter().copied());
        String::from_utf8(command.assert().code(2).get_output().stderr.clone()).unwrap()
    };
    assert!(refused(&[("WORLD_SIZE", "2")]).contains("RANK is not set, but WORLD_SIZE = 2 is"));
    assert!(refused(&[("WORLD_SIZE", "2"), ("RANK", "2")]).contains("RANK is \"2\", expected less than"));
    let alone = [("WORLD_SIZE", "2"), ("RANK", "0")];
    assert!(refused(&alone).contains("MASTER_ADDR is not set"));
    let mut find = dermake();
    find.arg("lr-find").arg(&run.recipe).arg("--data").arg(&run.data).arg("--out").arg(run.out()).envs(alone);
    let said = String::from_utf8(find.assert().code(2).get_output().stderr.clone()).unwrap();
    assert!(said.contains("MASTER_ADDR is not set"), "{said}");

    run.change("batch_size = 16", "batch_size = 2");
    let ranks = RankProcesses::start(&run, 3).wait();
    let said: String = ranks.iter().map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).collect();
    assert!(ranks.iter().all(|output| !output.status.success()), "{said}");
    assert!(said.contains("run.batch_size is 2, expected at least 3"), "{said}");
}
