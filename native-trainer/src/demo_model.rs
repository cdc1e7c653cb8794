//! The demo model, quantised, inside the program: it answers without a download and without a file.
//!
//! Trained on the drawn pictures of `dermake synth`; `static/models/demo` is the folder that `dermake quantize` wrote.

use crate::model::MERGES_GZ;
use anyhow::{Result, bail};
use bytes::Bytes;
use shared_model::api::Manifest;
use std::path::Path;

/// What `--model` calls it. A folder of this name is reached as `./demo`.
pub const NAME: &str = "demo";

/// Whether `typed` names the demo model: in any case, unless a file or folder is called so.
pub fn is_name(typed: &str) -> bool {
    typed == NAME || (typed.eq_ignore_ascii_case(NAME) && !Path::new(typed).exists())
}

/// A file of the model by the name that its manifest gives.
///
/// # Errors
/// When there is no such file.
pub fn read(file: &str) -> Result<Bytes> {
    let bytes: &[u8] = match file {
        Manifest::FILE_NAME => include_bytes!("../../static/models/demo/manifest.json"),
        "vision.safetensors" => include_bytes!("../../static/models/demo/vision.safetensors"),
        "text.safetensors" => include_bytes!("../../static/models/demo/text.safetensors"),
        "classifiers.safetensors" => include_bytes!("../../static/models/demo/classifiers.safetensors"),
        // Every CLIP model has these merges: the program carries them once.
        "clip_merges.txt.gz" => MERGES_GZ,
        _ => bail!("the program carries no such file of the demo model: {file}"),
    };
    Ok(Bytes::from_static(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load;
    use shared_model::weights::Placement;

    #[test]
    fn it_loads_whole_and_says_what_it_is() {
        let (model, _) = load(NAME, None, &Placement::default()).unwrap();
        assert!(model.is_trained && model.has_text());
        assert!(model.notice.unwrap().contains("drawn"));
        assert!(is_name("Demo") && !is_name("demos") && !is_name("./demo"));
        assert!(read("../secret").unwrap_err().to_string().contains("no such file"));
    }
}
