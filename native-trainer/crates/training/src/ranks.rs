//! The ranks of a run: tensors that are gathered and summed over them, and what they decide together.

use anyhow::{Error, Result, anyhow, bail};
use candle_core::{Device, Tensor};
use dermake_collectives::{Alone, Collectives, RankError};
use dermake_process::interrupt::Interrupted;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// The processes that train one model together. All call the same methods in the same order.
#[derive(Clone)]
pub struct Ranks {
    collectives: Rc<dyn Collectives>,
    n_local: usize,
    #[cfg(feature = "nccl")]
    nccl: Rc<std::cell::OnceCell<dermake_collectives::Nccl>>,
}

/// An error of one rank, for the others.
#[derive(Serialize, Deserialize)]
struct Told {
    message: String,
    is_interrupted: bool,
}

impl Ranks {
    /// The one rank of a run without others.
    pub fn alone() -> Self {
        Self::new(Rc::new(Alone), 1)
    }

    /// `n_local` ranks share this machine's cores and memory.
    pub fn new(collectives: Rc<dyn Collectives>, n_local: usize) -> Self {
        Self {
            collectives,
            n_local: n_local.max(1),
            #[cfg(feature = "nccl")]
            nccl: Rc::default(),
        }
    }

    pub fn rank(&self) -> usize {
        self.collectives.rank()
    }

    pub fn size(&self) -> usize {
        self.collectives.size()
    }

    /// Ranks on this machine.
    pub fn n_local(&self) -> usize {
        self.n_local
    }

