//! What can go wrong between ranks.

use std::time::Duration;

/// Another rank ended, or does something else than this one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RankError {
    #[error("rank {rank} failed: {message}")]
    Failed { rank: usize, message: String },
    #[error("lost the connection to rank {rank} ({cause}): its process or its machine has ended")]
    Lost { rank: usize, cause: String },
    #[error("rank {rank} has left the run, which the other ranks continue")]
    Left { rank: usize },
    #[error("the ranks are at different operations: found {found} values from another rank, expected {expected}")]
    OutOfStep { found: usize, expected: usize },
    #[error("{n_bytes} bytes are more than MPI sends at once")]
    TooLong { n_bytes: usize },
}

/// The ranks did not find each other.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "cannot listen for the other ranks on port {port}; if another run uses it, set MASTER_PORT to another one for all ranks"
    )]
    Listen { port: u16, source: std::io::Error },
    #[error("rank 0 did not answer within {} s at {address}: {cause}", waited.as_secs())]
    NoMaster { address: String, waited: Duration, cause: String },
    #[error("these ranks of {size} did not come within {} s: {missing}", waited.as_secs())]
    Missing { size: usize, missing: String, waited: Duration },
    #[error("two processes have rank {rank}, expected one; each process needs a RANK of its own")]
    Twice { rank: usize },
    #[error("cannot connect to rank {rank} at {address}")]
    Peer { rank: usize, address: String, source: std::io::Error },
    #[error("rank {rank} sent something else than the addresses of the ranks")]
    Protocol { rank: usize },
    #[error("a thread of the connections between ranks cannot be started")]
    Thread(#[source] std::io::Error),
}

/// A launcher's variables do not describe a rank.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    #[error("{name} is {value:?}, expected {expected}")]
    Value { name: String, value: String, expected: String },
    #[error("{name} is not set, but {beside} is; a launcher such as torchrun sets both")]
    Missing { name: String, beside: String },
    #[error(
        "MASTER_ADDR is not set, and the ranks are on several machines; set it to the machine of rank 0 for all ranks"
    )]
    NoAddress,
}
