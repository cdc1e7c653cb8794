//! Where a result folder goes: a new name, or an empty folder whose place it takes.

use anyhow::{Context, Result, bail};
use std::path::Path;

/// # Errors
/// When something else than an empty folder is there.
pub(crate) fn refuse_occupied(destination: &Path) -> Result<()> {
    let is_occupied = match std::fs::read_dir(destination) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => destination.symlink_metadata().is_ok(),
    };
    if is_occupied && !destination.is_dir() {
        bail!("there is a file or link of this name, expected a new folder: {}", destination.display());
    }
    if is_occupied {
        bail!("the output folder exists already and is not empty: {}", destination.display());
    }
    Ok(())
}

/// Puts the new folder `empty` into the place of an empty one, as the result will be: a failure is known before the work.
///
/// # Errors
/// When the place cannot be taken, as that of a mounted disk or a container's volume.
pub(crate) fn take_place(empty: &Path, destination: &Path) -> Result<()> {
    let permissions = std::fs::metadata(destination).map(|found| found.permissions());
    let taken = permissions.and_then(|permissions| std::fs::set_permissions(empty, permissions));
    taken.and_then(|()| std::fs::rename(empty, destination)).with_context(|| {
        format!(
            "no result can take the place of this folder; name a new folder inside it: {}",
            destination.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[cfg(unix)]
    #[test]
    fn a_link_to_an_empty_folder_leads_to_the_result() {
        let root = tempfile::tempdir().unwrap();
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        let folder = crate::output::OutputFolder::create(&link).unwrap();
        folder.write("a", b"1").unwrap();
        folder.finish().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(real.join("a")).unwrap(), b"1");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_place_that_cannot_be_taken_is_told_with_a_way_on() {
        let root = tempfile::tempdir().unwrap();
        let (empty, place) = (root.path().join("empty"), root.path().join("place"));
        fs::create_dir(&empty).unwrap();
        fs::create_dir(&place).unwrap();
        take_place(&empty, &place).unwrap();
        assert!(place.is_dir() && !empty.exists());
        // As a mounted folder, one with a file cannot be replaced.
        fs::write(place.join("file"), "1").unwrap();
        fs::create_dir(&empty).unwrap();
        let error = take_place(&empty, &place).unwrap_err().to_string();
        assert!(error.contains("name a new folder inside it"), "{error}");
        assert_eq!(fs::read(place.join("file")).unwrap(), b"1");
    }
}
