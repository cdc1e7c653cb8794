//! `dermake synth` and `dermake train`: a run that learns, is killed, goes on, and refuses what cannot be right.

use crate::dermake;
use shared_model::weights::Weights;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A model of a blink; `EPOCHS` and `RATE` are filled in.
const RECIPE: &str = r#"
[model.model_cfg]
embed_dim = 16
quick_gelu = true
[model.model_cfg.vision_cfg]
image_size = 32
patch_size = 16
width = 32
layers = 1
head_width = 16
[model.model_cfg.text_cfg]
width = 16
heads = 1
layers = 1
[data]
train = "train.csv"
validation = "val.csv"
[[data.zero_shot]]
name = "synth"
table = "zeroshot/test.csv"
classes = "classes.json"
[objective]
variant = "paper"
[optimizer]
weight_decay = 0.1
[schedule]
learning_rate = RATE
warmup_steps = 2
[run]
epochs = EPOCHS
batch_size = 16
save_every_steps = 3
[run.micro_batches]
images = 8
tokens = 512
"#;

/// One drawn set for all tests.
fn data() -> &'static Path {
    static SET: OnceLock<TempDir> = OnceLock::new();
    let set = SET.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("set");
        dermake().args(["synth", "--images", "80", "--image-size", "64", "--out"]).arg(&out).assert().success();
        folder
    });
    Box::leak(Box::new(set.path().join("set")))
}

