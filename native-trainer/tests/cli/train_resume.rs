//! `dermake train` in the folder of an earlier run: what it goes on with, and what it refuses.

use crate::dermake;
use crate::train_run::{Run, own_data};
use std::fs;

/// What a run says that cannot go on; nothing of the earlier one may change.
fn refusal(run: &Run) -> String {
    let metrics = fs::read(run.out().join("metrics.jsonl")).unwrap();
    let output = dermake().args(run.arguments()).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert_eq!(fs::read(run.out().join("metrics.jsonl")).unwrap(), metrics, "{log}");
    log
}

#[test]
fn a_run_without_its_last_checkpoint_is_not_started_over() {
    let run = Run::new(2, "1e-3");
    run.finish();
    let best = run.tensors("best");
    fs::remove_dir_all(run.checkpoint("last")).unwrap();
    let log = refusal(&run);
    assert!(
        log.contains("has best, but not the checkpoint last") && log.contains("copy the folder best to"),
        "{log}"
    );
    assert!(run.tensors("best") == best);

    // Without any checkpoint the metrics say that there was one.
    fs::rename(run.checkpoint("best"), run.out().join("best")).unwrap();
    let log = refusal(&run);
    assert!(log.contains("has metrics up to step 9, but no checkpoint last"), "{log}");

    // The advice helps.
    fs::rename(run.out().join("best"), run.checkpoint("last")).unwrap();
    run.finish();
    assert!(run.checkpoint("last").join("state.json").is_file());

    // A run that was killed in its first epoch starts over.
    fs::remove_dir_all(run.out().join("checkpoints")).unwrap();
    let metrics = fs::read_to_string(run.out().join("metrics.jsonl")).unwrap();
    let first: String = metrics.lines().take(2).flat_map(|line| [line, "\n"]).collect();
    fs::write(run.out().join("metrics.jsonl"), first).unwrap();
    run.finish();
}

#[test]
fn a_damaged_last_checkpoint_has_a_way_on() {
    for (file, expected) in [
        ("state.json", "there is no such file"),
        ("optimizer.safetensors", "optimizer.safetensors"),
        ("open_clip_model.safetensors", "the file is cut short: it has 1000 bytes"),
    ] {
        let run = Run::new(1, "1e-3");
        run.finish();
        let path = run.checkpoint("last").join(file);
        if file.starts_with("open_clip") {
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1000).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        // Finished, a run reads its weights no less.
        let log = refusal(&run);
        assert!(
            log.contains("the checkpoint last cannot be used; put a copy of the folder best in its place"),
            "{log}"
        );
        assert!(log.contains(expected) && !log.contains("download it again"), "{log}");
    }
}

#[test]
fn another_recipe_is_named_by_its_settings() {
    let run = Run::new(1, "1e-3");
    run.finish();
    run.change("warmup_steps = 2", "warmup_steps = 3");
    run.change("save_every_steps = 3", "save_every_steps = 4");
    let log = refusal(&run);
    assert!(log.contains("another recipe (schedule.warmup_steps was 2, is 3);"), "{log}");
    assert!(log.contains("model.from = ") && log.contains("checkpoints/last"), "{log}");
    run.change("epochs = 1", "epochs = 2");
    let log = refusal(&run);
    assert!(log.contains("run.epochs was 1, is 2; schedule.warmup_steps was 2, is 3"), "{log}");
}

#[test]
fn a_finished_run_goes_on_with_more_epochs_and_their_schedule() {
    let (run, long) = (Run::new(1, "1e-3"), Run::new(2, "1e-3"));
    run.finish();
    long.finish();
    run.change("epochs = 1", "epochs = 2");
    let log = run.log();
    assert!(log.contains("was planned for 1 epochs and goes on as one of 2"), "{log}");
    let rates = |run: &Run| -> Vec<f64> {
        let metrics = fs::read_to_string(run.out().join("metrics.jsonl")).unwrap();
        let lines = metrics.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter_map(|line| line["learning_rate"].as_f64()).collect()
    };
    let (extended, expected) = (rates(&run), rates(&long));
    assert_eq!(extended.len(), expected.len());
    let half = expected.len() / 2;
    assert_eq!(extended[half..], expected[half..]);
    assert_ne!(extended[half - 1], expected[half - 1], "the first epoch was the only one then");
    // Finished again; and a shorter run is another one.
    assert!(run.log().contains("this run is finished"), "{log}");
    run.change("epochs = 2", "epochs = 1");
    assert!(refusal(&run).contains("run.epochs was 2, is 1"));
}

