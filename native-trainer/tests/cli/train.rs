//! `dermake synth` and `dermake train`: a run that learns, is killed, and goes on.

use crate::dermake;
use crate::train_run::{Run, data, own_data};
use shared_model::weights::Weights;

#[test]
fn a_run_learns_and_leaves_what_others_can_load() {
    let run = Run::new(6, "2e-3");
    run.finish();
    let metrics = run.metrics();
    let values = |name: &str| metrics.iter().filter_map(|line| line[name].as_f64()).collect::<Vec<_>>();
    let losses = values("loss");
    assert_eq!(losses.len(), 6 * 5);
    assert!(losses[25..].iter().sum::<f64>() < 0.9 * losses[..5].iter().sum::<f64>(), "{losses:?}");
    assert_eq!((values("validation_loss").len(), values("zero_shot_top1_synth").len()), (6, 6));
    for file in ["plan.toml", "curves.svg"] {
        assert!(run.out().join(file).is_file(), "{file}");
    }
    let curves = image::open(run.out().join("curves.png")).unwrap().to_rgb8();
    assert!(curves.width() == 2880 && curves.pixels().any(|pixel| pixel.0 == [0x00, 0x72, 0xb2]));
    assert_eq!(std::fs::read_dir(run.out().join("tensorboard")).unwrap().count(), 1);
    for name in ["last", "best"] {
        let weights = std::fs::read(run.checkpoint(name).join("open_clip_model.safetensors")).unwrap();
        Weights::from_safetensors(weights.into()).unwrap();
        let photo = data().join("zeroshot/images/00000.jpg");
        let mut classify = dermake();
        classify.args(["classify", "--labels", "nevus, psoriasis", "--model"]).arg(run.checkpoint(name));
        classify.arg(photo).assert().success();
    }
    // A finished run has nothing left to do.
    let before = run.tensors("last");
    run.finish();
    assert!(run.tensors("last") == before);
}

#[test]
fn a_killed_run_goes_on_bit_for_bit() {
    let whole = Run::new(4, "1e-3");
    whole.finish();

    let killed = Run::new(4, "1e-3");
    let mut child = killed.start_until_saved();
    child.kill().unwrap();
    child.wait().unwrap();
    killed.finish();
    assert!(killed.tensors("last") == whole.tensors("last"), "weights or moments differ after a kill");

    let steps = |run: &Run| {
        let metrics = run.metrics();
        let pairs = metrics.iter().filter(|line| line["loss"].is_f64());
        pairs.map(|line| (line["step"].as_u64().unwrap(), line["loss"].as_f64().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(steps(&killed), steps(&whole));
}

#[test]
fn an_image_that_cannot_be_scored_costs_no_run() {
    let set = own_data();
    let broken = set.path().join("zeroshot/images/00003.jpg");
    assert!(broken.is_file());
    std::fs::write(&broken, "no picture").unwrap();
    let mut run = Run::new(2, "1e-3");
    run.data = set.path().to_path_buf();
    run.change("validation = ", "max_bad_share = 0.1\nvalidation = ");
    let log = run.log();
    assert_eq!(log.matches("00003.jpg").count(), 1, "{log}");
    assert!(log.contains("is not scored"), "{log}");
    let values = |name: &str| run.metrics().iter().filter_map(|line| line[name].as_f64()).collect::<Vec<_>>();
    assert_eq!(values("unreadable_synth"), [1.0, 1.0]);
    assert_eq!(values("zero_shot_top1_synth").len(), 2);

    // Too many: the figures are lost, the run is not.
    for entry in std::fs::read_dir(set.path().join("zeroshot/images")).unwrap() {
        std::fs::write(entry.unwrap().path(), "no picture").unwrap();
    }
    let again = Run { data: run.data.clone(), ..Run::new(1, "1e-3") };
    let failed = |run: &Run, code: i32| {
        let output = dermake().args(run.arguments()).assert().code(code).get_output().stderr.clone();
        String::from_utf8(output).unwrap()
    };
    let log = failed(&again, 1);
    assert!(log.contains("the evaluation after epoch 1 failed, and the run goes on"), "{log}");
    assert!(failed(&again, 1).contains("this run is finished"), "its figures are lost no less");
    assert!(log.contains("images cannot be read"), "{log}");
    let metrics = again.metrics();
    assert!(metrics.iter().all(|line| line["zero_shot_top1_synth"].is_null()), "{metrics:?}");
    assert!(again.checkpoint("last").join("state.json").is_file());

    // Early stopping would never act.
    let stopping = Run { data: run.data.clone(), ..Run::new(2, "1e-3") };
    stopping.change("tokens = 512", "tokens = 512\n[run.early_stopping]\npatience = 1");
    let log = failed(&stopping, 2);
    assert!(log.contains("early stopping has no validation_loss to watch"), "{log}");
    assert!(log.contains("images cannot be read"), "{log}");
    assert_eq!(stopping.last_saved_step(), 5);
    for entry in std::fs::read_dir(data().join("zeroshot/images")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), set.path().join("zeroshot/images").join(entry.file_name())).unwrap();
    }
    stopping.finish();
    assert_eq!(stopping.metrics().iter().filter(|line| line["validation_loss"].is_f64()).count(), 2);
}

#[test]
fn a_validation_row_that_is_alone_has_no_loss() {
    let set = own_data();
    let table = std::fs::read(set.path().join("val.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(&table[..]);
    let header = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let write = |n_rows: usize| {
        let mut writer = csv::Writer::from_path(set.path().join("val.csv")).unwrap();
        writer.write_record(&header).unwrap();
        records.iter().cycle().take(n_rows).for_each(|record| writer.write_record(record).unwrap());
        writer.flush().unwrap();
    };
    let run = || Run { data: set.path().to_path_buf(), ..Run::new(1, "1e-3") };
    let loss_of = |run: &Run| run.metrics().iter().find_map(|line| line["validation_loss"].as_f64()).unwrap();
    write(16);
    let (whole, more) = (run(), run());
    whole.finish();
    write(17);
    let log = more.log();
    assert!(log.contains("row 17 of the validation table is not part of its loss"), "{log}");
    assert_eq!(loss_of(&more), loss_of(&whole));
    write(1);
    let refused = run().refusal();
    assert!(refused.contains("in the validation table: the table has a single usable row"), "{refused}");
}

#[test]
fn an_evaluation_that_was_cut_short_is_done_when_the_run_goes_on() {
    let run = Run::new(2, "1e-3");
    run.finish();
    let (tensors, state) = (run.tensors("last"), run.checkpoint("last").join("state.json"));
    let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    assert_eq!(whole["is_evaluation_due"], false);
    let n_evaluated = || run.metrics().iter().filter(|line| line["validation_loss"].is_f64()).count();
    assert_eq!(n_evaluated(), 2);

    let mut due = whole.clone();
    due["is_evaluation_due"] = true.into();
    std::fs::write(&state, due.to_string()).unwrap();
    run.finish();
    assert_eq!(n_evaluated(), 3);
    assert!(run.tensors("last") == tensors, "nothing is trained again");
    let now: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    assert_eq!(now, whole);

    // A checkpoint of an older version does not say.
    let mut older = whole;
    older.as_object_mut().unwrap().remove("is_evaluation_due");
    std::fs::write(&state, older.to_string()).unwrap();
    assert!(run.log().contains("this run is finished"));
    assert_eq!(n_evaluated(), 3);
}
