#!/usr/bin/env bash
# bench_train.sh [OPTION...]: builds and fetches what the bench of training compares, then runs it. What this machine
# lacks is handed on as a reason, and is no failure. DERMAKE_BENCH_PYTHON names a Python that has torch already.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

target=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}
venv=$DERMAKE_CACHE/bench-train
arguments=(--out "$DERMAKE_ROOT/target/bench")

command -v python3 >/dev/null || { say "not run: the whole bench, which needs Python 3" && exit 0; }

cd "$DERMAKE_ROOT"
cargo build --release --locked -p native-trainer --example bench_train
arguments+=(--ours "$target/release/examples/bench_train")

# ---- the reference's side
has_torch() { "$1" -c 'import torch, safetensors.torch' >/dev/null 2>&1; }
venv_ready() { has_torch "$venv/bin/python"; }
install_venv() {
  say "PyTorch for the reference's side: fetching it from PyPI, some 5 GB on disk"
  rm -rf "$venv"
  python3 -m venv "$venv" &&
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check torch safetensors numpy >&2
}
if [ -n "${DERMAKE_BENCH_PYTHON:-}" ]; then
  has_torch "$DERMAKE_BENCH_PYTHON" || fail "this Python has no torch and safetensors: $DERMAKE_BENCH_PYTHON"
  arguments+=(--reference "$DERMAKE_BENCH_PYTHON")
elif (once venv_ready install_venv); then
  arguments+=(--reference "$venv/bin/python")
else
  arguments+=(--not-run "the reference's side: PyTorch could not be installed into $venv")
fi

# ---- CUDA
if ! command -v nvidia-smi >/dev/null; then
  arguments+=(--not-run "CUDA: no CUDA device (nvidia-smi not found)")
elif ! nvidia-smi -L 2>/dev/null | grep -q '^GPU'; then
  arguments+=(--not-run "CUDA: no CUDA device (nvidia-smi lists none)")
elif .setup/build_cuda.sh --bins --example bench_train >/dev/null; then
  arguments+=(--cuda "$target/cuda/release/examples/bench_train")
else
  arguments+=(--not-run "CUDA: there is a device, but the build with CUDA failed (see above)")
fi

exec python3 -B native-trainer/benches/train/bench.py "${arguments[@]}" "$@"
