//! Several processes that compute one thing: ranks, and what they send each other.
//!
//! A backend has one operation, [`Collectives::exchange`]. Gathers, sums and broadcasts are written over it once, and sums
//! are taken in the order of the ranks, so that every rank gets the same bytes, with any backend and in every run.
//!
//! [`Tcp`] needs nothing but the addresses that a launcher sets, so that two ranks run wherever the program runs. The
//! crate `dermake-mpi` uses the network of a cluster by its own library. [`Alone`] is the one rank of a process that no
//! launcher started. [`Launch`] reads what launchers set.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

pub mod agreement;
mod alone;
mod error;
mod launch;
#[cfg(feature = "nccl")]
mod nccl;
mod shares;
mod sums;
mod tcp;

pub use alone::Alone;
pub use error::{ConnectError, LaunchError, RankError};
pub use launch::{Launch, Master};
#[cfg(feature = "nccl")]
pub use nccl::{Nccl, NcclError};
pub use shares::{even_share, even_shares, shares_by_weight};
pub use tcp::{Place, Tcp};

use sums::{add, f32s, f64s};

/// f32 values that are summed at a time, so that the memory of a sum does not depend on its length.
const VALUES_AT_ONCE: usize = 1 << 24;

/// Bytes that a rank sends in [`Collectives::all_reduce_f32`] of `n_values` values.
pub fn all_reduce_bytes(n_values: usize, rank: usize, size: usize) -> u64 {
    let of_block = |n_values: usize| {
        let n_own = even_share(n_values, rank, size).len();
        (size_of::<f32>() * (n_values - n_own + n_own * (size - 1))) as u64
    };
    match size {
        1 => 0,
        _ => (n_values / VALUES_AT_ONCE) as u64 * of_block(VALUES_AT_ONCE) + of_block(n_values % VALUES_AT_ONCE),
    }
}

/// The ranks of a run, as one of them sees them.
///
/// Every rank calls the same operations in the same order; an operation returns when its data have come from all ranks.
pub trait Collectives {
    /// This rank, from 0.
    fn rank(&self) -> usize;

    /// Number of ranks.
    fn size(&self) -> usize;

    /// Sends `parts[r]` to rank r; returns what each rank sent to this one, by rank.
    ///
    /// # Errors
    /// When a rank has ended, or is at another operation.
    fn exchange(&self, parts: &[&[u8]]) -> Result<Vec<Vec<u8>>, RankError>;

    /// Tells all ranks that this one failed: what they wait for returns [`RankError::Failed`].
    fn abort(&self, message: &str);

    /// Leaves the others, which go on: from now on their end is no failure. No operation follows.
    fn leave(&self) {}

    /// Bytes of data that this rank has sent to others so far.
    fn sent_bytes(&self) -> u64;

    /// Returns the bytes of every rank, by rank. They may differ in length.
    ///
    /// # Errors
    /// Those of [`Self::exchange`], as of all operations below.
    fn all_gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, RankError> {
        self.exchange(&vec![own; self.size()])
    }

    /// Returns the values of all ranks behind one another. They may differ in number.
    fn all_gather_f32(&self, own: &[f32]) -> Result<Vec<f32>, RankError> {
        let parts = self.all_gather(bytemuck::cast_slice(own))?;
        Ok(parts.iter().flat_map(|part| f32s(part)).collect())
    }

    /// Sums arrays of one length, and returns this rank's piece of the sum: `lengths` has the length of every rank's.
    ///
    /// # Panics
    /// When `lengths` do not add up to the length of `values`.
    fn reduce_scatter_f32(&self, values: &[f32], lengths: &[usize]) -> Result<Vec<f32>, RankError> {
        assert_eq!(lengths.iter().sum::<usize>(), values.len(), "every value belongs to a rank");
        assert_eq!(lengths.len(), self.size(), "one length a rank");
        let mut rest = values;
        let parts: Vec<&[u8]> = lengths
            .iter()
            .map(|&length| {
                let (part, behind) = rest.split_at(length);
                rest = behind;
                bytemuck::cast_slice(part)
            })
            .collect();
        let mut sum = vec![0f32; lengths[self.rank()]];
        for (rank, part) in self.exchange(&parts)?.iter().enumerate() {
            add(&mut sum, part, rank)?;
        }
        Ok(sum)
    }

