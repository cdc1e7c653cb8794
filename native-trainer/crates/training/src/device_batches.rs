//! The loader's batches with their pixels on the model's device. On a GPU, the next batch is copied while the step of
//! the one before runs.

use super::model::TrainedModel;
#[cfg(feature = "cuda")]
use ahead::CopiesAhead;
use anyhow::Result;
use dermake_data::{Batch, Loader};

/// Batches of a run, in order.
pub enum DeviceBatches {
    /// Pixels stay where the loader made them.
    Host(Loader),
    #[cfg(feature = "cuda")]
    Ahead(CopiesAhead),
}

impl DeviceBatches {
    /// `batch_size` is that of every batch of the loader.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(loader: Loader, model: &TrainedModel, batch_size: usize) -> Result<Self> {
        #[cfg(feature = "cuda")]
        if model.device().is_cuda() {
            let side = model.config.preprocess.image_size;
            let shape = [batch_size, 3, side, side];
            return match dermake_engine::cuda::PixelUploads::new(model.device(), shape) {
                Ok(uploads) => Ok(Self::Ahead(CopiesAhead::start(loader, uploads)?)),
                Err(err) => {
                    tracing::warn!("batches are copied to the GPU between steps, which is slower: {err:#}");
                    Ok(Self::Host(loader))
                }
            };
        }
        let _ = (model, batch_size);
        Ok(Self::Host(loader))
    }

    /// The next batch, `None` after the last. The pixels of the batch before must not be used any more.
    ///
    /// # Errors
    /// Those of [`Loader::next_batch`]; when a copy fails.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        match self {
            Self::Host(loader) => loader.next_batch(),
            #[cfg(feature = "cuda")]
            Self::Ahead(copies) => copies.next_batch(),
        }
    }
}

#[cfg(feature = "cuda")]
mod ahead {
    use anyhow::{Context, Result, anyhow};
    use candle_core::{CpuStorage, Storage};
    use dermake_data::{Batch, Loader, Stopper};
    use dermake_engine::cuda::{N_SLOTS, PixelUploads};
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::JoinHandle;
    use std::time::Instant;

    /// A thread that takes batches from the loader and starts their copies.
    pub struct CopiesAhead {
        uploads: Arc<PixelUploads>,
        ready: Option<Receiver<Result<(Batch, usize)>>>,
        free_slots: Option<Sender<usize>>,
        /// The slot of the batch that was given away last.
        in_use: Option<usize>,
        stopper: Stopper,
        thread: Option<JoinHandle<()>>,
    }

    impl CopiesAhead {
        pub fn start(loader: Loader, uploads: PixelUploads) -> Result<Self> {
            let uploads = Arc::new(uploads);
            let (free_sender, free) = channel();
            let (ready_sender, ready) = channel();
            for slot in 0..N_SLOTS {
                free_sender.send(slot)?;
            }
            let (of_thread, stopper) = (Arc::clone(&uploads), loader.stopper());
            let thread = std::thread::Builder::new()
                .name("pixel-copies".into())
                .spawn(move || copy_all(loader, &of_thread, &free, &ready_sender))
                .context("cannot start a thread for copies to the GPU")?;
            let (ready, free_slots) = (Some(ready), Some(free_sender));
            Ok(Self { uploads, ready, free_slots, in_use: None, stopper, thread: Some(thread) })
        }

        pub fn next_batch(&mut self) -> Result<Option<Batch>> {
            let (Some(ready), Some(free_slots)) = (&self.ready, &self.free_slots) else { return Ok(None) };
            if let Some(slot) = self.in_use.take() {
                self.uploads.release(slot)?;
                // The thread has ended if it has copied the last batch.
                let _ = free_slots.send(slot);
            }
            let asked = Instant::now();
            match ready.recv() {
                Ok(Ok((mut batch, slot))) => {
                    batch.waited = asked.elapsed();
                    batch.pixels = self.uploads.pixels(slot)?;
                    self.in_use = Some(slot);
                    Ok(Some(batch))
                }
                Ok(Err(err)) => {
                    self.stop();
                    Err(err)
                }
                Err(_) if self.stop() => {
                    Err(anyhow!("the thread that copies batches to the GPU ended unexpectedly"))
                }
                Err(_) => Ok(None),
            }
        }

        /// Ends the thread, with the loader; returns whether it had panicked.
        fn stop(&mut self) -> bool {
            self.stopper.stop();
            (self.ready, self.free_slots) = (None, None);
            self.thread.take().is_some_and(|thread| thread.join().is_err())
        }
    }

    impl Drop for CopiesAhead {
        fn drop(&mut self) {
            self.stop();
        }
    }

    /// Copies each batch into the next free slot, until the loader ends or nobody takes batches any more.
    fn copy_all(
        mut loader: Loader,
        uploads: &PixelUploads,
        free_slots: &Receiver<usize>,
        ready: &Sender<Result<(Batch, usize)>>,
    ) {
        for slot in free_slots {
            let copied = match loader.next_batch() {
                Ok(None) => return,
                Ok(Some(batch)) => copy(&batch, uploads, slot).map(|()| (batch, slot)),
                Err(err) => Err(err),
            };
            let is_last = copied.is_err();
            if ready.send(copied).is_err() || is_last {
                return;
            }
        }
    }

    fn copy(batch: &Batch, uploads: &PixelUploads, slot: usize) -> Result<()> {
        let (storage, layout) = batch.pixels.storage_and_layout();
        let (Storage::Cpu(CpuStorage::U8(bytes)), Some((start, end))) = (&*storage, layout.contiguous_offsets())
        else {
            anyhow::bail!("expected pixels in u8 on the CPU, got {:?}", batch.pixels.dtype());
        };
        uploads.start(slot, &bytes[start..end])
    }
}
