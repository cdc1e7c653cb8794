//! The page and models as files, for a host that only serves files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use dermake_files::hash;
use dermake_files::output::OutputFolder;
use dermake_models::demo_model;
use shared_model::api::HostedModel;
use shared_model::manifest::Manifest;

use super::assets;
use super::headers;
use super::models::Models;
use super::page::{self, INDEX};
use super::stored::{Source, StoredFile};
use super::weights::Model;

/// The list of models. A file without an extension: the page requests this name from a server, too.
const LIST: &str = "models";

/// The folder with a folder for each model; another name than that of the list.
const MODEL_FOLDERS: &str = "model-files";

/// Result of [`write_static_site`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticSite {
    /// Names of the models, as their manifests give them; the page starts with the first.
    pub models: Vec<String>,
    pub n_files: usize,
    pub size_bytes: u64,
}

/// Writes the page, the models and their list into a new folder. All addresses are relative, so that the folder works
/// below any path.
///
/// `app` is the folder of a built page, `None` the page inside the program. `models` are paths as in
/// [`crate::ServeConfig`]; without any, it is the demo model.
///
/// # Errors
/// There is no page; a model cannot be used, or one of its files is not the one that its manifest names; the folder
/// exists and is not empty, or cannot be written.
pub fn write_static_site(app: Option<&Path>, models: &[PathBuf], out: &Path) -> anyhow::Result<StaticSite> {
    let demo = [PathBuf::from(demo_model::NAME)];
    let models = Models::load(if models.is_empty() { &demo } else { models })?.known();
    if models.is_empty() {
        bail!("none of the models can be used; the warnings above say why");
    }
    let mut site = Writer { folder: OutputFolder::create(out)?, n_files: 0, size_bytes: 0 };
    match app {
        Some(folder) => site.copy_page(folder)?,
        None => site.write_carried_page()?,
    }
    for model in &models {
        site.write_model(model)?;
    }
    let entries: Vec<HostedModel> = models.iter().map(|model| model.entry_below(MODEL_FOLDERS, None)).collect();
    site.write(LIST, &serde_json::to_vec(&entries)?)?;
    let Writer { folder, n_files, size_bytes } = site;
    folder.finish()?;
    let models = models.iter().map(|model| model.name().to_owned()).collect();
    Ok(StaticSite { models, n_files, size_bytes })
}

/// The folder of the site until it is complete.
struct Writer {
    folder: OutputFolder,
    n_files: usize,
    size_bytes: u64,
}

impl Writer {
    fn copy_page(&mut self, folder: &Path) -> anyhow::Result<()> {
        for (name, path) in assets::files_of(folder)? {
            let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            self.write_page_file(&name, content)?;
        }
        Ok(())
    }

    fn write_carried_page(&mut self) -> anyhow::Result<()> {
        if !page::is_carried() {
            bail!("this program was built without its page; `just build` builds both, --app names a folder");
        }
        for file in page::files()? {
            self.write_page_file(file.name, file.content)?;
        }
        Ok(())
    }

    fn write_page_file(&mut self, name: &str, content: Vec<u8>) -> anyhow::Result<()> {
        if name != INDEX {
            return self.write(name, &content);
        }
        let html = String::from_utf8(content).with_context(|| format!("{INDEX} is not UTF-8"))?;
        self.write(name, with_policy(&html)?.as_bytes())
    }

    fn write_model(&mut self, model: &Model) -> anyhow::Result<()> {
        let folder = format!("{MODEL_FOLDERS}/{}", model.folder);
        for (name, file) in model.files() {
            self.write_model_file(&format!("{folder}/{name}"), file)?;
        }
        self.write(&format!("{folder}/{}", Manifest::FILE_NAME), model.manifest_json())
    }

    /// Copies a file of a model and checks its hash: a page would refuse a damaged one only after the download.
    fn write_model_file(&mut self, name: &str, file: &StoredFile) -> anyhow::Result<()> {
        let path = self.new_path(name)?;
        match &file.source {
            Source::Disk(file) => fs::copy(file.path(), &path).map(|_| ()),
            Source::Memory(content) => fs::write(&path, content),
        }
        .with_context(|| format!("cannot copy {file} to {}", path.display()))?;
        let found = hash::sha256_of_file(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if !found.eq_ignore_ascii_case(&file.sha256) {
            bail!("its SHA-256 is {found}, its manifest has {}; quantize the model again: {file}", file.sha256);
        }
        self.n_files += 1;
        self.size_bytes += file.size_bytes;
        Ok(())
    }

    fn write(&mut self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = self.new_path(name)?;
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        self.n_files += 1;
        self.size_bytes += content.len() as u64;
        Ok(())
    }

    /// Returns where a file is written, after its folder was created.
    fn new_path(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        }
        Ok(path)
    }
}

/// Puts the Content-Security-Policy into the page, because the host may not send it as a header.
fn with_policy(html: &str) -> anyhow::Result<String> {
    const HEAD: &str = "<head>";
    let Some(head) = html.find(HEAD).map(|start| start + HEAD.len()) else {
        bail!("the page has no {HEAD}, in which its Content-Security-Policy belongs: {INDEX}");
    };
    let policy = headers::content_security_policy(&headers::inline_script_hashes(html));
    let (before, after) = html.split_at(head);
    Ok(format!("{before}<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_comes_before_what_it_is_for() {
        let html = with_policy("<!doctype html><html><head><script>start()</script></head></html>").unwrap();
        let (policy, script) = (html.find("Content-Security-Policy").unwrap(), html.find("<script>").unwrap());
        assert!(policy < script && html.contains("connect-src 'self'") && html.contains("'sha256-"), "{html}");
        assert!(!html.contains("frame-ancestors"), "{html}");
        assert!(with_policy("<p>no head</p>").unwrap_err().to_string().contains("<head>"));
    }
}
