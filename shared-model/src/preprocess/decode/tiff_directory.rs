//! The first directory of a TIFF file, read before the file is decoded.
//!
//! The decoder returns the size only after other checks, and it refuses palettes. Both are handled here.

use tiff::tags::{PhotometricInterpretation, Tag};

const DNG_VERSION: u16 = 50_706;

/// The entries that describe the first page.
pub(super) struct Directory<'a> {
    bytes: &'a [u8],
    is_little_endian: bool,
    entries_at: usize,
    n_entries: usize,
}

impl<'a> Directory<'a> {
    const ENTRY_BYTES: usize = 12;

    /// Reads the directory; `None` if the file ends before it.
    pub fn first(bytes: &'a [u8]) -> Option<Self> {
        let mut directory = Self { bytes, is_little_endian: bytes.first()? == &b'I', entries_at: 0, n_entries: 0 };
        let at = directory.u32_at(4)? as usize;
        directory.n_entries = directory.u16_at(at)?.into();
        directory.entries_at = at + 2;
        Some(directory)
    }

    /// Returns the value of an entry with one SHORT or LONG.
    pub fn value(&self, tag: Tag) -> Option<u32> {
        const SHORT: u16 = 3;
        const LONG: u16 = 4;
        let entry = self.entry(tag)?;
        match self.u16_at(entry + 2)? {
            SHORT => self.u16_at(entry + 8).map(u32::from),
            LONG => self.u32_at(entry + 8),
            _ => None,
        }
    }

    /// Returns the bytes of an entry with more than four bytes.
    pub fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        let entry = self.entry(tag)?;
        let (length, from) = (self.u32_at(entry + 4)? as usize, self.u32_at(entry + 8)? as usize);
        self.bytes.get(from..)?.get(..length)
    }

    /// Returns whether this is a camera's raw file, whose first page is a thumbnail.
    pub fn is_raw(&self) -> bool {
        const REDUCED: u32 = 1;
        let is_preview = self.value(Tag::NewSubfileType).is_some_and(|kind| kind & REDUCED != 0);
        self.entry(Tag::Unknown(DNG_VERSION)).is_some() || (is_preview && self.entry(Tag::SubIfd).is_some())
    }

    /// Returns a copy of the file in which palette indices are declared gray values.
    pub fn relabeled_as_gray(&self) -> Option<Vec<u8>> {
        let value_at = self.entry(Tag::PhotometricInterpretation)? + 8;
        let black_is_zero = PhotometricInterpretation::BlackIsZero as u16;
        let field = if self.is_little_endian { black_is_zero.to_le_bytes() } else { black_is_zero.to_be_bytes() };
        let mut relabeled = self.bytes.to_vec();
        relabeled.get_mut(value_at..value_at + 2)?.copy_from_slice(&field);
        Some(relabeled)
    }

    fn entry(&self, tag: Tag) -> Option<usize> {
        let mut entries = (0..self.n_entries).map(|i| self.entries_at + Self::ENTRY_BYTES * i);
        entries.find(|&entry| self.u16_at(entry) == Some(tag.to_u16()))
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        let field = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_little_endian { u16::from_le_bytes(field) } else { u16::from_be_bytes(field) })
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let field = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_little_endian { u32::from_le_bytes(field) } else { u32::from_be_bytes(field) })
    }
}
