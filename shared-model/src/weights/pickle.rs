//! PyTorch's zip checkpoints (`open_clip_pytorch_model.bin`, `epoch_15.pt`), read without running them.
//!
//! The pickle only says which slice of which stored archive member a tensor is; those slices are taken from the
//! file's bytes as they stand.

use super::StoredTensor;
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::pickle::{Object, Stack, TensorInfo};
use safetensors::Dtype;
use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read};
use std::ops::Range;
use std::path::Path;

/// Largest pickle taken seriously; a ViT-L training checkpoint has half a megabyte.
const MAX_PICKLE_BYTES: u64 = 64 << 20;

/// All float tensors of the state dict, by their names as written.
pub fn read(bytes: Bytes) -> Result<Vec<(String, StoredTensor)>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes))
        .map_err(|err| damaged(format!("not a PyTorch zip archive ({err})")))?;
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.map(|name| name.into_owned()))
        .collect::<std::result::Result<_, _>>()
        .map_err(|err| damaged(format!("archive directory ({err})")))?;
    let pickle_name = names
        .iter()
        .find(|name| name.ends_with("/data.pkl") || *name == "data.pkl")
        .ok_or_else(|| damaged("the archive has no data.pkl".into()))?;
    let directory = pickle_name.strip_suffix(".pkl").unwrap_or(pickle_name).to_string();

    let state_dict = state_dict(parse_pickle(&mut archive, pickle_name)?)?;
    let mut members: BTreeMap<String, Range<usize>> = BTreeMap::new();
    let mut tensors = Vec::new();
    for (key, value) in state_dict {
        let Some(info) = tensor_info(key, value, &directory)? else { continue };
        let member = match members.get(&info.path) {
            Some(range) => range.clone(),
            None => {
                let range = stored_range(&mut archive, &info.path, bytes.len())?;
                members.insert(info.path.clone(), range.clone());
                range
            }
        };
        if let Some(stored) = slice(&info, bytes.slice(member))? {
            tensors.push((info.name, stored));
        }
    }
    Ok(tensors)
}

fn damaged(detail: String) -> Error {
    Error::Weights { detail }
}

fn parse_pickle<R: Read + std::io::Seek>(archive: &mut zip::ZipArchive<R>, name: &str) -> Result<Object> {
    let member = archive.by_name(name).map_err(|err| damaged(format!("{name} ({err})")))?;
    if member.size() > MAX_PICKLE_BYTES {
        return Err(damaged(format!("{name} has {} bytes, over {MAX_PICKLE_BYTES}", member.size())));
    }
    let mut reader = BufReader::new(member);
    let mut stack = Stack::empty();
    stack
        .read_loop(&mut reader)
        .and_then(|()| stack.finalize())
        .map_err(|err| damaged(format!("{name} is not a pickle of tensors ({err})")))
}

/// The dict of parameters: under `state_dict` in a training checkpoint, else the whole pickle.
fn state_dict(object: Object) -> Result<Vec<(Object, Object)>> {
    let entries = object.dict().map_err(|_| damaged("the pickle is not a dict of tensors".into()))?;
    let is_state_dict = |key: &Object| matches!(key, Object::Unicode(key) if key == "state_dict");
    match entries.iter().position(|(key, _)| is_state_dict(key)) {
        None => Ok(entries),
        Some(index) => {
            let inner = entries.into_iter().nth(index).map(|(_, value)| value.dict());
            inner.and_then(std::result::Result::ok).ok_or_else(|| damaged("`state_dict` is not a dict".into()))
        }
    }
}

fn tensor_info(key: Object, value: Object, directory: &str) -> Result<Option<TensorInfo>> {
    // Malformed arguments make the reader index past a tuple's end, which must not reach a user as a panic.
    let convert = std::panic::AssertUnwindSafe(|| value.into_tensor_info(key, Path::new(directory)));
    match std::panic::catch_unwind(convert) {
        Ok(Ok(info)) => Ok(info),
        Ok(Err(err)) => Err(damaged(format!("a tensor in the pickle ({err})"))),
        Err(_) => Err(damaged("a tensor in the pickle has malformed arguments".into())),
    }
}

/// Where an uncompressed member's bytes lie in the file.
fn stored_range<R: Read + std::io::Seek>(
    archive: &mut zip::ZipArchive<R>,
    path: &str,
    file_len: usize,
) -> Result<Range<usize>> {
    let member = archive.by_name(path).map_err(|err| damaged(format!("{path} ({err})")))?;
    if member.compression() != zip::CompressionMethod::Stored {
        return Err(damaged(format!("{path} is compressed, which PyTorch never does")));
    }
    let start = member.data_start().map(|start| start as usize);
    let range = start.and_then(|start| Some(start..start.checked_add(member.size() as usize)?));
    range
        .filter(|range| range.end <= file_len)
        .ok_or_else(|| damaged(format!("{path} reaches past the end of the file")))
}

/// The tensor's bytes, made contiguous if they are not; `None` for a type that no parameter has.
fn slice(info: &TensorInfo, storage: Bytes) -> Result<Option<StoredTensor>> {
    let dtype = match info.dtype {
        candle_core::DType::F32 => Dtype::F32,
        candle_core::DType::F16 => Dtype::F16,
        candle_core::DType::BF16 => Dtype::BF16,
        candle_core::DType::F64 => Dtype::F64,
        _ => return Ok(None),
    };
    let shape = info.layout.dims();
    let item_bytes = info.dtype.size_in_bytes();
    let past_the_end = || damaged(format!("tensor {} reaches past its storage", info.name));
    let start = info.layout.start_offset(); // in bytes, as candle's reader fills it
    let n_bytes = shape.iter().try_fold(item_bytes, |product, &dim| product.checked_mul(dim));
    let end = n_bytes.and_then(|n_bytes| start.checked_add(n_bytes)).ok_or_else(past_the_end)?;
    if end > storage.len() {
        return Err(past_the_end());
    }
    let is_contiguous = info.layout.shape().is_contiguous(info.layout.stride());
    let data = if is_contiguous {
        storage.slice(start..end)
    } else {
        gather(shape, info.layout.stride(), start, item_bytes, &storage).ok_or_else(past_the_end)?
    };
    Ok(Some(StoredTensor::new(dtype, shape, data)))
}

/// Row-major copy of a strided view (a transposed parameter); `None` if it leaves its storage.
fn gather(shape: &[usize], stride: &[usize], start: usize, item_bytes: usize, storage: &[u8]) -> Option<Bytes> {
    let n_items: usize = shape.iter().product();
    let mut data = Vec::with_capacity(n_items * item_bytes);
    let mut index = vec![0usize; shape.len()];
    for _ in 0..n_items {
        let offset: usize = index.iter().zip(stride).map(|(i, s)| i * s).sum();
        let at = start + offset * item_bytes;
        data.extend_from_slice(storage.get(at..at + item_bytes)?);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    Some(data.into())
}
