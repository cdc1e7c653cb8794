//! Tensors in a pickle: strided views of storages.

use super::globals::Global;
use super::values::{Id, Pickle, Value};
use crate::weights::StoredTensor;
use bytes::Bytes;
use safetensors::Dtype;

/// Most dimensions of a tensor; parameters have at most four.
const MAX_RANK: usize = 8;

/// Longest name of a storage, in bytes; PyTorch's names are numbers.
const MAX_KEY_BYTES: usize = 255;

/// Most calls around a tensor, such as `Parameter` or a special type.
const MAX_WRAPPERS: usize = 4;

/// A tensor of floats as the pickle describes it. It is not yet checked against its storage.
#[derive(Debug, PartialEq)]
pub(super) struct View<'p> {
    dtype: Dtype,
    pub(super) storage_key: &'p str,
    /// Number of values of the storage.
    n_stored: usize,
    /// Offset in values, like the strides.
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl<'p> View<'p> {
    /// Interprets a value. Returns `None` for other values and for tensors of types that no parameter has.
    ///
    /// # Errors
    /// What is wrong with a tensor's description.
    pub(super) fn of(pickle: &'p Pickle<'_>, mut value: Id) -> Result<Option<Self>, String> {
        for _ in 0..MAX_WRAPPERS {
            let &Value::Call { function, arguments } = pickle.get(value) else { return Ok(None) };
            let arguments = pickle.tuple(arguments).ok_or("the call that makes it has no arguments")?;
            match (function, arguments) {
                (Global::Tensor, arguments) => return Self::from_arguments(pickle, arguments),
                (Global::Parameter, [tensor, ..]) => value = *tensor,
                (Global::FromType, [function, _, inner, ..]) => {
                    if *pickle.get(*function) != Value::Global(Global::Tensor) {
                        return Ok(None);
                    }
                    let inner = pickle.tuple(*inner).ok_or("the call that makes it has no arguments")?;
                    return Self::from_arguments(pickle, inner);
                }
                (Global::Parameter | Global::FromType, _) => {
                    return Err(format!("it is made of {} arguments, which are too few", arguments.len()));
                }
                (Global::Dict | Global::Storage(_), _) => return Ok(None),
            }
        }
        Err(format!("it is wrapped more than {MAX_WRAPPERS} times"))
    }

    /// Interprets the arguments `storage, offset, size, stride, …`.
    fn from_arguments(pickle: &'p Pickle<'_>, arguments: &[Id]) -> Result<Option<Self>, String> {
        let &[storage, offset, shape, strides, ..] = arguments else {
            return Err(format!("expected storage, offset, size and stride, found {} arguments", arguments.len()));
        };
        let &Value::Persistent(storage) = pickle.get(storage) else {
            return Err("its storage is no persistent name".into());
        };
        // ("storage", type, key, place, number of values)
        let &[_, storage_type, key, _, n_stored, ..] = pickle.tuple(storage).unwrap_or_default() else {
            return Err("its storage is not named by type, key, place and number of values".into());
        };
        let &Value::Global(Global::Storage(dtype)) = pickle.get(storage_type) else { return Ok(None) };
        let &Value::Text(storage_key) = pickle.get(key) else { return Err("its storage's key is no text".into()) };
        if storage_key.len() > MAX_KEY_BYTES {
            return Err(format!("its storage's key has {} bytes, over {MAX_KEY_BYTES}", storage_key.len()));
        }
        let (shape, strides) = (sizes(pickle, shape, "size")?, sizes(pickle, strides, "stride")?);
        if shape.len() != strides.len() {
            return Err(format!("{} strides for {} dimensions", strides.len(), shape.len()));
        }
        let n_stored = size(pickle, n_stored).ok_or("its storage's number of values is no count")?;
        let offset = size(pickle, offset).ok_or("its offset is no count")?;
        Ok(Some(Self { dtype, storage_key, n_stored, offset, shape, strides }))
    }

    /// Returns whether the values are row-major and contiguous in the storage.
    pub(super) fn is_contiguous(&self) -> bool {
        let mut expected = Some(1usize);
        let dimensions = self.shape.iter().zip(&self.strides).rev();
        self.shape.contains(&0)
            || dimensions.filter(|&(&length, _)| length != 1).all(|(&length, &stride)| {
                let is_next = expected == Some(stride);
                expected = expected.and_then(|expected| expected.checked_mul(length));
                is_next
            })
    }

    /// Returns the length of the values in bytes.
    ///
    /// # Errors
    /// When its storage is shorter than the pickle says, or has fewer values than the tensor.
    pub(super) fn n_bytes_of(&self, storage: &[u8]) -> Result<usize, String> {
        let (found, expected, item_bytes) = (storage.len(), self.n_stored, self.item_bytes());
        if expected.checked_mul(item_bytes).is_none_or(|expected| expected > found) {
            return Err(format!("its storage has {found} bytes, expected {expected} values of {item_bytes}"));
        }
        let n_bytes = self.shape.iter().try_fold(item_bytes, |product, &length| product.checked_mul(length));
        // With a stride of 0, a small storage could have many values.
        let n_bytes = n_bytes.filter(|&n_bytes| n_bytes <= found);
        n_bytes.ok_or_else(|| format!("its {:?} values are more than the {found} bytes of its storage", self.shape))
    }

    /// Returns the tensor: a slice of the storage, or a copy if the values are not contiguous.
    ///
    /// # Errors
    /// As [`Self::n_bytes_of`], and when it reaches past its storage.
    pub(super) fn of_storage(&self, storage: &Bytes) -> Result<StoredTensor, String> {
        let item_bytes = self.item_bytes();
        let n_bytes = self.n_bytes_of(storage)?;
        let past_the_end = || format!("it reaches past the {} bytes of its storage", storage.len());
        let start = self.offset.checked_mul(item_bytes).ok_or_else(past_the_end)?;
        let data = if n_bytes == 0 {
            Bytes::new()
        } else if self.is_contiguous() {
            let end = start.checked_add(n_bytes).filter(|&end| end <= storage.len()).ok_or_else(past_the_end)?;
            storage.slice(start..end)
        } else {
            self.gathered(storage, n_bytes).ok_or_else(past_the_end)?
        };
        Ok(StoredTensor::new(self.dtype, &self.shape, data))
    }

    /// Returns a row-major copy of a strided view that is not empty; `None` if it reaches past its storage.
    fn gathered(&self, storage: &[u8], n_bytes: usize) -> Option<Bytes> {
        let item_bytes = self.item_bytes();
        let reach =
            self.shape.iter().zip(&self.strides).try_fold(0usize, |reach, (&length, &stride)| {
                reach.checked_add((length - 1).checked_mul(stride)?)
            })?;
        // If the last value is in the storage, all others are.
        storage.get(self.offset.checked_add(reach)?.checked_mul(item_bytes)?..)?.get(..item_bytes)?;
        let mut data = Vec::with_capacity(n_bytes);
        let mut index = [0; MAX_RANK];
        let mut offset = self.offset;
        while data.len() < n_bytes {
            data.extend_from_slice(storage.get(offset * item_bytes..(offset + 1) * item_bytes)?);
            for axis in (0..self.shape.len()).rev() {
                index[axis] += 1;
                // Wrapping: the stride of a dimension of one may be any number.
                offset = offset.wrapping_add(self.strides[axis]);
                if index[axis] < self.shape[axis] {
                    break;
                }
                offset = offset.wrapping_sub(self.strides[axis].wrapping_mul(index[axis]));
                index[axis] = 0;
            }
        }
        Some(data.into())
    }

    fn item_bytes(&self) -> usize {
        match self.dtype {
            Dtype::F64 => 8,
            Dtype::F16 | Dtype::BF16 => 2,
            _ => 4,
        }
    }
}

fn size(pickle: &Pickle<'_>, id: Id) -> Option<usize> {
    match pickle.get(id) {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    }
}

fn sizes(pickle: &Pickle<'_>, id: Id, what: &str) -> Result<Vec<usize>, String> {
    let members = pickle.tuple(id).ok_or_else(|| format!("its {what} is no tuple"))?;
    if members.len() > MAX_RANK {
        return Err(format!("{} dimensions, expected at most {MAX_RANK}", members.len()));
    }
    let sizes: Option<Vec<usize>> = members.iter().map(|&member| size(pickle, member)).collect();
    sizes.ok_or_else(|| format!("its {what} is not made of counts"))
}
