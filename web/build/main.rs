//! Checks the page's texts and makes functions of them. Leaves the names of functions out of the page's program:
//! wasm-bindgen leaves them out of the worker's; Trunk has no option for it.

mod catalogs;
mod check;
mod generate;

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=languages");
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-bin=app=--strip-all");
    }
    // Cargo runs this in the folder of the crate, which may have moved since this was compiled.
    let folder = Path::new("languages");
    if let Err(problems) = write_texts(folder) {
        for problem in problems {
            println!("cargo::error={problem}");
        }
    }
}

/// Writes what the page's program includes: `texts.rs`, the identifiers and the English catalog. The other catalogs are
/// files of the page.
fn write_texts(folder: &Path) -> Result<(), Vec<String>> {
    let catalogs = catalogs::read(folder)?;
    let english = check::check(&catalogs)?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| vec!["cargo named no OUT_DIR".to_string()])?);
    let files = [
        ("texts.rs", generate::functions(english)),
        ("text_ids.rs", generate::ids(english)),
        ("english.ftl", english.source()),
    ];
    for (name, content) in files {
        fs::write(out.join(name), content).map_err(|err| vec![format!("{name} could not be written: {err}")])?;
    }
    Ok(())
}