/// A copy of the set, to damage.
pub fn own_data() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in walkdir::WalkDir::new(data()) {
        let entry = entry.unwrap();
        let to = copy.path().join(entry.path().strip_prefix(data()).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(to).unwrap(),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
    copy
}

pub struct Run {
    folder: TempDir,
    recipe: PathBuf,
    pub data: PathBuf,
}

impl Run {
    pub fn new(epochs: u32, learning_rate: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recipe = folder.path().join("recipe.toml");
        let text = RECIPE.replace("EPOCHS", &epochs.to_string()).replace("RATE", learning_rate);
        std::fs::write(&recipe, text).unwrap();
        Self { folder, recipe, data: data().to_path_buf() }
    }

    /// Puts something else in the place of what the recipe says.
    pub fn change(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.recipe).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(&self.recipe, text.replace(from, to)).unwrap();
    }

    /// What a run says that must not start.
    fn refusal(&self) -> String {
        let output = dermake().args(self.arguments()).assert().code(2).get_output().stderr.clone();
        assert!(!self.out().join("metrics.jsonl").exists(), "the run has started");
        String::from_utf8(output).unwrap()
    }

    /// What a run says that ends well.
    pub fn log(&self) -> String {
        let output = dermake().args(self.arguments()).assert().success().get_output().stderr.clone();
        String::from_utf8(output).unwrap()
    }

    pub fn out(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub fn arguments(&self) -> Vec<PathBuf> {
        let words = ["train", self.recipe.to_str().unwrap(), "--data", self.data.to_str().unwrap(), "--out"];
        words.map(PathBuf::from).into_iter().chain([self.out()]).collect()
    }

    pub fn finish(&self) {
        dermake().args(self.arguments()).assert().success();
    }

    /// Starts the run and waits until it has saved a checkpoint.
    fn start_until_saved(&self) -> Child {
        self.wait_until_saved(Command::new(env!("CARGO_BIN_EXE_dermake")).args(self.arguments()))
    }

    /// The same for a run that is started so that it ignores a signal.
    #[cfg(unix)]
    fn start_ignoring(&self, signal: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' {signal}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_dermake")]);
        self.wait_until_saved(command.args(self.arguments()))
    }

    fn wait_until_saved(&self, command: &mut Command) -> Child {
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let (state, started) = (self.checkpoint("last").join("state.json"), Instant::now());
        while !state.exists() {
            assert!(started.elapsed() < Duration::from_secs(300), "no checkpoint came");
            assert!(child.try_wait().unwrap().is_none(), "the run ended before a checkpoint was seen");
            std::thread::yield_now();
        }
        child
    }

    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.out().join("checkpoints").join(name)
    }

    /// Every tensor's bytes, moments included.
    pub fn tensors(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let read = |file: &str| std::fs::read(self.checkpoint(name).join(file)).unwrap();
        let mut all = Vec::new();
        for file in ["open_clip_model.safetensors", "optimizer.safetensors"] {
            let bytes = read(file);
            let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            all.extend(tensors.iter().map(|(name, view)| (name.to_string(), view.data().to_vec())));
        }
        all.sort();
        all
    }

    pub fn metrics(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.out().join("metrics.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

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

#[cfg(unix)]
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
    let mut limited = Command::new("bash");
    limited.args(["-c", "ulimit -f 512; exec \"$@\"", "bash"]);
    limited.arg(env!("CARGO_BIN_EXE_dermake")).args(&words);
    let output = limited.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot save checkpoint"), "{stderr}");
    assert!(stopped.tensors("last") == saved, "the last checkpoint has changed");
    let names = std::fs::read_dir(stopped.out().join("checkpoints")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");

    stopped.finish();
    whole.finish();
    assert!(stopped.tensors("last") == whole.tensors("last"));
}

#[test]
fn what_cannot_go_on_is_refused() {
    let run = Run::new(1, "1e-3");
    run.finish();
    let before = run.tensors("last");
    std::fs::write(&run.recipe, RECIPE.replace("EPOCHS", "2").replace("RATE", "1e-3")).unwrap();
    let refused = dermake().args(run.arguments()).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&refused).contains("another recipe"), "{}", String::from_utf8_lossy(&refused));
    assert!(run.tensors("last") == before);

    let diverging = Run::new(3, "1e30");
    let refused = dermake().args(diverging.arguments()).assert().code(2).get_output().stderr.clone();
    let refused = String::from_utf8_lossy(&refused);
    assert!(refused.contains("the loss is") && refused.contains("step"), "{refused}");

    let nowhere =
        dermake().args(["train", "smoke", "--data", "/nonexistent", "--out"]).arg(run.out()).assert().code(2);
    let stderr = String::from_utf8_lossy(&nowhere.get_output().stderr).into_owned();
    assert!(stderr.contains("/nonexistent/train.csv"), "{stderr}");
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
    let log = again.log();
    assert!(log.contains("the evaluation after epoch 1 failed, and the run goes on"), "{log}");
    assert!(log.contains("images cannot be read"), "{log}");
    let metrics = again.metrics();
    assert!(metrics.iter().all(|line| line["zero_shot_top1_synth"].is_null()), "{metrics:?}");
    assert!(again.checkpoint("last").join("state.json").is_file());
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

#[test]
fn what_nothing_can_be_learned_from_is_refused_before_the_first_step() {
    let set = own_data();
    let table = std::fs::read_to_string(set.path().join("train.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let write = |column: &str, value: &str| {
        let mut writer = csv::Writer::from_path(set.path().join("train.csv")).unwrap();
        writer.write_record(&header).unwrap();
        for record in &records {
            let changed =
                record.iter().enumerate().map(|(at, cell)| if at == place(column) { value } else { cell });
            writer.write_record(changed).unwrap();
        }
        writer.flush().unwrap();
    };
    let clip = |value: bool| {
        let run = Run { data: set.path().to_path_buf(), ..Run::new(1, "1e-3") };
        if value {
            run.change("\"paper\"", "\"clip\"");
        }
        run
    };
    write("knowledge_masks", "[0, 0, 0]");
    let refused = clip(true).refusal();
    assert!(refused.contains("`clip` can learn nothing") && refused.contains("knowledge_masks"), "{refused}");
    clip(false).finish(); // of sub-captions alone
    write("truncated_caption", "a lesion");
    let refused = clip(true).refusal();
    assert!(refused.contains("same truncated_caption"), "{refused}");
    write("filename", "images/00000.jpg");
    let refused = clip(false).refusal();
    assert!(refused.contains("same image"), "{refused}");
}

#[test]
fn settings_that_cannot_be_meant_are_refused_before_the_first_step() {
    for (from, to, expected) in [
        ("warmup_steps = 2", "warmup_steps = 6", "warmup_steps is 6, but the run has 5 steps"),
        ("zeroshot/test.csv", "zeroshot/gone.csv", "zeroshot/gone.csv"),
        ("\"classes.json\"", "\"gone.json\"", "gone.json"),
        ("\"paper\"", "\"clip\"\nlambda_s = 0.5", "objective.lambda_s has no effect"),
        ("batch_size = 16", "batch_size = 1", "batch_size is 1"),
        ("train = ", "image_root = \"gone\"\ntrain = ", "image_root is no folder"),
    ] {
        let run = Run::new(1, "1e-3");
        run.change(from, to);
        let refused = run.refusal();
        assert!(refused.contains(expected), "{to}: {refused}");
    }
}

#[test]
fn an_architecture_beside_another_one_is_refused() {
    let first = Run::new(1, "1e-3");
    first.finish();
    let last = first.checkpoint("last");
    let second = Run::new(1, "1e-3");
    let text = std::fs::read_to_string(&second.recipe).unwrap();
    let (start, end) = (text.find("[model.model_cfg]").unwrap(), text.find("[data]").unwrap());
    let model = format!("[model]\nfrom = {:?}\narchitecture = \"ViT-B-32\"\n", last.to_str().unwrap());
    std::fs::write(&second.recipe, [&text[..start], &model, &text[end..]].concat()).unwrap();
    let refused = second.refusal();
    assert!(refused.contains("given as ViT-B-32") && refused.contains("vision width 32"), "{refused}");
    second.change("architecture = \"ViT-B-32\"\n", "");
    second.finish();

    let photo = data().join("zeroshot/images/00000.jpg");
    for model in [last.to_str().unwrap(), "demo"] {
        let mut classify = dermake();
        classify
            .args(["classify", "--labels", "nevus, psoriasis", "--arch", "ViT-B-32", "--model", model])
            .arg(&photo);
        let stderr = String::from_utf8(classify.assert().code(2).get_output().stderr.clone()).unwrap();
        assert!(stderr.contains("leave"), "{stderr}");
    }
    let third = Run::new(1, "1e-3");
    std::fs::write(&third.recipe, [&text[..start], "[model]\nfrom = \"demo\"\n", &text[end..]].concat()).unwrap();
    assert!(third.refusal().contains("quantized"));

    // A weights file has no config; the recipe has a field for the architecture.
    let alone = third.folder.path().join("alone.safetensors");
    std::fs::copy(last.join("open_clip_model.safetensors"), &alone).unwrap();
    let model = format!("[model]\nfrom = {:?}\n", alone.to_str().unwrap());
    std::fs::write(&third.recipe, [&text[..start], &model, &text[end..]].concat()).unwrap();
    let refused = third.refusal();
    assert!(refused.contains("model.architecture") && !refused.contains("--arch"), "{refused}");
}

#[cfg(unix)]
fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
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
    let state = std::fs::read_to_string(run.checkpoint("last").join("state.json")).unwrap();
    let metrics = run.metrics();
    let last = metrics.iter().filter_map(|line| line["step"].as_u64()).max().unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["step"].as_u64(), Some(last + 1), "it saved after its last step");
}

#[cfg(unix)]
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

#[cfg(unix)]
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
