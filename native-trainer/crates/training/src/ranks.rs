//! The ranks of a run: tensors that are gathered and summed over them, and what they decide together.

#[cfg(feature = "nccl")]
use anyhow::bail;
use anyhow::{Error, Result};
use candle_core::{Device, Tensor};
use dermake_collectives::{Alone, Collectives, agreement};
use serde::Serialize;
use serde::de::DeserializeOwned;
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
        agreement::on_first(self.collectives.as_ref(), work)
    }

    /// Returns the results of all ranks, by rank.
    ///
    /// # Errors
    /// Those of [`agreement::together`].
    pub fn together<T: Serialize + DeserializeOwned>(&self, own: Result<T>) -> Result<Vec<T>> {
        agreement::together(self.collectives.as_ref(), own)
    }

    /// Checks that all ranks have the same hashes.
    ///
    /// # Errors
    /// Names a rank that has others, and which.
    pub fn check_same(&self, hashes: &BTreeMap<String, String>) -> Result<()> {
        agreement::check_same(self.collectives.as_ref(), hashes)
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

/// The values of a tensor in f32, on the host.
fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_device(&Device::Cpu)?.to_vec1()?)
}
