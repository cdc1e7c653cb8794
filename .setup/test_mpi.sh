#!/usr/bin/env bash
# Tests ranks over MPI on this machine. Builds the program with the feature `mpi`, then puts the one without it back.
set -euo pipefail
source "$(dirname "$0")/env.sh"

cd "$DERMAKE_ROOT"
cargo test --release --locked --workspace --features native-trainer/mpi --test mpi -- over_mpi
cargo test --release --locked --workspace --test cli --no-run # with the features of the tests, so that nothing is built again
