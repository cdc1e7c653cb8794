//! Ranks that Open MPI's `mpirun` started, over the machine's MPI library. Those of other launchers use TCP.
//!
//! A crate of its own, so that the program is the only thing that is built again with the feature `mpi`. Without the
//! feature it is empty, and needs no MPI.

#[cfg(feature = "mpi")]
mod world;

#[cfg(feature = "mpi")]
pub use world::Mpi;
