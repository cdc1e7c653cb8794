#!/usr/bin/env bash
# bench_train.sh [OPTION...]: builds dermake, installs PyTorch, and runs the bench of training. The bench reports what this
# machine cannot run; that is not a failure.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/torch_env.sh"

target=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}
arguments=(--out "$DERMAKE_ROOT/target/bench")

command -v python3 >/dev/null || { say "not run: the whole bench, which needs Python 3" && exit 0; }

cd "$DERMAKE_ROOT"
cargo build --release --locked -p dermake-training --example bench_train
arguments+=(--ours "$target/release/examples/bench_train")

add_reference torch safetensors.torch

# ---- CUDA
if ! command -v nvidia-smi >/dev/null; then
  arguments+=(--not-run "CUDA: no CUDA device (nvidia-smi not found)")
elif ! nvidia-smi -L 2>/dev/null | grep -q '^GPU'; then
  arguments+=(--not-run "CUDA: no CUDA device (nvidia-smi lists none)")
elif .setup/build_cuda.sh --bins -p dermake-training --example bench_train >/dev/null; then
  arguments+=(--cuda "$target/cuda/release/examples/bench_train")
else
  arguments+=(--not-run "CUDA: there is a device, but the build with CUDA failed (see above)")
fi

exec python3 -B native-trainer/benches/train/bench.py "${arguments[@]}" "$@"
