//! What can go wrong between ranks.

use std::time::Duration;

/// Another rank ended, or does something else than this one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RankError {
    #[error("rank {rank} failed: {message}")]
    Failed { rank: usize, message: String },
    #[error("lost the connection to rank {rank} ({cause}): its process or its machine has ended")]
    Lost { rank: usize, cause: String },
    #[error("rank {rank} has finished, and this rank still expected data from it")]
    Left { rank: usize },
    #[error(
        "the ranks are at different operations: rank {rank} is at number {found}, this one at {expected}; all ranks need \
         the same program, data and command"
    )]
    OtherOperation { rank: usize, found: u32, expected: u32 },
    #[error("the ranks are at different operations: found {found} values from another rank, expected {expected}")]
    OutOfStep { found: usize, expected: usize },
    #[error(
        "{n_bytes} bytes for one rank are more than MPI sends at once ({}); use a smaller batch or more ranks",
        i32::MAX
    )]
    TooLong { n_bytes: usize },
}

/// The ranks did not find each other.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "cannot listen for the other ranks on port {port}; if another run uses it, set MASTER_PORT to another one for all ranks"
    )]
    Listen { port: u16, source: std::io::Error },
    #[error("cannot open a port for the ranks above this one")]
    Own(#[source] std::io::Error),
    #[error(
        "rank 0 was not reached within {} s at {address} ({cause}); it must be started, and MASTER_ADDR and MASTER_PORT \
         must be the same for all ranks", waited.as_secs()
    )]
    NoMaster { address: String, waited: Duration, cause: String },
    #[error("rank 0 at {address} ended while the ranks met ({cause}); its own message says why")]
    MasterEnded { address: String, cause: String },
    #[error(
        "rank {rank} at {address} belongs to another run, with another command or program; all ranks of a run need the \
         same command, and two runs on one machine a MASTER_PORT each"
    )]
    OtherRun { rank: usize, address: String },
    #[error(
        "of {size} ranks, these did not connect within {} s: {missing}; their own messages say why, and MASTER_ADDR and \
         MASTER_PORT must be the same for all ranks", waited.as_secs()
    )]
    Missing { size: usize, missing: String, waited: Duration },
    #[error("two processes have rank {rank}, expected one; each process needs a RANK of its own")]
    Twice { rank: usize },
    #[error("cannot connect to rank {rank} at {address}")]
    Peer { rank: usize, address: String, source: std::io::Error },
    #[error("rank {rank} ended while the ranks met; its own message says why")]
    Ended { rank: usize },
    #[error("cannot start a thread for the connections between ranks")]
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
