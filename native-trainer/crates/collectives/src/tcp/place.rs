//! Where a process stands among the ranks of a run.

/// One process among the ranks of a run.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub rank: usize,
    pub size: usize,
    /// Whether all ranks are on this machine, so that no other may connect.
    pub is_local: bool,
    /// A number that all ranks of a run have, and others do not.
    pub run: u64,
}
