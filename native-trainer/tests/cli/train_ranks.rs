//! `dermake train` as several processes: what one would train, and what happens when one of them ends.

use crate::archive::run_of_archive;
use crate::limited::Limited;
use crate::rank_faults;
use crate::rank_processes::{RankProcesses, command, command_on_full_disk, free_port, over_tcp, spawn};
use crate::ranks_equal_one::{self, losses};
use crate::train_run::{Run, own_data};
use crate::{dermake, script};
use std::process::Output;
use std::time::{Duration, SystemTime};

/// The processes of a training run.
struct Training {
    ranks: RankProcesses,
    /// When the checkpoint that was there before had been written.
    earlier: Option<SystemTime>,
}

impl Training {
    fn start(run: &Run, size: usize) -> Self {
        Self { earlier: run.last_saved(), ranks: RankProcesses::start(size, &run.arguments()) }
    }

    /// Waits until these processes have saved a checkpoint.
    fn wait_for_checkpoint(&mut self, run: &Run) {
        let earlier = self.earlier;
        self.ranks.wait_until(|| run.last_saved().is_some_and(|saved| Some(saved) != earlier));
    }
}

fn succeed(run: &Run, size: usize) -> Vec<String> {
    let said = |output: Output| {
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        log
    };
    RankProcesses::start(size, &run.arguments()).wait().into_iter().map(said).collect()
}

#[test]
fn ranks_train_the_model_of_one() {
    ranks_equal_one::training(over_tcp);
}

#[test]
fn ranks_unpack_the_pictures_of_a_tar_file_once() {
    let (run, cache, port) = (run_of_archive(2), tempfile::tempdir().unwrap(), free_port());
    let start = |rank| {
        let mut command = command(rank, 2, port, &run.arguments());
        Limited::start(command.env("XDG_CACHE_HOME", cache.path()))
    };
    let ranks = RankProcesses { children: (0..2).map(start).collect() };
    for (code, log) in ranks.ended() {
        assert_eq!(code, Some(0), "{log}");
    }
    assert_eq!(std::fs::read_dir(cache.path().join("dermake/images")).unwrap().count(), 1);
}

#[test]
fn ranks_continue_each_others_runs() {
    // A run of two ranks, stopped by a signal to one of them, goes on with one and with four.
    const EPOCHS: u32 = 8;
    let stopped = Run::new(EPOCHS, "1e-3");
    let mut training = Training::start(&stopped, 2);
    training.wait_for_checkpoint(&stopped);
    training.ranks.send("-USR1", 1);
    for output in training.ranks.wait() {
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let other = Run::new(EPOCHS, "1e-3");
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
        let mut training = Training::start(&run, 2);
        training.wait_for_checkpoint(&run);
        // A different moment each time, while a checkpoint may be being written.
        std::thread::sleep(Duration::from_millis(kill * 7 % 60));
        let victim = (kill % 2) as usize;
        training.ranks.children[victim].kill().unwrap();
        let mut ended = training.ranks.ends_within_ten_seconds();
        let (code, said) = ended.remove(1 - victim);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("lost the connection to rank {victim}")), "{said}");
        let step = run.last_saved_step();
        assert!(step >= last_step, "the checkpoint of step {last_step} is lost");
        last_step = step;
    }
    // The same command goes on, alone.
    let mut alone = Training::start(&run, 1);
    alone.wait_for_checkpoint(&run);
    alone.ranks.send("-USR1", 0);
    assert_eq!(alone.ranks.wait()[0].status.code(), Some(130));
    assert!(run.last_saved_step() > last_step);
}

#[test]
fn a_loss_that_is_not_finite_on_one_rank_ends_all_at_its_step() {
    let output = rank_faults::loss_not_finite(over_tcp);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(log.matches("error: the loss is NaN").count(), 2, "each rank says so itself: {log}");
    assert_eq!(output.status.code(), Some(2));
}

/// A run of two ranks is stopped by a signal to the second, meets a full disk on the first, and goes on.
#[test]
fn ctrl_c_to_one_rank_and_a_full_disk_of_the_first_end_all_at_one_step() {
    crate::signals::take();
    let (whole, run) = (Run::new(40, "1e-3"), Run::new(40, "1e-3"));
    let mut training = Training::start(&run, 2);
    training.wait_for_checkpoint(&run);
    training.ranks.send("-INT", 1);
    for (code, said) in training.ranks.ended() {
        assert_eq!(code, Some(130), "{said}");
    }
    run.assert_saved_after_last_step();
    let saved = run.tensors("last");

    let (port, arguments) = (free_port(), run.arguments());
    let first = Limited::start(&mut command_on_full_disk(0, 2, port, &arguments));
    let ranks = RankProcesses { children: vec![first, spawn(1, 2, port, &arguments)] };
    let ended = ranks.ended();
    for (rank, code, reason) in [(0, 2, ""), (1, 1, "rank 0 failed: ")] {
        let (found, said) = &ended[rank];
        assert_eq!(*found, Some(code), "rank {rank}: {said}");
        assert!(said.contains(&format!("error: {reason}cannot save checkpoint ")), "rank {rank}: {said}");
    }
    run.assert_no_partial_checkpoint();
    assert!(run.tensors("last") == saved, "the last checkpoint has changed");

    succeed(&run, 2);
    succeed(&whole, 2);
    assert!(
        run.tensors("last") == whole.tensors("last"),
        "weights or moments differ from those of a run without faults"
    );
}

