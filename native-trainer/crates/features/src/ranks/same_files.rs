//! Whether another rank has the files of the first one: a disk there may be stale, and must not be taken for the images.

use crate::reading::{Stamp, stamp};
use crate::vision::Outcome;
use anyhow::{Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Checks that what another rank found in a file is what the first one has at the path. `noted` is the stamp of the first
/// one's file.
///
/// A file that was read there is known by its size, and looked at here only where that differs. One that is no picture
/// there is looked at in any case, since the problem is kept.
///
/// # Errors
/// When the first rank can read a file that the other one cannot, or has another one.
pub fn check_same_file(outcome: &Outcome, path: &Path, noted: Stamp, rank: usize) -> Result<()> {
    let (sha256, n_bytes) = match outcome {
        Outcome::Known { .. } | Outcome::NoMemory(_) => return Ok(()),
        Outcome::Encoded { n_bytes, .. } if *n_bytes == noted.bytes => return Ok(()),
        Outcome::Encoded { sha256, n_bytes } | Outcome::Damaged { sha256, n_bytes, .. } => (sha256, n_bytes),
        Outcome::Unread(problem) => match dermake_pictures::read(path) {
            Err(_) => return Ok(()),
            Ok(_) => bail!(
                "rank {rank} cannot read a file that rank 0 can; all ranks need the images at the same path: {problem}: {}",
                path.display()
            ),
        },
    };
    // A file that all ranks share may have changed since it was noted, or have gone.
    let Ok(own) = stamp(path) else { return Ok(()) };
    let is_same =
        own.bytes == *n_bytes && std::fs::read(path).is_ok_and(|own| Sha256::digest(&own)[..] == sha256[..]);
    ensure!(
        is_same,
        "rank {rank} has another file than rank 0, of {n_bytes} bytes, expected {}; all ranks need the same images at the \
         same path: {}",
        own.bytes,
        path.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "GIF89a whole";

    #[test]
    fn another_file_on_another_rank_is_told_from_a_damaged_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, WHOLE).unwrap();
        let noted = stamp(&path).unwrap();
        let check = |outcome: Outcome| check_same_file(&outcome, &path, noted, 1).map_err(|err| err.to_string());
        let sha256 = |content: &str| -> [u8; 32] { Sha256::digest(content).into() };
        let damaged = |content: &str| Outcome::Damaged {
            sha256: sha256(content),
            n_bytes: content.len() as u64,
            problem: "cut short".into(),
        };
        let encoded = |content: &str| Outcome::Encoded { sha256: sha256(content), n_bytes: content.len() as u64 };
        for same in [damaged(WHOLE), encoded(WHOLE)] {
            assert_eq!(check(same), Ok(()));
        }
        for other in [damaged("GIF89a"), damaged("GIF89a WHOLE"), encoded("GIF89a half")] {
            let said = check(other.clone()).unwrap_err();
            assert!(said.contains("rank 1 has another file than rank 0") && said.contains("expected 12"), "{said}");
        }
        assert!(check(Outcome::Unread("gone".into())).unwrap_err().contains("rank 1 cannot read a file"));
        assert_eq!(check(Outcome::NoMemory("large".into())), Ok(()), "the file may be the same");
        // A file that all ranks share, and that was written to meanwhile.
        std::fs::write(&path, "longer").unwrap();
        assert_eq!(check(encoded("longer")), Ok(()));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(check(Outcome::Unread("gone".into())), Ok(()));
    }
}
