//! Puts the page into the program, compressed, if it was built before: then `dermake serve` needs no folder.
//!
//! Without `web/dist`, or with `DERMAKE_CARRY_PAGE=no`, the build succeeds too; the program then serves a page that says how
//! to build the real one.

#[path = "build/workers.rs"]
mod workers;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Within 15 % of brotli's smallest for WebAssembly, in a twelfth of its time.
const QUALITY: u32 = 9;

fn main() -> io::Result<()> {
    // Cargo runs this in the folder of the crate, which may have moved since this was compiled.
    let folder = Path::new("../../../web/dist");
    // Cargo looks for changes only of what is there. Where the sources may not be written to, it looks each time.
    let _ = fs::create_dir_all(folder);
    println!("cargo:rerun-if-changed={}", folder.display());
    println!("cargo:rerun-if-env-changed=DERMAKE_CARRY_PAGE");
    let carries_page = env::var_os("DERMAKE_CARRY_PAGE").is_none_or(|value| value != "no");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for what build scripts make"));

    let mut paths = Vec::new();
    // What fuzzing feeds has a page of its own.
    if carries_page && env::var_os("CARGO_CFG_FUZZING").is_none() && folder.join("index.html").is_file() {
        collect(folder, &mut paths)?;
    }
    paths.sort();
    if let Some(warning) = workers::warning(&paths) {
        println!("cargo::warning={warning}");
    }
    let mut list = String::from("/// Path below the page's address, and content, compressed with brotli.\n");
    list.push_str("const FILES: &[(&str, &[u8])] = &[\n");
    for (number, path) in paths.iter().enumerate() {
        let compressed = out.join(format!("page-{number}.br"));
        let content = fs::read(path).map_err(|err| unreadable(path, &err))?;
        fs::write(&compressed, brotli(&content)?)?;
        let parts = path.strip_prefix(folder).unwrap_or(path).iter().map(|part| part.to_string_lossy());
        let name = parts.collect::<Vec<_>>().join("/");
        writeln!(list, "    ({name:?}, include_bytes!({compressed:?})),").map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    fs::write(out.join("page.rs"), list)
}

/// A page that is being built again while it is read has files that are gone.
fn unreadable(path: &Path, err: &io::Error) -> io::Error {
    io::Error::other(format!(
        "cannot read a file of the page ({err}); is it being built? Build again after it: {}",
        path.display()
    ))
}

/// All files below a folder but hidden ones and forms that were compressed beforehand.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (kind, path) = entry.and_then(|entry| Ok((entry.file_type()?, entry.path())))?;
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_form = path.extension().is_some_and(|ending| ["br", "zst", "gz"].iter().any(|form| ending == *form));
        if kind.is_dir() && !is_hidden {
            collect(&path, paths)?;
        } else if kind.is_file() && !is_hidden && !(is_form && path.with_extension("").is_file()) {
            paths.push(path);
        }
    }
    Ok(())
}

fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, QUALITY, 22);
    encoder.write_all(content)?;
    Ok(encoder.into_inner())
}
