#!/usr/bin/env bash
# Tests training over MPI on this machine. Builds the program with the feature `mpi`, then puts the one without it back.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
"$here/mpi.sh"

cd "$DERMAKE_ROOT"
cargo test --release --locked --workspace --features native-trainer/mpi --test mpi -- over_mpi
cargo test --release --locked --workspace --test cli --no-run # with the features of the tests, so that nothing is built again
