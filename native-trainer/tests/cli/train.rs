//! `dermake synth` and `dermake train`: a run that learns, is killed, and goes on.

use crate::dermake;
use crate::limited::{self, Limited};
use crate::shared_folder::shared_folder;
use shared_model::weights::Weights;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// A model of a blink; `EPOCHS` and `RATE` are filled in.
pub const RECIPE: &str = r#"
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
pub fn data() -> &'static Path {
    static SET: OnceLock<PathBuf> = OnceLock::new();
    SET.get_or_init(|| {
        let out = shared_folder("train").join("set");
        dermake().args(["synth", "--images", "80", "--image-size", "64", "--out"]).arg(&out).assert().success();
        out
    })
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
    pub folder: TempDir,
    pub recipe: PathBuf,
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
    pub fn refusal(&self) -> String {
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
    pub fn start_until_saved(&self) -> Limited {
        self.wait_until_saved(limited::dermake().args(self.arguments()))
    }

    /// The same for a run that is started so that it ignores a signal.
    #[cfg(unix)]
    pub fn start_ignoring(&self, signal: &str) -> Limited {
        let mut command = limited::without_settings(Command::new("sh"));
        command.args(["-c", &format!("trap '' {signal}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_dermake")]);
        self.wait_until_saved(command.args(self.arguments()))
    }

    pub fn wait_until_saved(&self, command: &mut Command) -> Limited {
        let mut child = Limited::start(command.stderr(Stdio::null()));
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

    /// When the newest checkpoint was written.
    pub fn last_saved(&self) -> Option<SystemTime> {
        std::fs::metadata(self.checkpoint("last").join("state.json")).ok()?.modified().ok()
    }

    /// The step of the checkpoint that a run goes on from: that of `last`, or of the one that was being replaced.
    pub fn last_saved_step(&self) -> u64 {
        self.saved_step().unwrap()
    }

    /// The same while a run may be replacing it.
    pub fn saved_step(&self) -> Option<u64> {
        let read = |name: &str| std::fs::read(self.checkpoint(name).join("state.json")).ok();
        let state = read("last").or_else(|| read(".previous-last"))?;
        serde_json::from_slice::<serde_json::Value>(&state).ok()?["step"].as_u64()
    }

    /// Asserts that the newest checkpoint is of the step behind the last one that was logged, and no part of another is
    /// left.
    pub fn assert_saved_after_last_step(&self) {
        let last = self.metrics().iter().filter_map(|line| line["step"].as_u64()).max().unwrap();
        assert_eq!(self.last_saved_step(), last + 1);
        self.assert_no_partial_checkpoint();
    }

    pub fn assert_no_partial_checkpoint(&self) {
        let names = std::fs::read_dir(self.out().join("checkpoints")).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
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
