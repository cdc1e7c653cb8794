//! What the log says of the folders of models: why a model is not hosted, and which ones come and go.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A folder or link whose model is not hosted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) path: PathBuf,
    pub(super) why: String,
    /// Equal for two reasons of which only one is logged, as the length of a file that is being copied.
    pub(super) kind: String,
}

impl Refused {
    pub(super) fn new(path: &Path, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { path: path.to_owned(), kind: why.clone(), why }
    }
}

/// What was logged already.
#[derive(Debug, Default)]
pub(super) struct Notices {
    /// Kind of the reason, by path.
    refused: HashMap<PathBuf, String>,
    /// Hosted models of folders of models; `None` before the first check.
    hosted: Option<Vec<PathBuf>>,
}

impl Notices {
    /// Warns of reasons that are new. A reason that went away is new when it comes back.
    pub(super) fn warn(&mut self, refused: &[Refused]) {
        for Refused { path, why, .. } in self.new_ones(refused) {
            tracing::warn!("not on offer: {why}: {}", path.display());
        }
    }

    /// Logs which models are hosted since the last call, and which no longer. The first call logs nothing.
    pub(super) fn log_changes(&mut self, hosted: Vec<PathBuf>) {
        let Changes { added, removed } = self.changes(hosted);
        for path in added {
            tracing::info!("on offer: {}", path.display());
        }
        for path in removed {
            tracing::warn!("no longer on offer: {}", path.display());
        }
    }

    fn new_ones<'a>(&mut self, refused: &'a [Refused]) -> Vec<&'a Refused> {
        let is_new = |one: &&Refused| self.refused.get(&one.path) != Some(&one.kind);
        let new_ones = refused.iter().filter(is_new).collect();
        self.refused = refused.iter().map(|one| (one.path.clone(), one.kind.clone())).collect();
        new_ones
    }

    fn changes(&mut self, hosted: Vec<PathBuf>) -> Changes {
        let Some(before) = self.hosted.replace(hosted.clone()) else { return Changes::default() };
        let without = |all: &[PathBuf], others: &[PathBuf]| {
            all.iter().filter(|path| !others.contains(path)).cloned().collect()
        };
        Changes { added: without(&hosted, &before), removed: without(&before, &hosted) }
    }
}

/// Differences between two checks.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    added: Vec<PathBuf>,
    removed: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found in use: after a folder's first reason, nothing was logged of it.
    #[test]
    fn each_reason_is_logged_when_it_is_new() {
        let mut notices = Notices::default();
        let (a, b) = (Path::new("a"), Path::new("b"));
        let copying = |n: u32| Refused { kind: "length".into(), ..Refused::new(a, format!("{n} bytes")) };
        let damaged = Refused::new(a, "damaged");
        let mut n_new = |refused: &[Refused]| notices.new_ones(refused).len();
        assert_eq!(n_new(&[copying(1), Refused::new(b, "a link")]), 2);
        assert_eq!(n_new(&[copying(2), Refused::new(b, "a link")]), 0, "it grows");
        assert_eq!(n_new(&[damaged.clone(), Refused::new(b, "a link")]), 1);
        assert_eq!(n_new(std::slice::from_ref(&damaged)), 0);
        assert_eq!(n_new(&[]), 0);
        assert_eq!(n_new(&[damaged]), 1, "damaged again");
    }

    #[test]
    fn models_that_come_and_go_are_told_apart() {
        let mut notices = Notices::default();
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(notices.changes(paths(&["a", "b"])), Changes::default(), "at the start");
        let expected = Changes { added: paths(&["c"]), removed: paths(&["a"]) };
        assert_eq!(notices.changes(paths(&["b", "c"])), expected);
        assert_eq!(notices.changes(paths(&["b", "c"])), Changes::default());
    }
}
