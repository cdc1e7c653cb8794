//! The file that keeps the features of one model: equal records, of which the oldest are overwritten once the file is full.
//! Pure; `features.rs` reads and writes the file.
//!
//! A record has the SHA-256 of a photo's file, a number that grows with each record, the feature, and a checksum. A record
//! that is damaged, or of another photo than expected, is not used, so whatever happens to the file, a photo is only computed
//! again.

use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// SHA-256 of a photo's file.
pub type PhotoHash = [u8; 32];

const HASH_BYTES: usize = 32;
const NUMBER_BYTES: usize = 8;
const CHECKSUM_BYTES: usize = 8;
const HEAD_BYTES: usize = HASH_BYTES + NUMBER_BYTES;

/// Where the records of a file are.
pub struct Ring {
    record_bytes: usize,
    max_records: u64,
    n_records: u64,
    /// Place of the record of each photo.
    places: HashMap<PhotoHash, u64>,
    /// Number and place of the newest record.
    newest: Option<(u64, u64)>,
}

impl Ring {
    /// Creates the ring of an empty file, for features of `n_values` values.
    pub fn new(n_values: usize, max_bytes: u64) -> Self {
        let record_bytes = HEAD_BYTES + 4 * n_values + CHECKSUM_BYTES;
        let max_records = max_bytes / record_bytes as u64;
        Self { record_bytes, max_records, n_records: 0, places: HashMap::new(), newest: None }
    }

    /// Length of a record.
    pub fn record_bytes(&self) -> usize {
        self.record_bytes
    }

    /// Length of the file, as far as its records are known.
    pub fn n_bytes(&self) -> u64 {
        self.n_records * self.record_bytes as u64
    }

    /// Number of whole records in a file of this length.
    pub fn n_records_in(&self, n_bytes: u64) -> u64 {
        (n_bytes / self.record_bytes as u64).min(self.max_records)
    }

    pub fn n_records(&self) -> u64 {
        self.n_records
    }

    /// Takes note of the records that follow those that are known.
    pub fn add_records(&mut self, bytes: &[u8]) {
        for record in bytes.chunks_exact(self.record_bytes) {
            if let (Some(photo), Some(number)) = (photo_of(record), number_of(record)) {
                self.note(photo, number, self.n_records);
            }
            self.n_records += 1;
        }
    }

    /// Position of the record of a photo.
    pub fn position(&self, photo: &PhotoHash) -> Option<u64> {
        Some(self.places.get(photo)? * self.record_bytes as u64)
    }

    /// Position and number of the next record: behind the last one, or in place of the oldest.
    pub fn next(&self) -> (u64, u64) {
        let number = self.newest.map_or(0, |(number, _)| number.wrapping_add(1));
        let place = match self.newest {
            Some((_, newest)) if self.n_records >= self.max_records => (newest + 1) % self.max_records.max(1),
            _ => self.n_records,
        };
        (place * self.record_bytes as u64, number)
    }

    /// Takes note that [`Self::next`] was written for a photo.
    pub fn note_written(&mut self, photo: PhotoHash) {
        let (position, number) = self.next();
        let place = position / self.record_bytes as u64;
        self.n_records = self.n_records.max(place + 1);
        self.note(photo, number, place);
    }

    fn note(&mut self, photo: PhotoHash, number: u64, place: u64) {
        self.places.insert(photo, place);
        if self.newest.is_none_or(|(newest, _)| number >= newest) {
            self.newest = Some((number, place));
        }
    }
}

/// The bytes of a record.
pub fn record(photo: &PhotoHash, number: u64, feature: &[f32]) -> Vec<u8> {
    let mut bytes = photo.to_vec();
    bytes.extend(number.to_le_bytes());
    bytes.extend(feature.iter().flat_map(|value| value.to_le_bytes()));
    let checksum = checksum(&bytes);
    bytes.extend(checksum);
    bytes
}

