//! The id of a model on the hub, checked.

use std::fmt;

use hf_hub::{Repo, RepoType};

use super::error::{Error, Result};

/// `owner/name[@revision]`, checked to be safe in addresses and paths.
#[derive(Debug)]
pub(super) struct ModelId {
    pub(super) id: String,
    pub(super) revision: String,
}

impl ModelId {
    pub(super) fn parse(typed: &str) -> Result<Self> {
        let (id, revision) = typed.split_once('@').unwrap_or((typed, "main"));
        let is_id = id.split('/').count() == 2 && id.split('/').all(is_plain);
        if !is_id || !revision.split('/').all(is_plain) {
            return Err(Error::ModelId { typed: typed.to_owned() });
        }
        Ok(Self { id: id.to_owned(), revision: revision.to_owned() })
    }

    /// Returns whether the revision is a commit, whose files never change.
    pub(super) fn is_commit(&self) -> bool {
        self.revision.len() == 40 && self.revision.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    pub(super) fn repo(&self, revision: &str) -> Repo {
        Repo::with_revision(self.id.clone(), RepoType::Model, revision.to_owned())
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision.as_str() {
            "main" => f.write_str(&self.id),
            revision => write!(f, "{}@{revision}", self.id),
        }
    }
}

/// One component of a path or an address that needs no escaping and leads nowhere else.
pub(super) fn is_plain(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_revisions_are_read() {
        let model = ModelId::parse("xieji-x/MAKE").unwrap();
        assert_eq!((model.id.as_str(), model.revision.as_str()), ("xieji-x/MAKE", "main"));
        let model = ModelId::parse("a/b@refs/pr/1").unwrap();
        assert_eq!(model.revision, "refs/pr/1");
        assert_eq!(model.to_string(), "a/b@refs/pr/1");
        assert!(ModelId::parse(&format!("a/b@{}", "0".repeat(40))).unwrap().is_commit());
    }

    #[test]
    fn what_could_leave_the_cache_is_refused() {
        for typed in ["", "a", "a/", "/b", "a/b/c", "../b", "a/b@", "a/b@../x", "a/b@/etc", "a b/c", "a/b?x"] {
            assert!(matches!(ModelId::parse(typed), Err(Error::ModelId { .. })), "{typed}");
        }
    }
}
