//! The demo model of [`shared_model::demo`] as the program names it: it answers without a download and without a file.

use anyhow::{Result, bail};
use bytes::Bytes;
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
    match shared_model::demo::file(file) {
        Some(bytes) => Ok(Bytes::from_static(bytes)),
        None => bail!("the demo model has no such file: {file}"),
    }
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
