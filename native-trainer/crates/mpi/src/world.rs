//! The ranks of MPI's world.

use dermake_collectives::{Collectives, RankError};
use mpi::Count;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;
use std::cell::Cell;
use std::io::Write;

/// Ranks over MPI. MPI ends with it.
pub struct Mpi {
    world: SimpleCommunicator,
    sent_bytes: Cell<u64>,
    // Dropped last: it finalizes MPI.
    _universe: Universe,
}

impl Mpi {
    /// Joins the ranks of this process's launcher; `None` where MPI was initialized before.
    pub fn join() -> Option<Self> {
        let (universe, _) = mpi::initialize_with_threading(mpi::Threading::Funneled)?;
        Some(Self { world: universe.world(), sent_bytes: Cell::new(0), _universe: universe })
    }

    fn too_long(n_bytes: usize) -> RankError {
        RankError::TooLong { n_bytes }
    }
}

impl Collectives for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn exchange(&self, parts: &[&[u8]]) -> Result<Vec<Vec<u8>>, RankError> {
        assert_eq!(parts.len(), self.size(), "one part a rank");
        let count = |n_bytes: usize| Count::try_from(n_bytes).map_err(|_| Self::too_long(n_bytes));
        let sent: Vec<Count> = parts.iter().map(|part| count(part.len())).collect::<Result<_, _>>()?;
        let mut received: Vec<Count> = vec![0; parts.len()];
        self.world.all_to_all_into(&sent[..], &mut received[..]);
        let places = |counts: &[Count]| -> Result<(Vec<Count>, usize), RankError> {
            let (mut starts, mut end) = (Vec::new(), 0usize);
            for &n_bytes in counts {
                starts.push(count(end)?);
                end += n_bytes as usize;
            }
            count(end)?;
            Ok((starts, end))
        };
        let ((sent_starts, _), (starts, n_received)) = (places(&sent)?, places(&received)?);
        let (sending, mut bytes) = (parts.concat(), vec![0u8; n_received]);
        let sending = Partition::new(&sending[..], &sent[..], &sent_starts[..]);
        self.world
            .all_to_all_varcount_into(&sending, &mut PartitionMut::new(&mut bytes[..], &received[..], &starts[..]));
        let others = parts.iter().enumerate().filter(|(rank, _)| *rank != self.rank());
        self.sent_bytes.set(self.sent_bytes.get() + others.map(|(_, part)| part.len() as u64).sum::<u64>());
        let part = |(&start, &n_bytes): (&Count, &Count)| bytes[start as usize..][..n_bytes as usize].to_vec();
        Ok(starts.iter().zip(&received).map(part).collect())
    }

    /// Ends all ranks, since MPI has no message for ranks that wait in an operation.
    fn abort(&self, message: &str) {
        // Where stderr is gone there is no place left to say so.
        let _ = writeln!(std::io::stderr(), "error: {message}");
        self.world.abort(1)
    }

    fn sent_bytes(&self) -> u64 {
        self.sent_bytes.get()
    }
}
