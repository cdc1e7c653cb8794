//! One file of a checkpoint: safetensors or PyTorch's archive, detected by its content.

use super::{StoredTensor, pickle};
use crate::foreign::Foreign;
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::Tensor;
use safetensors::SafeTensors;
use std::collections::{BTreeMap, HashMap};

/// The tensors of one file by their names in the file.
#[derive(Debug, Default)]
pub struct FileTensors {
    pub(super) named: Vec<(String, StoredTensor)>,
    pub(super) metadata: HashMap<String, String>,
}

/// Longest header of a safetensors file, in bytes; the format's own limit.
const MAX_HEADER_BYTES: u64 = 100_000_000;

impl FileTensors {
    /// Reads a file of either format, detected by its content.
    ///
    /// # Errors
    /// [`Error::ForeignFile`] for other files, and those of [`Self::from_safetensors`] and [`Self::from_pickle`].
    pub fn read(bytes: Bytes) -> Result<Self> {
        match safetensors_header_bytes(&bytes) {
            Some(_) => Self::from_safetensors(bytes),
            None if bytes.starts_with(b"PK\x03\x04") => Self::from_pickle(bytes),
            None => Foreign::of(&bytes).into_error("a checkpoint"),
        }
    }

    /// Reads a safetensors file, dense or quantized.
    ///
    /// # Errors
    /// [`Error::Safetensors`] when the header does not describe the bytes, [`Error::CutShort`] when some are missing.
    pub fn from_safetensors(bytes: Bytes) -> Result<Self> {
        let found_bytes = bytes.len();
        if let Some(expected_bytes) = announced_bytes(&bytes).filter(|&announced| announced > found_bytes) {
            return Err(Error::CutShort { found_bytes, expected_bytes });
        }
        let (_, header) = SafeTensors::read_metadata(&bytes)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let views = SafeTensors::deserialize(&bytes)?;
        let named = views.iter().map(|(name, view)| {
            let stored = StoredTensor::new(view.dtype(), view.shape(), bytes.slice_ref(view.data()));
            (name.to_string(), stored)
        });
        Ok(Self { named: named.collect(), metadata })
    }

    /// Returns all tensors on the CPU, in the stored float type, by their names in the file.
    ///
    /// # Errors
    /// Those of [`StoredTensor::to_tensor`], for the first tensor that is not of finite floats.
    pub fn to_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        self.named.iter().map(|(name, stored)| Ok((name.clone(), stored.to_tensor(name)?))).collect()
    }

    /// Reads PyTorch's zip format: a state dict, or a training checkpoint with one in its dicts. Executes nothing.
    ///
    /// # Errors
    /// [`Error::Weights`] when the archive or its pickle is not of this form.
    pub fn from_pickle(bytes: Bytes) -> Result<Self> {
        Ok(Self { named: pickle::read(bytes)?, metadata: HashMap::new() })
    }
}

/// Returns whether a checkpoint's file lacks its end, as after an interrupted download; false for files of other kinds.
pub fn is_cut_short(bytes: &[u8]) -> bool {
    const END_OF_ARCHIVE: &[u8; 4] = b"PK\x05\x06";
    /// Longest end of a zip archive: its record and a comment.
    const MAX_END_BYTES: usize = 22 + 65_535;
    if bytes.starts_with(b"PK\x03\x04") {
        let end = &bytes[bytes.len().saturating_sub(MAX_END_BYTES)..];
        return !end.windows(END_OF_ARCHIVE.len()).any(|window| window == END_OF_ARCHIVE);
    }
    bytes.is_empty() || announced_bytes(bytes).is_some_and(|announced| announced > bytes.len())
}

/// Returns the length of a safetensors file's header; `None` for other files.
fn safetensors_header_bytes(bytes: &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = Some(u64::from_le_bytes(*length)).filter(|&length| length <= MAX_HEADER_BYTES)?;
    rest.starts_with(b"{").then_some(length as usize)
}

/// Returns the length that the header of a safetensors file announces, or the end of the header if that is missing.
fn announced_bytes(bytes: &[u8]) -> Option<usize> {
    #[derive(serde::Deserialize)]
    struct Entry {
        #[serde(default)]
        data_offsets: [usize; 2],
    }
    let start = 8 + safetensors_header_bytes(bytes)?;
    let Some(header) = bytes.get(8..start) else { return Some(start) };
    let entries: HashMap<String, Entry> = serde_json::from_slice(header).ok()?;
    let data_bytes = entries.values().map(|entry| entry.data_offsets[1]).max().unwrap_or_default();
    start.checked_add(data_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_end_is_cut_short() {
        let values = Tensor::zeros(4, candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
        let file = safetensors::serialize(HashMap::from([("w", values)]), None).unwrap();
        assert!(!is_cut_short(&file));
        for n_bytes in [0, 9, 20, file.len() - 1] {
            assert!(is_cut_short(&file[..n_bytes]), "{n_bytes}");
        }
        let archive = [&b"PK\x03\x04 files PK\x05\x06"[..], &[0; 18]].concat();
        assert!(!is_cut_short(&archive) && is_cut_short(&archive[..12]));
        assert!(!is_cut_short(b"<html>") && !is_cut_short(b"noise"));
    }
}
