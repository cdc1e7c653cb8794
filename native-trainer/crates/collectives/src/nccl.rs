//! NVIDIA's NCCL, found when the program runs: sums of arrays in the memory of GPUs.
//!
//! Its sums are not in the order of the ranks, but all ranks get the same bytes. It has never run on a GPU here.

use super::Collectives;
use super::error::RankError;
use libloading::Library;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;

/// Names of the library; the version of its interface is 2 since 2017.
const FILES: [&str; 2] = ["libnccl.so.2", "libnccl.so"];
const SUCCESS: c_int = 0;
/// `ncclFloat32` and `ncclSum`.
const F32: c_int = 7;
const SUM: c_int = 0;

/// What rank 0 makes and the others are told, to find each other.
#[repr(C)]
#[derive(Clone, Copy)]
struct UniqueId([u8; 128]);

type Communicator = *mut c_void;

/// Why NCCL cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NcclError {
    #[error(
        "NCCL was not found ({}); install it (Debian's libnccl2, or nvidia-nccl of PyPI with its folder in \
         LD_LIBRARY_PATH), or build dermake without the feature nccl", FILES[0]
    )]
    Missing(#[source] libloading::Error),
    #[error("rank {rank} cannot use NCCL; its own message says why")]
    OfRank { rank: usize },
    #[error("NCCL has no function {name}, expected version 2 or later")]
    Function { name: &'static str, source: libloading::Error },
    #[error("NCCL failed at {name}: {message}")]
    Call { name: &'static str, message: String },
    #[error("rank 0 sent {found} bytes, expected the id of NCCL's communicator")]
    Id { found: usize },
    #[error(transparent)]
    Rank(#[from] RankError),
}

/// Ranks that each have a GPU.
pub struct Nccl {
    functions: Functions,
    communicator: Communicator,
}

struct Functions {
    all_reduce:
        unsafe extern "C" fn(*const c_void, *mut c_void, usize, c_int, c_int, Communicator, *mut c_void) -> c_int,
    init: unsafe extern "C" fn(*mut Communicator, c_int, UniqueId, c_int) -> c_int,
    unique_id: unsafe extern "C" fn(*mut UniqueId) -> c_int,
    abort: unsafe extern "C" fn(Communicator) -> c_int,
    error: unsafe extern "C" fn(c_int) -> *const c_char,
    // The functions are in it.
    _library: Library,
}

impl Nccl {
    /// Joins the ranks that `ranks` connects; each uses the CUDA device that is current on its thread.
    ///
    /// # Errors
    /// When the library of any rank is not there, or NCCL fails; the other ranks fail too then.
    pub fn join(ranks: &dyn Collectives) -> Result<Self, NcclError> {
        let loaded = Functions::load();
        // NCCL would wait forever for a rank without it.
        let have_it = ranks.all_gather(&[u8::from(loaded.is_ok())])?;
        let functions = loaded?;
        if let Some(rank) = have_it.iter().position(|has_it| *has_it != [1]) {
            return Err(NcclError::OfRank { rank });
        }
        let mut id = UniqueId([0; 128]);
        if ranks.rank() == 0 {
            // SAFETY: NCCL writes an id to where it is told.
            functions.check("ncclGetUniqueId", unsafe { (functions.unique_id)(&mut id) })?;
        }
        let told = ranks.broadcast(0, &id.0)?;
        id.0 = told.as_slice().try_into().map_err(|_| NcclError::Id { found: told.len() })?;
        let mut communicator = null_mut();
        let (size, rank) = (ranks.size() as c_int, ranks.rank() as c_int);
        // SAFETY: NCCL writes a communicator to where it is told.
        let joined = unsafe { (functions.init)(&mut communicator, size, id, rank) };
        functions.check("ncclCommInitRank", joined)?;
        Ok(Self { functions, communicator })
    }

    /// Sums `n_values` f32 values of each rank in place, in the order of `stream`.
    ///
    /// # Safety
    /// - `values` is the address of `n_values` f32 values in the memory of this rank's GPU.
    /// - `stream` is a stream of that GPU.
    /// - Nothing else reads or writes the values until the stream has finished the sum.
    ///
    /// # Errors
    /// When NCCL refuses the sum.
    pub unsafe fn all_reduce_f32(
        &self,
        values: u64,
        n_values: usize,
        stream: *mut c_void,
    ) -> Result<(), NcclError> {
        let values = values as *mut c_void;
        // SAFETY: the caller guarantees that address, length and stream belong together and that nothing else uses the
        // values; the communicator is there as long as `self`.
        let summed =
            unsafe { (self.functions.all_reduce)(values, values, n_values, F32, SUM, self.communicator, stream) };
        self.functions.check("ncclAllReduce", summed)
    }
}

impl Drop for Nccl {
    fn drop(&mut self) {
        // Not `ncclCommDestroy`, which would wait for ranks that have gone.
        // SAFETY: the communicator is there, and is not used afterwards.
        unsafe { (self.functions.abort)(self.communicator) };
    }
}

impl Functions {
    fn load() -> Result<Self, NcclError> {
        // SAFETY: NVIDIA's library runs nothing when it is loaded but its own set-up.
        let open = |file| unsafe { Library::new(file) };
        let library =
            open(FILES[0]).or_else(|missing| open(FILES[1]).map_err(|_| missing)).map_err(NcclError::Missing)?;
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the types are those of nccl.h.
                *unsafe { library.get($name.as_bytes()) }
                    .map_err(|source| NcclError::Function { name: $name, source })?
            };
        }
        Ok(Self {
            all_reduce: function!("ncclAllReduce"),
            init: function!("ncclCommInitRank"),
            unique_id: function!("ncclGetUniqueId"),
            abort: function!("ncclCommAbort"),
            error: function!("ncclGetErrorString"),
            _library: library,
        })
    }

    fn check(&self, name: &'static str, result: c_int) -> Result<(), NcclError> {
        if result == SUCCESS {
            return Ok(());
        }
        // SAFETY: NCCL returns a text that stays, for any number.
        let message = unsafe { CStr::from_ptr((self.error)(result)) }.to_string_lossy().into_owned();
        Err(NcclError::Call { name, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Alone, Tcp};

    #[test]
    fn a_machine_without_nccl_is_told_what_to_install() {
        match Nccl::join(&Alone) {
            Ok(_) => {} // it is there, with a GPU
            Err(NcclError::Missing(_)) => {
                let error = Nccl::join(&Alone).err().unwrap().to_string();
                assert!(error.contains("libnccl.so.2") && error.contains("install it"), "{error}");
            }
            Err(err) => assert!(matches!(err, NcclError::Call { .. }), "{err}"),
        }
    }
    #[test]
    fn ranks_without_nccl_do_not_wait_for_each_other() {
        if Functions::load().is_ok() {
            return; // two threads of one process are no ranks to NCCL
        }
        let ranks = Tcp::in_threads(2).unwrap();
        let threads = ranks.into_iter().map(|rank| std::thread::spawn(move || Nccl::join(&rank).err()));
        for thread in threads.collect::<Vec<_>>() {
            let error = thread.join().unwrap();
            assert!(matches!(error, Some(NcclError::Missing(_))), "{error:?}");
        }
    }
}