    /// Returns whether this rank writes the run's files.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    pub fn is_alone(&self) -> bool {
        self.size() == 1
    }

    /// Bytes of data that this rank has sent so far.
    pub fn sent_bytes(&self) -> u64 {
        self.collectives.sent_bytes()
    }

    /// Tells the other ranks that this one ends.
    pub fn abort(&self, err: &Error) {
        self.collectives.abort(&format!("{err:#}"));
    }

    /// Returns whether the flag of any rank is set.
    ///
    /// # Errors
    /// When another rank failed, as of all methods here.
    pub fn any(&self, flag: bool) -> Result<bool> {
        if self.is_alone() {
            return Ok(flag);
        }
        Ok(self.collectives.all_gather(&[u8::from(flag)])?.concat().contains(&1))
    }

    /// Runs `work` on the first rank; all ranks return what it returned there.
    ///
    /// # Errors
    /// When `work` fails on the first rank.
    pub fn on_first<T: Serialize + DeserializeOwned>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.is_alone() {
            return work();
        }
        if !self.is_first() {
            let told: Result<T, Told> = serde_json::from_slice(&self.collectives.broadcast(0, &[])?)?;
            return told.map_err(|told| RankError::Failed { rank: 0, message: told.message }.into());
        }
        let done = work();
        self.collectives.broadcast(0, &serde_json::to_vec(&done.as_ref().map_err(Told::new))?)?;
        done
    }

    /// Returns the results of all ranks, by rank.
    ///
    /// # Errors
    /// When one of them is an error: its own on the rank that has one, [`Interrupted`] on all if a rank has that.
    pub fn together<T: Serialize + DeserializeOwned>(&self, own: Result<T>) -> Result<Vec<T>> {
        if self.is_alone() {
            return Ok(vec![own?]);
        }
        let told = self.collectives.all_gather(&serde_json::to_vec(&own.as_ref().map_err(Told::new))?)?;
        let told: Vec<Result<T, Told>> =
            told.iter().map(|told| serde_json::from_slice(told)).collect::<Result<_, _>>()?;
        if told.iter().any(|told| told.as_ref().is_err_and(|told| told.is_interrupted)) {
            bail!(Interrupted);
        }
        own?;
        let of_rank = |(rank, told): (usize, Result<T, Told>)| {
            told.map_err(|told| anyhow!("on rank {rank}: {}", told.message))
        };
        told.into_iter().enumerate().map(of_rank).collect()
    }

    /// Checks that all ranks have the same hashes.
    ///
    /// # Errors
    /// Names a rank that has others, and which.
    pub fn check_same(&self, hashes: &BTreeMap<String, String>) -> Result<()> {
        let of_ranks = self.together(Ok(hashes.clone()))?;
        for (rank, of_rank) in of_ranks.iter().enumerate() {
            let differing: Vec<&str> =
                hashes.keys().filter(|&name| of_rank.get(name) != hashes.get(name)).map(String::as_str).collect();
            if !differing.is_empty() {
                bail!(
                    "rank {rank} has another {} than rank {}; all ranks need the same recipe, data and program",
                    differing.join(", another "),
                    self.rank()
                );
            }
        }
        Ok(())
    }

    /// The rows of all ranks behind one another; `parts` are this rank's, `[n, width]` each.
    pub fn gather_rows(&self, parts: &[Tensor], width: usize, device: &Device) -> Result<Tensor> {
        if self.is_alone() {
            return Ok(Tensor::cat(parts, 0)?);
        }
        let own = parts.iter().map(values).collect::<Result<Vec<_>>>()?.concat();
        let all = self.collectives.all_gather_f32(&own)?;
        Ok(Tensor::from_vec(all, ((), width), &Device::Cpu)?.to_device(device)?)
    }

    /// The sum over all ranks of `partial` `[N, width]`, of which each returns its own rows; `shares` has all ranks'.
    pub fn sum_rows(&self, partial: Tensor, shares: &[Range<usize>]) -> Result<Tensor> {
        if self.is_alone() {
            return Ok(partial);
        }
        let width = partial.dim(1)?;
        let lengths: Vec<usize> = shares.iter().map(|share| share.len() * width).collect();
        let own = self.collectives.reduce_scatter_f32(&values(&partial)?, &lengths)?;
        let own = Tensor::from_vec(own, (shares[self.rank()].len(), width), &Device::Cpu)?;
        Ok(if shares[self.rank()].is_empty() { own } else { own.to_device(partial.device())? })
    }

    /// The sum over all ranks of a flat array.
    pub fn sum(&self, flat: Tensor) -> Result<Tensor> {
        if self.is_alone() {
            return Ok(flat);
        }
        #[cfg(feature = "nccl")]
        if flat.device().is_cuda() {
            self.sum_on_gpus(&flat)?;
            return Ok(flat);
        }
        let mut sum = values(&flat)?;
        self.collectives.all_reduce_f32(&mut sum)?;
        Ok(Tensor::from_vec(sum, flat.shape(), &Device::Cpu)?.to_device(flat.device())?)
    }

    /// Sums a flat array on GPUs, in place.
    #[cfg(feature = "nccl")]
    fn sum_on_gpus(&self, flat: &Tensor) -> Result<()> {
        use candle_core::Storage;
        use candle_core::cuda_backend::cudarc::driver::DevicePtr;

        let stream = flat.device().as_cuda_device()?.cuda_stream();
        if self.nccl.get().is_none() {
            stream.context().bind_to_thread()?;
            let joined = dermake_collectives::Nccl::join(self.collectives.as_ref())?;
            self.nccl.get_or_init(|| joined);
        }
        let nccl = self.nccl.get().expect("it was joined just now");
        let (storage, _) = flat.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else { bail!("expected an array on a GPU") };
        let values = storage.as_cuda_slice::<f32>()?;
        let (address, _written) = values.device_ptr(&stream);
        // SAFETY: the array has these values, and everything that uses it is submitted to the same stream.
        unsafe { nccl.all_reduce_f32(address, flat.elem_count(), stream.cu_stream().cast())? };
        Ok(())
    }

    /// Sums a few numbers.
    pub fn sum_numbers(&self, numbers: &mut [f64]) -> Result<()> {
        match self.is_alone() {
            true => Ok(()),
            false => Ok(self.collectives.all_reduce_f64(numbers)?),
        }
    }

    /// The flat array of the first rank.
    pub fn of_first(&self, flat: &Tensor) -> Result<Tensor> {
        let mut values = values(flat)?;
        self.collectives.broadcast_f32(0, &mut values)?;
        Ok(Tensor::from_vec(values, flat.shape(), &Device::Cpu)?.to_device(flat.device())?)
    }
}

impl Told {
    fn new(err: &Error) -> Self {
        Self { message: format!("{err:#}"), is_interrupted: err.is::<Interrupted>() }
    }
}

/// The values of a tensor in f32, on the host.
fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_device(&Device::Cpu)?.to_vec1()?)
}