#[test]
fn what_one_rank_cannot_do_ends_all_with_the_reason() {
    // Files may not grow beyond half a megabyte: the first rank cannot save.
    let run = Run::new(4, "1e-3");
    let port = free_port();
    let script = format!(
        "export WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 MASTER_PORT={port}; RANK=1 \"$@\" & (ulimit -f 512; RANK=0 exec \"$@\"); \
         echo \"first $?\" >&2; wait $!; echo \"second $?\" >&2"
    );
    let output = output_of(&script, &run);
    assert!(output.contains("error: cannot save checkpoint last"), "{output}");
    assert!(output.contains("error: rank 0 failed: cannot save checkpoint last"), "{output}");
    assert!(output.contains("first 2") && output.contains("second 1"), "{output}");

    // Another recipe of the same name on one rank.
    let (run, other) = (Run::new(4, "1e-3"), Run::new(4, "2e-3"));
    let (here, there) = (run.folder.path().display(), other.folder.path().display());
    let script = format!(
        "export WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 MASTER_PORT={port}; set -- \"$1\" train recipe.toml \"${{@:4}}\"; \
         (cd {there}; RANK=1 exec \"$@\") & (cd {here}; RANK=0 exec \"$@\"); wait $!"
    );
    let output = output_of(&script, &run);
    assert!(output.contains("has another recipe than rank"), "{output}");
    assert!(!run.out().join("metrics.jsonl").exists());

    // One that would save at other steps, though the run may change that.
    other.change("learning_rate = 2e-3", "learning_rate = 1e-3");
    other.change("save_every_steps = 3", "save_every_steps = 2");
    let output = output_of(&script, &run);
    assert!(output.contains("has another run.save_every_steps than rank"), "{output}");
    assert!(!run.out().join("metrics.jsonl").exists());
}

/// Of a quarter of the validation images each of two ranks cannot read a half.
#[test]
fn too_many_unreadable_validation_images_are_so_for_any_number_of_ranks() {
    let set = own_data();
    let table = std::fs::read_to_string(set.path().join("val.csv")).unwrap();
    let rows: Vec<&str> = table.lines().take(9).collect();
    assert_eq!(rows.len(), 9, "{table}");
    std::fs::write(set.path().join("val.csv"), rows.join("\n") + "\n").unwrap();
    let names = csv::Reader::from_path(set.path().join("val.csv")).unwrap().into_records();
    let names: Vec<String> = names.map(|record| record.unwrap()[0].to_owned()).collect();
    for name in [&names[0], &names[7]] {
        let image = set.path().join(name);
        assert!(image.is_file(), "{name}");
        std::fs::write(image, "no picture").unwrap();
    }
    for size in [1, 2] {
        let run = Run { data: set.path().to_path_buf(), ..Run::new(1, "1e-3") };
        run.change("batch_size = 16", "batch_size = 4");
        run.change("validation = ", "max_bad_share = 0.2\nvalidation = ");
        let ended = RankProcesses::start(size, &run.arguments()).ended();
        assert!(ended.iter().all(|(code, _)| *code == Some(1)), "{ended:?}");
        let log = &ended[0].1;
        assert!(log.contains("the evaluation after epoch 1 failed"), "{size} ranks: {log}");
        assert!(log.contains("2 of 8 rows cannot be used"), "{size} ranks: {log}");
    }
}

/// Two runs that were given one port.
#[test]
fn a_rank_of_another_run_is_refused_and_the_run_goes_on() {
    let (run, other) = (Run::new(1, "1e-3"), Run::new(1, "1e-3"));
    let port = free_port();
    let first = spawn(0, 2, port, &run.arguments());
    let refused = spawn(1, 2, port, &other.arguments()).output();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("belongs to another run") && said.contains("MASTER_PORT"), "{said}");
    let second = spawn(1, 2, port, &run.arguments());
    for rank in [first, second] {
        let output = rank.output();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!other.out().exists());
}

/// What the processes of a script write to stderr; its parameters are the command of a run.
fn output_of(commands: &str, run: &Run) -> String {
    let output = script(commands).args(run.arguments()).output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
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
    assert!(said.contains("lr-find is one process, and this is one of 2"), "{said}");

    run.change("batch_size = 16", "batch_size = 2");
    let ranks = RankProcesses::start(3, &run.arguments()).wait();
    let said: String = ranks.iter().map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).collect();
    assert!(ranks.iter().all(|output| !output.status.success()), "{said}");
    assert!(said.contains("run.batch_size is 2, expected at least 3"), "{said}");
}
