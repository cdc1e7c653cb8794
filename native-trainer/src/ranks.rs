//! The ranks that a launcher started this process as one of.

use anyhow::{Context, Result, bail};
use dermake_collectives::{Alone, Collectives, Launch, Place, RankError, Tcp};
use dermake_device::DeviceChoice;
use dermake_features::{RankGroup, follow};
use dermake_files::hash;
use dermake_models::options::ModelOptions;
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::{host, print};
use dermake_training::Ranks;
use shared_model::preprocess::Reading;
use std::process::ExitCode;
use std::rc::Rc;

/// Refuses to be one of several processes, which would each do the whole work of `command`.
///
/// # Errors
/// When a launcher started this process as one of several.
pub fn refuse_several(command: &str) -> Result<()> {
    if let Some(launch) = Launch::from_environment()? {
        bail!("{command} is one process, and this is one of {}; start it without the launcher", launch.size);
    }
    Ok(())
}

/// This process among the ranks of a run.
pub struct Launched {
    collectives: Rc<dyn Collectives>,
    /// Ranks on this machine.
    n_local: usize,
    /// Its place among them.
    local_rank: usize,
}

impl Launched {
    /// Connects to the other ranks, if the environment says that there are any. Call it before any thread is started.
    ///
    /// # Errors
    /// When the variables make no sense, or ranks do not come.
    pub fn from_environment() -> Result<Self> {
        let Some(launch) = Launch::from_environment()? else {
            return Ok(Self { collectives: Rc::new(Alone), n_local: 1, local_rank: 0 });
        };
        let n_local = launch.local_size.unwrap_or(1);
        host::share_cores(n_local);
        let collectives = connect(&launch)?;
        Ok(Self { collectives, n_local, local_rank: launch.local_rank })
    }

    /// The ranks that train one model.
    pub fn ranks(&self) -> Ranks {
        Ranks::new(self.collectives.clone(), self.n_local)
    }

    /// The GPU of this rank: the ranks of a machine have one each, from the one chosen on.
    pub fn device(&self, chosen: DeviceChoice) -> DeviceChoice {
        match chosen {
            DeviceChoice::Cuda(first) => DeviceChoice::Cuda(first + self.local_rank),
            other => other,
        }
    }

    /// Runs `lead` on the first rank, which gets the features that all ranks compute with `models`; the others return
    /// when it ends.
    ///
    /// # Errors
    /// Those of `lead`, on the first rank; [`RankError`] when another rank ended.
    pub fn compute_features(
        &self,
        models: &[ModelOptions],
        reading: Reading,
        lead: impl FnOnce(RankGroup) -> Result<ExitCode>,
    ) -> Result<ExitCode> {
        if self.collectives.rank() > 0 {
            let finished = follow(self.collectives.as_ref(), models, reading)?;
            return if finished.is_interrupted { Err(Interrupted.into()) } else { Ok(ExitCode::SUCCESS) };
        }
        let ranks = RankGroup::new(self.collectives.clone());
        let led = lead(ranks.clone());
        match &led {
            Ok(_) => ranks.finish(false)?,
            Err(err) if err.is::<Interrupted>() => ranks.finish(true)?,
            Err(err) => ranks.abort(err),
        }
        led
    }
}

fn connect(launch: &Launch) -> Result<Rc<dyn Collectives>> {
    #[cfg(feature = "mpi")]
    if launch.is_mpi {
        return Ok(Rc::new(dermake_mpi::Mpi::join().context("MPI cannot be initialized")?));
    }
    let (rank, size, master) = (launch.rank, launch.size, launch.master()?);
    if rank == 0 {
        tracing::info!("waiting for the other {} ranks at {}:{}", size - 1, master.host, master.port);
    }
    let place = Place { rank, size, is_local: launch.is_on_one_machine(), run: run(launch) };
    let tcp = Tcp::connect(&place, master, end)
        .with_context(|| format!("rank {rank} of {size} cannot reach the other ranks"))?;
    Ok(Rc::new(tcp))
}

/// A number that the ranks of one run have in common: they have the same program, command and launcher's run.
fn run(launch: &Launch) -> u64 {
    let mut what = vec![env!("CARGO_PKG_VERSION").into(), launch.job.clone().unwrap_or_default()];
    what.extend(std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()));
    let digest = hash::digest(what.join("\0").as_bytes());
    digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Ends this process, which is busy, because another rank has ended.
fn end(error: &RankError) {
    print::remark(format_args!("error: {error}"));
    interrupt::end_at_once(1);
}
