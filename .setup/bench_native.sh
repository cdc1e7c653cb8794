#!/usr/bin/env bash
# bench_native.sh [OPTION...]: builds dermake, installs onnxruntime and PyTorch, and runs the bench of the vision tower on
# this CPU. The bench reports what this machine cannot run; that is not a failure.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/torch_env.sh"
source "$here/vision_inputs.sh"

target=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}

command -v python3 >/dev/null || { say "not run: the whole bench, which needs Python 3" && exit 0; }

cd "$DERMAKE_ROOT"
cargo build --release --locked -p native-trainer
find_reference torch open_clip onnx onnxruntime onnxscript ||
  { say "not run: the whole bench; $NO_REFERENCE" && exit 0; }
make_vision_inputs "$target/release/dermake" "$reference"

arguments=(--out "$DERMAKE_ROOT/target/bench" --ours "$target/release/dermake" --reference "$reference")
arguments+=(--model "$VISION/checkpoint" --int8 "$VISION/ours/int8" --inputs "$VISION/onnx")
exec python3 -B native-trainer/benches/native/bench.py "${arguments[@]}" "$@"
