#!/usr/bin/env bash
# bench_eval.sh [OPTION...]: builds dermake, installs open_clip and transformers, and runs the bench of evaluation. The
# bench reports what this machine cannot run; that is not a failure.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/torch_env.sh"

target=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}

command -v python3 >/dev/null || { say "not run: the whole bench, which needs Python 3" && exit 0; }

cd "$DERMAKE_ROOT"
cargo build --release --locked -p native-trainer
arguments=(--out "$DERMAKE_ROOT/target/bench" --ours "$target/release/dermake")
add_reference torch open_clip transformers sentencepiece

exec python3 -B native-trainer/benches/eval/bench.py "${arguments[@]}" "$@"
