//! A loss that is not finite on one of several ranks. Over TCP here, and over MPI in `tests/mpi.rs`.

use crate::dermake;
use crate::ranks_equal_one::{Launch, assert_near, losses};
use crate::train_run::{RECIPE, Run, own_data};
use shared_model::tokenizer::{CLIP_CONTEXT_LENGTH, CLIP_MERGES_GZ, Tokenizer};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// A word that no other caption has, and a position that no other caption reaches.
const WORD: &str = "zebra";
const POSITION: usize = 70;
/// The row with that caption, which is not in the first batch.
const ROW: usize = 0;
/// Width of the text tower of [`RECIPE`].
const WIDTH: usize = 16;
/// Finite, and twice of it is not.
const LARGE: f32 = 1.8e38;

/// Trains with one and with two ranks, of which one encodes a caption whose feature is not finite. Both runs end at that
/// step and keep the checkpoint of the step before. Returns what the two ranks have written.
pub fn loss_not_finite(launch: Launch) -> Output {
    let (set, base) = (set_with_long_caption(), overflowing_weights());
    let new = || {
        let run = Run { data: set.path().to_path_buf(), ..Run::new(1, "1e-3") };
        let (_, data) = RECIPE.split_once("[data]").unwrap();
        let text = format!("[model]\nfrom = {:?}\n[data]{data}", base.checkpoint("last"));
        let text = text.replace("EPOCHS", "1").replace("RATE", "1e-3");
        fs::write(&run.recipe, text.replace("save_every_steps = 3", "save_every_steps = 1")).unwrap();
        run
    };
    let one = new();
    let alone = dermake().args(one.arguments()).output().unwrap();
    let log = String::from_utf8_lossy(&alone.stderr);
    assert_eq!(alone.status.code(), Some(2), "{log}");
    let step = one.last_saved_step();
    assert!(step > 0 && log.contains(&end(step)), "{log}");

    let two = new();
    let arguments = two.arguments();
    let output = launch(2, &arguments.iter().map(|path| path.as_os_str()).collect::<Vec<&OsStr>>());
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{log}");
    assert!(log.contains(&end(step)), "one rank ends at step {step}: {log}");
    assert!(log.contains("the last checkpoint is as it was"), "{log}");
    assert_eq!(two.last_saved_step(), step);
    two.assert_no_partial_checkpoint();
    assert_eq!((losses(&two).len(), losses(&one).len()), (step as usize, step as usize));
    assert_near(&one, &two, 1e-5);
    output
}

fn end(step: u64) -> String {
    format!("the loss is NaN at step {step} ")
}

/// The set, with one caption that is longer than all others.
fn set_with_long_caption() -> TempDir {
    let set = own_data();
    let path = set.path().join("train.csv");
    let mut table = csv::Reader::from_path(&path).unwrap();
    let header = table.headers().unwrap().clone();
    let column = header.iter().position(|name| name == "truncated_caption").unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let mut changed = csv::Writer::from_path(&path).unwrap();
    changed.write_record(&header).unwrap();
    for (number, row) in rows.iter().enumerate() {
        let caption = [WORD; CLIP_CONTEXT_LENGTH].join(" ");
        let is_long = |at: usize| number == ROW && at == column;
        let cells = row.iter().enumerate().map(|(at, cell)| if is_long(at) { caption.as_str() } else { cell });
        changed.write_record(cells).unwrap();
    }
    changed.flush().unwrap();
    set
}

/// Trained weights with a large number in the embeddings of the word and of the position: their sum is not finite.
fn overflowing_weights() -> Run {
    let base = Run::new(1, "1e-3");
    base.finish();
    let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, CLIP_CONTEXT_LENGTH).unwrap();
    let word = tokenizer.encode(WORD).unwrap()[1] as usize;
    let path = base.checkpoint("last").join("open_clip_model.safetensors");
    set_value(&path, "token_embedding.weight", word * WIDTH);
    set_value(&path, "positional_embedding", POSITION * WIDTH);
    base
}

/// Replaces one value of a tensor by the large one.
fn set_value(path: &Path, name: &str, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let start = tensors.tensor(name).unwrap().data().as_ptr() as usize - bytes.as_ptr() as usize;
    bytes[start + 4 * at..][..4].copy_from_slice(&LARGE.to_le_bytes());
    fs::write(path, bytes).unwrap();
}
