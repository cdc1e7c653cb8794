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

struct Run {
    folder: TempDir,
    recipe: PathBuf,
}

impl Run {
    fn new(epochs: u32, learning_rate: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recipe = folder.path().join("recipe.toml");
        let text = RECIPE.replace("EPOCHS", &epochs.to_string()).replace("RATE", learning_rate);
        std::fs::write(&recipe, text).unwrap();
        Self { folder, recipe }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn arguments(&self) -> Vec<PathBuf> {
        let words = ["train", self.recipe.to_str().unwrap(), "--data", data().to_str().unwrap(), "--out"];
        words.map(PathBuf::from).into_iter().chain([self.out()]).collect()
    }

    fn finish(&self) {
        dermake().args(self.arguments()).assert().success();
    }

    /// Starts the run and waits until it has saved a checkpoint.
    fn start_until_saved(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dermake"));
        let mut child = command.args(self.arguments()).stderr(Stdio::piped()).spawn().unwrap();
        let (state, started) = (self.checkpoint("last").join("state.json"), Instant::now());
        while !state.exists() {
            assert!(started.elapsed() < Duration::from_secs(300), "no checkpoint came");
            assert!(child.try_wait().unwrap().is_none(), "the run ended before a checkpoint was seen");
            std::thread::yield_now();
        }
        child
    }

    fn checkpoint(&self, name: &str) -> PathBuf {
        self.out().join("checkpoints").join(name)
    }

    /// Every tensor's bytes, moments included.
    fn tensors(&self, name: &str) -> Vec<(String, Vec<u8>)> {
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

    fn metrics(&self) -> Vec<serde_json::Value> {
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
    limited.args(["-c", "trap '' XFSZ; ulimit -f 512; exec \"$@\"", "bash"]);
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
