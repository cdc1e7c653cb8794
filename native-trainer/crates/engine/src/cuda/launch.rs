//! What a launch of a kernel is given: its arguments, and how many blocks and threads run it.

use super::signatures::ROW_THREADS;
use anyhow::{Context, Result};

/// An argument of a kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arg {
    Address(u64),
    Int(i32),
    Long(i64),
    Double(f64),
}

/// No buffer, where a kernel does without one.
pub const NULL: Arg = Arg::Address(0);

/// # Errors
/// When the number is above what one launch can count.
pub fn int(value: usize) -> Result<Arg> {
    Ok(Arg::Int(i32::try_from(value).with_context(|| format!("{value} is too much for one launch of a kernel"))?))
}

pub fn long(value: usize) -> Arg {
    Arg::Long(value as i64)
}

/// Blocks of a launch, and what each has.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    pub(super) grid: (u32, u32),
    pub(super) threads: u32,
    pub(super) shared_bytes: u32,
}

impl Launch {
    /// Blocks of the usual 256 threads.
    ///
    /// # Errors
    /// When a launch cannot have as many blocks.
    pub fn of_blocks(n_blocks: usize) -> Result<Self> {
        Self::of_grid(n_blocks, 1)
    }

    /// The same over two axes.
    ///
    /// # Errors
    /// When a launch cannot have as many blocks.
    pub fn of_grid(x: usize, y: usize) -> Result<Self> {
        let too_many = || format!("a grid of {x} by {y} blocks is too large for a GPU");
        let x = i32::try_from(x).ok().with_context(too_many)? as u32;
        let y = u16::try_from(y).ok().with_context(too_many)?.into();
        Ok(Self { grid: (x, y), threads: ROW_THREADS, shared_bytes: 0 })
    }

    pub fn threads(self, threads: u32) -> Self {
        Self { threads, ..self }
    }

    pub fn shared_bytes(self, shared_bytes: usize) -> Self {
        Self { shared_bytes: shared_bytes as u32, ..self }
    }
}
