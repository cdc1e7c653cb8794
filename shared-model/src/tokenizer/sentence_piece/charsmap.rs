//! The replacements of characters that a SentencePiece model carries: a double array of Darts-clone
//! (<https://github.com/s-yata/darts-clone>) and the texts that its values point to.
//!
//! The longest match is replaced, as SentencePiece does. The normalizer of `tokenizers` takes the shortest.

use crate::{Error, Result};

/// Replacements of the beginnings of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CharsMap {
    /// The nodes of the trie; none for a model that replaces nothing.
    units: Vec<u32>,
    /// All replacements, each with a zero byte behind it.
    replacements: Vec<u8>,
}

impl CharsMap {
    /// Reads `precompiled_charsmap`.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] if the sizes in it contradict each other.
    pub(super) fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let broken =
            || Error::Vocabulary { detail: "the character map of the SentencePiece model is damaged".into() };
        let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(broken)?;
        let (trie, replacements) = rest.split_at_checked(u32::from_le_bytes(*size) as usize).ok_or_else(broken)?;
        let (units, odd) = trie.as_chunks::<4>();
        if !odd.is_empty() || replacements.last().is_some_and(|&last| last != 0) {
            return Err(broken());
        }
        let units = units.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
        Ok(Self { units, replacements: replacements.into() })
    }

    /// What the text starts with, after replacement, and how many bytes that takes from the text.
    ///
    /// The text must not be empty.
    pub(super) fn replace_prefix<'a>(&'a self, text: &'a str) -> (&'a str, usize) {
        let matched = self.longest_match(text.as_bytes());
        let replaced = matched.and_then(|(len, value)| {
            // A rule that would end inside a character is no rule for this text.
            text.is_char_boundary(len).then_some(())?;
            let replacement = self.replacements.get(value..)?.split(|&byte| byte == 0).next()?;
            Some((std::str::from_utf8(replacement).ok()?, len))
        });
        replaced.unwrap_or_else(|| {
            let len = text.chars().next().map_or(0, char::len_utf8);
            (&text[..len], len)
        })
    }

    /// Length and value of the longest key that `text` starts with.
    fn longest_match(&self, text: &[u8]) -> Option<(usize, usize)> {
        let mut longest = None;
        let mut node = offset(*self.units.first()?);
        for (index, &byte) in text.iter().enumerate() {
            node ^= usize::from(byte);
            let &unit = self.units.get(node)?;
            if unit & (1 << 31 | 0xff) != u32::from(byte) {
                break;
            }
            node ^= offset(unit);
            if unit & 1 << 8 != 0 {
                let &value = self.units.get(node)?;
                longest = Some((index + 1, (value & !(1 << 31)) as usize));
            }
        }
        longest
    }
}

/// Where the children of a node are, relative to it.
fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & 1 << 9) >> 6)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_map_every_character_stays() {
        let map = CharsMap::new(b"").unwrap();
        assert_eq!(map.replace_prefix("éa"), ("é", 2));
    }

    #[test]
    fn damaged_maps_are_errors_or_replace_nothing() {
        for bytes in [&b"\x04"[..], b"\x08\0\0\0\0\0\0\0", b"\x03\0\0\0\0\0\0", b"\x04\0\0\0\0\0\0\0x"] {
            assert!(CharsMap::new(bytes).is_err(), "{bytes:?}");
        }
        // Units that point nowhere.
        for unit in [0u32, 0xff, 0xffff_ffff, 0x161, 0x8000_0161] {
            let map = [&4u32.to_le_bytes()[..], &unit.to_le_bytes(), b"\0"].concat();
            assert_eq!(CharsMap::new(&map).unwrap().replace_prefix("aé").1, 1);
        }
    }
}
