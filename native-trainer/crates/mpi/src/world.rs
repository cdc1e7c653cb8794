//! The ranks of MPI's world.

use dermake_collectives::{Collectives, RankError};
use mpi::environment::Universe;
use mpi::point_to_point::send_receive_into;
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;
use mpi::{Count, Rank};
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
        let mut found: Vec<Vec<u8>> = received.iter().map(|&n_bytes| vec![0; n_bytes as usize]).collect();
        let own = self.rank();
        found[own].copy_from_slice(parts[own]);
        // In step s each rank sends to the one s behind it. OpenMPI 4.1 fails in one all-to-all with parts of no bytes.
        for step in 1..self.size() {
            let (to, from) = ((own + step) % self.size(), (own + self.size() - step) % self.size());
            let [to_rank, from_rank] = [to, from].map(|rank| self.world.process_at_rank(rank as Rank));
            send_receive_into(parts[to], &to_rank, &mut found[from][..], &from_rank);
        }
        let others = parts.iter().enumerate().filter(|(rank, _)| *rank != self.rank());
        self.sent_bytes.set(self.sent_bytes.get() + others.map(|(_, part)| part.len() as u64).sum::<u64>());
        Ok(found)
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
