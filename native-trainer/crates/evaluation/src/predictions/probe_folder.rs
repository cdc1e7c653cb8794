//! The folders of linear probes as DermFM-Zero publishes them: `HAM_10pct/MODEL_HAM/NAME.csv` has the answers of a probe
//! that 10 % of HAM's training rows trained, and `class2label/HAM.csv` beside `HAM_10pct` the names of the classes.

use std::path::Path;

/// A folder such as `HAM_10pct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeFolder {
    /// `HAM_10pct`
    pub name: String,
    /// `HAM`
    pub benchmark: String,
    /// Percentage of the training rows.
    pub percent: u32,
}

impl ProbeFolder {
    /// Reads the name of a folder; `None` if it is no folder of linear probes.
    pub fn of(folder: &Path) -> Option<Self> {
        Self::named(folder.file_name()?.to_str()?)
    }

    /// The folder of the folder that a table is in, and the model: the folder is called `MODEL_HAM`, or the table ends in
    /// `-lp.csv`. Others may have such a name above, too.
    pub fn of_file(table: &Path) -> Option<(Self, String)> {
        let table = std::path::absolute(table).ok()?;
        let folder = table.parent()?;
        let probes = Self::of(folder.parent()?)?;
        let name = folder.file_name()?.to_str()?;
        let is_named = table.file_stem()?.to_str()?.ends_with("-lp");
        let model = name.strip_suffix(&format!("_{}", probes.benchmark)).or(is_named.then_some(name))?.to_owned();
        Some((probes, model))
    }

    /// Reads a folder's name.
    pub fn named(name: &str) -> Option<Self> {
        let (benchmark, share) = name.rsplit_once('_')?;
        let percent = share.strip_suffix("pct")?.parse().ok().filter(|percent| (1..=100).contains(percent))?;
        (!benchmark.is_empty()).then(|| Self { name: name.into(), benchmark: benchmark.into(), percent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_benchmark_and_the_share() {
        let (found, model) = ProbeFolder::of_file(Path::new("/a/SD_128_10pct/MAKE_SD_128/x.csv")).unwrap();
        assert_eq!((found.name.as_str(), found.benchmark.as_str(), found.percent), ("SD_128_10pct", "SD_128", 10));
        assert_eq!(model, "MAKE");
        assert_eq!(ProbeFolder::of_file(Path::new("/a/PAD_10pct/MAKE/pad-lp.csv")).unwrap().1, "MAKE");
        assert_eq!(ProbeFolder::of_file(Path::new("/a/runs_10pct/HAM/MAKE.csv")), None);
        for other in ["HAM", "10pct", "_10pct", "HAM_pct", "HAM_0pct", "HAM_200pct", "HAM_10"] {
            assert_eq!(ProbeFolder::named(other), None, "{other}");
        }
        assert_eq!(ProbeFolder::of_file(Path::new("/a.csv")), None);
    }
}