    /// Sums arrays of one length; every rank gets the same bytes.
    fn all_reduce_f32(&self, values: &mut [f32]) -> Result<(), RankError> {
        for values in values.chunks_mut(VALUES_AT_ONCE) {
            let lengths: Vec<usize> = even_shares(values.len(), self.size()).map(|share| share.len()).collect();
            let own = self.reduce_scatter_f32(values, &lengths)?;
            let all = self.all_gather_f32(&own)?;
            if all.len() != values.len() {
                return Err(RankError::OutOfStep { found: all.len(), expected: values.len() });
            }
            values.copy_from_slice(&all);
        }
        Ok(())
    }

    /// Sums a few numbers; every rank gets the same bytes.
    fn all_reduce_f64(&self, values: &mut [f64]) -> Result<(), RankError> {
        let parts = self.all_gather(bytemuck::cast_slice(values))?;
        values.fill(0.0);
        for part in &parts {
            if part.len() != size_of_val(values) {
                return Err(RankError::OutOfStep { found: part.len() / 8, expected: values.len() });
            }
            values.iter_mut().zip(f64s(part)).for_each(|(sum, value)| *sum += value);
        }
        Ok(())
    }

    /// Returns the bytes of rank `root`.
    fn broadcast(&self, root: usize, own: &[u8]) -> Result<Vec<u8>, RankError> {
        let sent: &[u8] = if self.rank() == root { own } else { &[] };
        Ok(std::mem::take(&mut self.all_gather(sent)?[root]))
    }

    /// Replaces the values by those of rank `root`; all ranks have as many. Each rank sends a piece of them on, so that no
    /// rank sends more than twice the array.
    fn broadcast_f32(&self, root: usize, values: &mut [f32]) -> Result<(), RankError> {
        for values in values.chunks_mut(VALUES_AT_ONCE) {
            let shares = even_shares(values.len(), self.size());
            let of_root = |share: std::ops::Range<usize>| match self.rank() == root {
                true => bytemuck::cast_slice(&values[share]),
                false => &[],
            };
            let parts: Vec<&[u8]> = shares.map(of_root).collect();
            let own = std::mem::take(&mut self.exchange(&parts)?[root]);
            let all = self.all_gather(&own)?.concat();
            if all.len() != size_of_val(values) {
                return Err(RankError::OutOfStep { found: all.len() / 4, expected: values.len() });
            }
            values.iter_mut().zip(f32s(&all)).for_each(|(value, sent)| *value = sent);
        }
        Ok(())
    }

    /// Returns on rank `root` the bytes of every rank, by rank; on the others nothing.
    fn gather(&self, root: usize, own: &[u8]) -> Result<Vec<Vec<u8>>, RankError> {
        let none: &[u8] = &[];
        let mut parts = vec![none; self.size()];
        parts[root] = own;
        self.exchange(&parts)
    }

    /// Returns the bytes that rank `root` has for this one; `parts` are those of every rank, and count on `root` only.
    fn scatter(&self, root: usize, parts: &[Vec<u8>]) -> Result<Vec<u8>, RankError> {
        let none: &[u8] = &[];
        let sent: Vec<&[u8]> = match self.rank() == root {
            true => parts.iter().map(Vec::as_slice).collect(),
            false => vec![none; self.size()],
        };
        Ok(std::mem::take(&mut self.exchange(&sent)?[root]))
    }

    /// Waits for all ranks.
    fn barrier(&self) -> Result<(), RankError> {
        self.all_gather(&[]).map(drop)
    }
}
