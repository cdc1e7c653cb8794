//! Ranks labels for a photo with the demo model:
//!
//! ```sh
//! cargo run --release --example classify -- photo.jpg "melanoma, nevus, psoriasis"
//! ```
//!
//! Without arguments it takes a drawn sample and the six labels of PAD-UFES-20.

use shared_model::demo;
use shared_model::labels::{LabelSet, Templates};
use shared_model::preprocess::Reading;
use shared_model::weights::Placement;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let photo = match arguments.next() {
        Some(path) => std::fs::read(&path).map_err(|err| format!("cannot read the photo ({err}): {path}"))?,
        None => demo::SAMPLES[0].1.to_vec(),
    };
    let labels = match arguments.next() {
        Some(typed) => LabelSet::from_text(&typed)?,
        None => LabelSet::built_in().swap_remove(0),
    };

    let model = demo::model(Placement::default())?;
    let classifier = model.classifier(&labels, &Templates::skin(), &mut |_done, _total| {})?;
    for answer in model.classify(&photo, Reading::Photo, &classifier, 5)? {
        println!("{:6.2} %  {}", 100.0 * answer.probability, answer.label);
    }
    Ok(())
}
