//! The ranks that a launcher started this process as one of.

use anyhow::{Context, Result};
use dermake_collectives::{Launch, RankError, Tcp};
use dermake_device::DeviceChoice;
use dermake_process::{host, print};
use dermake_training::Ranks;
use std::rc::Rc;

/// This process among the ranks of a run.
pub struct Launched {
    pub ranks: Ranks,
    /// Its place among the ranks of this machine.
    local_rank: usize,
}

impl Launched {
    /// Connects to the other ranks, if the environment says that there are any. Call it before any thread is started.
    ///
    /// # Errors
    /// When the variables make no sense, or ranks do not come.
    pub fn from_environment() -> Result<Self> {
        let Some(launch) = Launch::from_environment()? else {
            return Ok(Self { ranks: Ranks::alone(), local_rank: 0 });
        };
        let n_local = launch.local_size.unwrap_or(1);
        host::share_cores(n_local);
        #[cfg(feature = "mpi")]
        if launch.is_mpi {
            let mpi = dermake_mpi::Mpi::join().context("MPI cannot be initialized")?;
            return Ok(Self { ranks: Ranks::new(Rc::new(mpi), n_local), local_rank: launch.local_rank });
        }
        let master = launch.master()?;
        let (rank, size) = (launch.rank, launch.size);
        if rank == 0 {
            tracing::info!("waiting for the other {} ranks at {}:{}", size - 1, master.host, master.port);
        }
        let tcp = Tcp::connect(rank, size, master, launch.is_on_one_machine(), end)
            .with_context(|| format!("rank {rank} of {size} cannot reach the other ranks"))?;
        Ok(Self { ranks: Ranks::new(Rc::new(tcp), n_local), local_rank: launch.local_rank })
    }

    /// The GPU of this rank: the ranks of a machine have one each, from the one chosen on.
    pub fn device(&self, chosen: DeviceChoice) -> DeviceChoice {
        match chosen {
            DeviceChoice::Cuda(first) => DeviceChoice::Cuda(first + self.local_rank),
            other => other,
        }
    }
}

/// Ends this process, which is busy, because another rank has ended.
fn end(error: &RankError) {
    print::remark(format_args!("error: {error}"));
    std::process::exit(1);
}
