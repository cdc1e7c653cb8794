//! The page: the files that trunk built, read and compressed once, served from memory.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use dermake_files::hash;
use rayon::prelude::*;

use super::disk_file::{DiskFile, stamp};
use super::encoding::{CODINGS, Forms, Variants};
use super::error::{Error, HttpError, Result};
use super::headers::{self, IMMUTABLE, REVALIDATE};
use super::page::{self, INDEX, PageFile};
use super::stored::{Source, StoredFile};
use super::{conditional, content_type};

/// Larger files stay on disk: samples and models, never the page itself.
const MAX_HELD_BYTES: u64 = 32 << 20;

/// Digits of the hash that trunk puts into a name.
const NAME_HASH_DIGITS: usize = 16;

/// One file of the site.
pub(super) struct Asset {
    content_type: &'static str,
    cache_control: &'static str,
    content: Content,
}

enum Content {
    Held { variants: Variants, hash: String },
    OnDisk(StoredFile),
}

impl Asset {
    /// An asset held in memory, compressed if its kind shrinks.
    pub(super) fn new(name: &str, content: Vec<u8>, cache_control: &'static str) -> Self {
        Self::with_forms(name, content, cache_control, Default::default())
    }

    fn with_forms(name: &str, content: Vec<u8>, cache_control: &'static str, forms: Forms) -> Self {
        let variants = |content, is_compressible: bool| match is_compressible {
            true => Variants::compressed(content, forms),
            false => Variants::plain(content),
        };
        Self::held(name, content, cache_control, variants)
    }

    /// `variants` is given the content, and whether its kind shrinks when compressed.
    fn held(
        name: &str,
        content: Vec<u8>,
        cache_control: &'static str,
        variants: impl FnOnce(Vec<u8>, bool) -> Variants,
    ) -> Self {
        let (content_type, is_compressible) = content_type::of(name);
        let hash = hash::sha256(&content);
        let content = Content::Held { variants: variants(content, is_compressible), hash };
        Self { content_type, cache_control, content }
    }

    /// The content of an asset held in memory, uncompressed; empty if it is on disk.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match &self.content {
            Content::Held { variants, .. } => variants.as_bytes(),
            Content::OnDisk(_) => &[],
        }
    }

    pub(super) async fn respond(&self, request: Request) -> Result<Response, HttpError> {
        let (variants, hash) = match &self.content {
            Content::Held { variants, hash } => (variants, hash),
            Content::OnDisk(file) => return file.respond(self.cache_control, request).await,
        };
        let chosen = variants.choose(request.headers());
        let etag = conditional::etag(hash, chosen.encoding);
        conditional::check_match(request.headers(), &etag)?;
        let is_unchanged = conditional::is_unchanged(request.headers(), &etag);
        let mut response = if is_unchanged {
            conditional::not_modified(request.method(), chosen.body.len() as u64)
        } else {
            Body::from(chosen.body).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, etag);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control));
        if variants.has_choice() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if !is_unchanged {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            if let Some(encoding) = chosen.encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
        }
        Ok(response)
    }
}

/// The page's files by their path below the page's address.
pub(super) struct App(HashMap<String, Asset>);

impl App {
    /// Reads the folder that trunk built.
    pub(super) fn load(folder: &Path) -> Result<Self> {
        let named = files_of(folder)?.into_par_iter().map(|(name, path)| {
            let asset = load(&path, &name)?;
            Ok((name, asset))
        });
        Ok(Self(named.collect::<Result<_>>()?))
    }

    /// The page inside the program.
    pub(super) fn carried() -> Self {
        let files = page::files().expect("what the build compressed can be unpacked");
        let asset = |file: PageFile| {
            let variants = |content, is_compressible: bool| match file.brotli.filter(|_| is_compressible) {
                Some(brotli) => Variants::with_brotli(content, brotli),
                None => Variants::plain(content),
            };
            (file.name.to_owned(), Asset::held(file.name, file.content, caching(file.name), variants))
        };
        Self(files.into_par_iter().map(asset).collect())
    }

    pub(super) async fn respond(&self, path: &str, request: Request) -> Result<Response, HttpError> {
        self.0.get(path).ok_or(HttpError::NotFound)?.respond(request).await
    }

    /// Hashes of the page's inline scripts, for the Content-Security-Policy.
    pub(super) fn inline_script_hashes(&self) -> Vec<String> {
        let index = self.0.get(INDEX).map(|index| String::from_utf8_lossy(index.as_bytes()));
        index.map(|html| headers::inline_script_hashes(&html)).unwrap_or_default()
    }
}

fn load(path: &Path, name: &str) -> Result<Asset> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let cache_control = caching(name);
    let stamp = stamp(path).map_err(failed)?;
    let size_bytes = stamp.size_bytes;
    if size_bytes <= MAX_HELD_BYTES {
        let forms = CODINGS.map(|coding| fs::read(form_path(path, coding.extension)).ok());
        return Ok(Asset::with_forms(name, fs::read(path).map_err(failed)?, cache_control, forms));
    }
    let (content_type, _) = content_type::of(name);
    let sha256 = hash::sha256_of_file(path).map_err(failed)?;
    let source = Source::Disk(DiskFile::hashed(path.to_owned(), stamp, sha256.clone()));
    let file = StoredFile { source, size_bytes, sha256, content_type };
    Ok(Asset { content_type, cache_control, content: Content::OnDisk(file) })
}

/// Returns the files of a built page, each with its path below the page's address; without compressed forms.
///
/// # Errors
/// There is no `index.html`, or a folder cannot be read.
pub(super) fn files_of(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    if !folder.join(INDEX).is_file() {
        return Err(Error::NoPage { path: folder.to_owned() });
    }
    let mut paths = Vec::new();
    walk(folder, &mut paths)?;
    let plain = paths.into_iter().filter(|path| !is_compressed_form(path));
    Ok(plain.map(|path| (address(folder, &path), path)).collect())
}

/// Collects the files below `folder`, without links and hidden files.
fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_symlink() || is_hidden {
            tracing::warn!("not served (a link or hidden): {}", entry.path().display());
        } else if kind.is_dir() {
            walk(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

/// The path below `folder`, with slashes.
fn address(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// `FILE.br`, `FILE.zst` or `FILE.gz` beside a `FILE`.
fn is_compressed_form(path: &Path) -> bool {
    let is_form = path.extension().is_some_and(|found| CODINGS.iter().any(|coding| found == coding.extension));
    is_form && path.with_extension("").is_file()
}

fn form_path(path: &Path, extension: &str) -> PathBuf {
    let mut form = path.as_os_str().to_owned();
    form.push(".");
    form.push(extension);
    form.into()
}

/// Returns the `Cache-Control` header of a file of the page.
fn caching(name: &str) -> &'static str {
    if is_hashed(name) { IMMUTABLE } else { REVALIDATE }
}

/// Returns whether a part of the path is a hash of the content, as in `web-0123456789abcdef_bg.wasm`.
fn is_hashed(path: &str) -> bool {
    path.split(['/', '-', '.', '_']).any(|part| {
        part.len() >= NAME_HASH_DIGITS
            && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash_are_known() {
        assert!(is_hashed("web-0123456789abcdef.js"));
        assert!(is_hashed("web-0123456789abcdef_bg.wasm"));
        assert!(is_hashed("snippets/web-0123456789abcdef/inline0.js"));
        for name in ["index.html", "worker_bg.wasm", "deadbeef.js", "photo-20240101.jpg"] {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