/// The feature in a record; `None` if the record is damaged or of another photo.
pub fn feature_of(record: &[u8], photo: &PhotoHash) -> Option<Vec<f32>> {
    let (content, found) = record.split_at_checked(record.len().checked_sub(CHECKSUM_BYTES)?)?;
    if checksum(content) != found || photo_of(content)? != *photo {
        return None;
    }
    let (values, _) = content.get(HEAD_BYTES..)?.as_chunks();
    Some(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
}

fn photo_of(record: &[u8]) -> Option<PhotoHash> {
    record.first_chunk().copied()
}

fn number_of(record: &[u8]) -> Option<u64> {
    record.get(HASH_BYTES..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

fn checksum(content: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::digest(content);
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in memory.
    #[derive(Default)]
    struct Kept(Vec<u8>);

    impl Kept {
        fn write(&mut self, ring: &mut Ring, photo: PhotoHash, feature: &[f32]) {
            let (position, number) = ring.next();
            let bytes = record(&photo, number, feature);
            assert_eq!(bytes.len(), ring.record_bytes());
            let position = position as usize;
            self.0.resize(self.0.len().max(position + bytes.len()), 0);
            self.0[position..position + bytes.len()].copy_from_slice(&bytes);
            ring.note_written(photo);
        }

        fn find(&self, ring: &Ring, photo: PhotoHash) -> Option<Vec<f32>> {
            let position = ring.position(&photo)? as usize;
            feature_of(&self.0[position..position + ring.record_bytes()], &photo)
        }

        fn read(&self, max_bytes: u64) -> Ring {
            let mut ring = Ring::new(2, max_bytes);
            ring.add_records(&self.0);
            ring
        }
    }

    /// Room for three features of two values.
    const THREE: u64 = 3 * 56 + 5;

    fn photo(n: u8) -> PhotoHash {
        [n; 32]
    }

    #[test]
    fn the_oldest_features_go_first_also_after_the_file_is_read_again() {
        let (mut kept, mut ring) = (Kept::default(), Ring::new(2, THREE));
        for n in 0..4 {
            kept.write(&mut ring, photo(n), &[f32::from(n), 1.0]);
        }
        assert_eq!(kept.0.len() as u64, ring.n_bytes());
        assert!(ring.n_bytes() <= THREE && ring.n_records() == 3);
        let found = |kept: &Kept, ring: &Ring| -> Vec<u8> {
            (0..9).filter(|n| kept.find(ring, photo(*n)) == Some(vec![f32::from(*n), 1.0])).collect()
        };
        assert_eq!(found(&kept, &ring), [1, 2, 3]);

        let mut ring = kept.read(THREE);
        assert_eq!(found(&kept, &ring), [1, 2, 3]);
        kept.write(&mut ring, photo(4), &[4.0, 1.0]);
        kept.write(&mut ring, photo(5), &[5.0, 1.0]);
        assert_eq!(found(&kept, &ring), [3, 4, 5]);
    }

    #[test]
    fn a_record_that_is_damaged_cut_off_or_of_another_photo_is_not_used() {
        let (mut kept, mut ring) = (Kept::default(), Ring::new(2, THREE));
        kept.write(&mut ring, photo(1), &[0.5, -0.5]);
        kept.write(&mut ring, photo(2), &[0.25, 1.0]);
        for at in 0..ring.record_bytes() {
            let mut damaged = Kept(kept.0.clone());
            damaged.0[at] ^= 1;
            assert_eq!(damaged.find(&ring, photo(1)), None, "byte {at}");
        }
        assert_eq!(feature_of(&kept.0[..20], &photo(1)), None);
        assert_eq!(feature_of(&[], &photo(1)), None);
        // Another tab has put another photo there.
        let mut other = kept.read(THREE);
        other.places.insert(photo(2), 0);
        assert_eq!(kept.find(&other, photo(2)), None);

        // A write that was interrupted leaves a part, over which the next record is written.
        let mut cut = Kept(kept.0[..70].to_vec());
        let mut ring = cut.read(THREE);
        assert_eq!((ring.n_records(), ring.n_records_in(70), ring.position(&photo(2))), (1, 1, None));
        cut.write(&mut ring, photo(3), &[1.0, 2.0]);
        assert_eq!(cut.find(&ring, photo(3)), Some(vec![1.0, 2.0]));
        assert_eq!(cut.find(&ring, photo(1)), Some(vec![0.5, -0.5]));
    }

    #[test]
    fn records_that_another_tab_appended_are_found() {
        let (mut kept, mut ring) = (Kept::default(), Ring::new(2, THREE));
        kept.write(&mut ring, photo(1), &[0.5, -0.5]);
        let mut other = kept.read(THREE);
        kept.write(&mut other, photo(2), &[0.25, 1.0]);
        assert_eq!(ring.n_records_in(kept.0.len() as u64), 2);
        ring.add_records(&kept.0[ring.n_bytes() as usize..]);
        assert_eq!(kept.find(&ring, photo(2)), Some(vec![0.25, 1.0]));
        assert_eq!(ring.next().1, 2);
    }
}
