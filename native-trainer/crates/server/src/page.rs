//! The page inside the program, and its replacement in a program that was built without it.

use std::io::{self, Read};

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The file that the page's address leads to.
pub(super) const INDEX: &str = "index.html";

/// The program was built without a page.
const MISSING: &str = include_str!("missing_page.html");

/// A file of the page, as it is and, where there is a page, compressed with brotli.
pub(super) struct PageFile {
    pub(super) name: &'static str,
    pub(super) content: Vec<u8>,
    pub(super) brotli: Option<&'static [u8]>,
}

/// Whether the program was built with its page.
pub(super) fn is_carried() -> bool {
    !FILES.is_empty()
}

/// The files of the page; without a page, one file that says how to build it.
///
/// # Errors
/// Only if the program itself is damaged.
pub(super) fn files() -> io::Result<Vec<PageFile>> {
    if !is_carried() {
        tracing::warn!("this program was built without its page; `just build` builds both, --app names a folder");
        return Ok(vec![PageFile { name: INDEX, content: MISSING.into(), brotli: None }]);
    }
    let unpacked = |&(name, brotli): &(&'static str, &'static [u8])| {
        let mut content = Vec::new();
        brotli::Decompressor::new(brotli, 1 << 16).read_to_end(&mut content)?;
        Ok(PageFile { name, content, brotli: Some(brotli) })
    };
    FILES.iter().map(unpacked).collect()
}
