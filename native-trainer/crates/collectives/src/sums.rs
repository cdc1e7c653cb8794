//! Numbers in bytes that came from another rank.

use super::error::RankError;

pub fn f32s(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.chunks_exact(size_of::<f32>()).map(bytemuck::pod_read_unaligned)
}

pub fn f64s(bytes: &[u8]) -> impl Iterator<Item = f64> {
    bytes.chunks_exact(size_of::<f64>()).map(bytemuck::pod_read_unaligned)
}

/// Adds what rank `rank` sent; the first rank's values are taken as they are.
pub fn add(sum: &mut [f32], sent: &[u8], rank: usize) -> Result<(), RankError> {
    if sent.len() != size_of_val(sum) {
        return Err(RankError::OutOfStep { found: sent.len() / size_of::<f32>(), expected: sum.len() });
    }
    let pairs = sum.iter_mut().zip(f32s(sent));
    match rank {
        // Not added to 0, which would make +0 of a -0.
        0 => pairs.for_each(|(sum, value)| *sum = value),
        _ => pairs.for_each(|(sum, value)| *sum += value),
    }
    Ok(())
}
