//! Reads PyTorch's zip checkpoints (`open_clip_pytorch_model.bin`, `epoch_15.pt`) without executing anything.
//!
//! The pickle describes each tensor as a slice of an archive member: [`machine`] reads the opcodes, [`tensors`]
//! interprets the values. Tensors are slices of the file's bytes. The length of the file bounds all memory that is
//! allocated.

mod dicts;
mod globals;
mod input;
mod machine;
mod opcodes;
mod tensors;
mod values;

use super::StoredTensor;
use crate::Result;
use crate::error::damaged_weights as damaged;
use crate::foreign::Foreign;
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::ops::Range;
use tensors::View;
use values::Pickle;

/// Largest pickle, in bytes. A ViT-L training checkpoint has half a megabyte.
const MAX_PICKLE_BYTES: u64 = 64 << 20;

type Archive<'a> = zip::ZipArchive<Cursor<&'a Bytes>>;

/// Returns all float tensors of the model. Their names are those in its dict, after the keys that lead to the dict.
pub fn read(bytes: Bytes) -> Result<Vec<(String, StoredTensor)>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes))
        .map_err(|err| damaged(format!("not a PyTorch zip archive, or one that is cut short ({err})")))?;
    let pickle_name = pickle_name(&archive)?;
    check_byte_order(&mut archive, &pickle_name)?;
    let content = content(&mut archive, &pickle_name)?;
    let pickle = Pickle::parse(&content)
        .map_err(|detail| damaged(format!("{pickle_name} is not a pickle of tensors: {detail}")))?;
    let directory = pickle_name.strip_suffix(".pkl").unwrap_or(&pickle_name);
    let mut storages = Storages { archive, directory, bytes: &bytes, known: BTreeMap::new() };
    let mut tensors = Vec::new();
    let mut copied_bytes = 0;
    for (name, value) in dicts::model_tensors(&pickle)? {
        let in_tensor = |detail| damaged(format!("tensor {name}: {detail}"));
        let Some(view) = View::of(&pickle, value).map_err(in_tensor)? else { continue };
        let storage = storages.get(view.storage_key).map_err(in_tensor)?;
        let n_bytes = view.n_bytes_of(&storage).map_err(in_tensor)?;
        if !view.is_contiguous() {
            // Each strided view of a storage is a copy.
            copied_bytes += n_bytes;
            if copied_bytes > bytes.len() {
                return Err(in_tensor("with it, more is to be transposed than the file holds".into()));
            }
        }
        let stored = view.of_storage(&storage).map_err(in_tensor)?;
        tensors.push((name, stored));
    }
    Ok(tensors)
}

fn pickle_name(archive: &Archive<'_>) -> Result<String> {
    let member = |name: Result<Cow<'_, str>, _>| match name {
        Ok(name) => Ok(name.into_owned()),
        Err(err) => Err(damaged(format!("archive directory ({err})"))),
    };
    let members: Vec<String> = archive.file_names().map(member).collect::<Result<_>>()?;
    if let Some(foreign) = Foreign::zip(&members) {
        return foreign.into_error("a checkpoint");
    }
    let pickle = members.into_iter().find(|name| name == "data.pkl" || name.ends_with("/data.pkl"));
    pickle.ok_or_else(|| damaged("the archive has no data.pkl".into()))
}

/// Checks the byte order of the machine that wrote the archive, which PyTorch 2.1 and newer name.
fn check_byte_order(archive: &mut Archive<'_>, pickle_name: &str) -> Result<()> {
    let name = format!("{}byteorder", pickle_name.strip_suffix("data.pkl").unwrap_or_default());
    if archive.index_for_name(&name).is_some() && content(archive, &name)? == b"big" {
        let detail = "its values are big-endian, expected little-endian; load it on the machine that wrote it, and save \
                      it as safetensors there";
        return Err(damaged(detail.into()));
    }
    Ok(())
}

/// Returns the bytes of an archive's member. A wrong length in the archive's directory allocates no memory.
fn content(archive: &mut Archive<'_>, name: &str) -> Result<Vec<u8>> {
    let member = archive.by_name(name).map_err(|err| damaged(format!("{name} ({err})")))?;
    if member.compression() != zip::CompressionMethod::Stored {
        return Err(damaged(format!("{name} is compressed, which PyTorch never does")));
    }
    let mut content = Vec::new();
    let n_read = member.take(MAX_PICKLE_BYTES + 1).read_to_end(&mut content);
    n_read.map_err(|err| damaged(format!("{name} ({err})")))?;
    if content.len() as u64 > MAX_PICKLE_BYTES {
        return Err(damaged(format!("{name} is over the limit of {MAX_PICKLE_BYTES} bytes")));
    }
    Ok(content)
}

/// The archive members with the values of tensors.
struct Storages<'a> {
    archive: Archive<'a>,
    /// The folder of the members in the archive.
    directory: &'a str,
    bytes: &'a Bytes,
    known: BTreeMap<String, Range<usize>>,
}

impl Storages<'_> {
    /// Returns the bytes of a storage, a slice of the file.
    fn get(&mut self, key: &str) -> Result<Bytes, String> {
        if let Some(range) = self.known.get(key) {
            return Ok(self.bytes.slice(range.clone()));
        }
        let path = format!("{}/{key}", self.directory);
        let member =
            self.archive.by_name(&path).map_err(|err| format!("its values are not there: {path} ({err})"))?;
        if member.compression() != zip::CompressionMethod::Stored {
            return Err(format!("{path} is compressed, which PyTorch never does"));
        }
        let start = member.data_start().and_then(|start| usize::try_from(start).ok());
        let n_bytes = usize::try_from(member.size()).ok();
        let range = start.and_then(|start| Some(start..start.checked_add(n_bytes?)?));
        let range = range.filter(|range| range.end <= self.bytes.len());
        let range = range.ok_or_else(|| format!("{path} reaches past the end of the file"))?;
        self.known.insert(key.to_owned(), range.clone());
        Ok(self.bytes.slice(range))
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
