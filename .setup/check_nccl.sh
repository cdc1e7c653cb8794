#!/usr/bin/env bash
# Checks what sums gradients by NCCL, without a GPU and without NCCL: compiles and lints the trainer with the feature
# `nccl`, and runs the tests of what a machine without NCCL is told.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/env.sh"
source "$here/step.sh"
source "$here/cuda.sh"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/nccl
libraries=$CUDA_LIB
light_toolkit "$CARGO_TARGET_DIR/toolkit"
for library in "$libraries"/lib*.so*; do ln -sf "$library" "$CARGO_TARGET_DIR/toolkit/lib64/"; done

cd "$DERMAKE_ROOT"
say "compiling the trainer with NCCL"
cargo clippy --release --locked -p dermake-training --features nccl -- -D warnings
cargo test --release --locked -p dermake-collectives --features nccl nccl