#[test]
fn a_longer_run_that_ends_before_it_saves_goes_on_all_the_same() {
    let set = own_data();
    let (mut run, mut long) = (Run::new(1, "1e-3"), Run::new(2, "1e-3"));
    (run.data, long.data) = (set.path().to_path_buf(), set.path().to_path_buf());
    run.finish();
    run.change("epochs = 1", "epochs = 2");
    // Its images are away, as a disk may be.
    let (images, away) = (set.path().join("images"), set.path().join("away"));
    fs::rename(&images, &away).unwrap();
    let output = dermake().args(run.arguments()).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && log.contains("rows cannot be used"), "{log}");
    assert!(fs::read_to_string(run.out().join("plan.toml")).unwrap().contains("epochs = 2"));
    fs::rename(&away, &images).unwrap();
    run.finish();
    long.finish();
    assert_eq!(run.metrics().len(), long.metrics().len());
}

#[test]
fn a_kept_checkpoint_that_could_not_be_written_is_written_later() {
    let run = Run::new(20, "1e-3");
    run.change("save_every_steps = 3", "save_every_steps = 3\nkeep_every_epochs = 20");
    let mut child = run.start_until_saved();
    // No folder can be made in the place of a file.
    let in_the_way = run.checkpoint(".partial-step-000100");
    fs::write(&in_the_way, "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "it cannot be written");
    fs::remove_file(&in_the_way).unwrap();
    run.finish();
    assert!(run.checkpoint("step-000100").join("state.json").is_file());
    assert!(run.tensors("step-000100") == run.tensors("last"));
}

#[test]
fn another_validation_table_or_class_list_is_said_and_the_best_loss_forgotten() {
    let set = own_data();
    let mut run = Run::new(1, "1e-3");
    run.data = set.path().to_path_buf();
    run.finish();
    let state = run.checkpoint("last").join("state.json");
    let read = || -> serde_json::Value { serde_json::from_slice(&fs::read(&state).unwrap()).unwrap() };
    let make_due = |best: f64| {
        let mut due = read();
        due["is_evaluation_due"] = true.into();
        due["best_validation_loss"] = best.into();
        fs::write(&state, due.to_string()).unwrap();
    };
    make_due(-1.0);
    assert!(!run.log().contains("was evaluated on another"));
    assert_eq!(read()["best_validation_loss"].as_f64(), Some(-1.0), "nothing is better than that");

    let table = fs::read_to_string(set.path().join("val.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    fs::write(set.path().join("val.csv"), rows[..rows.len() - 1].join("\n") + "\n").unwrap();
    make_due(-1.0);
    let log = run.log();
    assert!(log.contains("was evaluated on another validation table:") && log.contains("is forgotten"), "{log}");
    assert!(read()["best_validation_loss"].as_f64().unwrap() > 0.0, "of the new table");

    let classes = set.path().join("classes.json");
    let mut names: Vec<String> = serde_json::from_slice(&fs::read(&classes).unwrap()).unwrap();
    names.reverse();
    fs::write(&classes, serde_json::to_vec(&names).unwrap()).unwrap();
    make_due(-1.0);
    let log = run.log();
    assert!(log.contains("another zero-shot table or class list synth:") && !log.contains("is forgotten"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_file_or_a_dangling_link_in_the_place_of_the_folder_is_named() {
    let run = Run::new(1, "1e-3");
    let say =
        || String::from_utf8(dermake().args(run.arguments()).assert().code(2).get_output().stderr.clone()).unwrap();
    fs::write(run.out(), "").unwrap();
    assert!(say().contains("this is a file, expected a folder: "), "{}", say());
    fs::remove_file(run.out()).unwrap();
    std::os::unix::fs::symlink("nowhere", run.out()).unwrap();
    assert!(say().contains("this is a link to a place that is not there, expected a folder: "), "{}", say());
}
