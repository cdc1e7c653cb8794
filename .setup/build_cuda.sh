#!/usr/bin/env bash
# Builds dermake with CUDA into target/cuda/release, and says if it can run on this machine.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/cuda.sh"

# A separate target folder: the flags differ, and in the same folder each build would replace the other's crates.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/cuda
program=$CARGO_TARGET_DIR/release/dermake
say "building dermake for compute capability $CUDA_COMPUTE_CAP; the first time takes 15 minutes of one core"
cd "$DERMAKE_ROOT"
cargo build --release --locked -p native-trainer --features cuda "$@"

missing=$(ldd "$program" | awk '/not found/ { print $1 }')
case $missing in
  "") "$program" --version >&2 ;;
  libcuda.so.1) say "built; to run, it needs NVIDIA's driver (libcuda.so.1), which this machine does not have" ;;
  *) fail "built, but the loader does not find ${missing//$'\n'/, }: $program" ;;
esac
echo "$program"
