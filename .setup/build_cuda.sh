#!/usr/bin/env bash
# Builds dermake with CUDA into target/cuda/release, beside the one without, and says what it needs to run.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/cuda.sh"

# A folder of its own: the flags differ from the other builds', which would all be built anew.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/cuda
program=$CARGO_TARGET_DIR/release/dermake
say "dermake for compute capability $CUDA_COMPUTE_CAP; the first time takes some 15 minutes of one core"
cd "$DERMAKE_ROOT"
cargo build --release --locked -p native-trainer --features cuda "$@"

missing=$(ldd "$program" | awk '/not found/ { print $1 }')
case $missing in
  "") "$program" --version >&2 ;;
  libcuda.so.1) say "it is built, but starts only where NVIDIA's driver is installed, which has libcuda.so.1" ;;
  *) fail "it is built, but the loader does not find ${missing//$'\n'/, }: $program" ;;
esac
echo "$program"
