//! Pictures with captions in a tar file.

use crate::sample;
use crate::train_run::{RECIPE, Run};
use std::path::Path;

/// A run on pictures and captions alone, in a tar file whose pictures have to be unpacked.
pub fn run_of_archive(epochs: u32) -> Run {
    let run = Run::new(epochs, "1e-3");
    let (before, after) = RECIPE.split_once("validation = ").unwrap();
    let text = format!("{before}[objective]{}", after.split_once("[objective]").unwrap().1);
    let text = text.replace("EPOCHS", &epochs.to_string()).replace("RATE", "1e-3").replace("paper", "clip");
    std::fs::write(&run.recipe, text).unwrap();
    let data = run.folder.path().join("pairs.tar");
    write_archive(&data, 40);
    Run { data, ..run }
}

/// Writes pictures with captions as WebDataset does.
fn write_archive(path: &Path, n_samples: usize) {
    let mut archive = tar::Builder::new(std::fs::File::create(path).unwrap());
    let mut add = |name: String, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content).unwrap();
    };
    for row in 0..n_samples {
        let name = format!("{row:04}");
        add(format!("{name}.jpg"), &std::fs::read(sample(1 + row % 3)).unwrap());
        add(format!("{name}.txt"), format!("case {row} of condition {}", row % 3).as_bytes());
    }
    archive.finish().unwrap();
}
