//! Tables of embeddings in six bits: the codes of a row share a scale.

use super::StoredTensor;
use super::code_bits::CodeBits;
use safetensors::Dtype;

/// The largest code on both sides.
pub(crate) const LARGEST: i8 = 31;

/// Stores codes of six bits `[V, D]` with D in multiples of four as U8 `[V, D / 4, 3]`.
pub(crate) fn store(codes: &[i8], width: usize) -> StoredTensor {
    let bytes: Vec<u8> = CodeBits::Six.join(codes).collect();
    let shape = [codes.len() / width, width / CodeBits::Six.group(), CodeBits::Six.group_bytes()];
    StoredTensor::new(Dtype::U8, &shape, bytes.into())
}

/// Returns whether rows of this width can be stored in six bits.
pub(crate) fn fits(width: usize) -> bool {
    width.is_multiple_of(CodeBits::Six.group())
}

/// Returns the logical shape `[V, D]` of a table that is stored in six bits; `None` for other shapes.
pub(super) fn of_stored(stored: &[usize]) -> Option<[usize; 2]> {
    match *stored {
        [rows, groups, bytes] if bytes == CodeBits::Six.group_bytes() => {
            Some([rows, groups.saturating_mul(CodeBits::Six.group())])
        }
        _ => None,
    }
}
