//! A small set and runs on it, for the tests of training.

use crate::dermake;
use crate::limited::{self, Limited};
use crate::shared_folder::shared_folder;
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
