#!/usr/bin/env bash
# bench_serve.sh [OPTION...]: builds dermake, installs the load generator and FastAPI, and runs the bench of the server. The
# bench reports what this machine cannot run; that is not a failure.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/cargo_install.sh"
source "$here/torch_env.sh"

OHA_VERSION=1.16.0
OHA_HOME=$DERMAKE_CACHE/tools/oha-$OHA_VERSION
target=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}

oha_ready() { "$OHA_HOME/bin/oha" --version >/dev/null 2>&1; }
install_oha() {
  say "oha $OHA_VERSION, the load generator: building it, some 3 minutes"
  cargo_install 3 "$OHA_HOME" "oha@$OHA_VERSION" --locked
}

command -v python3 >/dev/null || { say "not run: the whole bench, which needs Python 3" && exit 0; }

cd "$DERMAKE_ROOT"
cargo build --release --locked -p native-trainer
once oha_ready install_oha
arguments=(--out "$DERMAKE_ROOT/target/bench" --ours "$target/release/dermake" --oha "$OHA_HOME/bin/oha")
add_reference torch open_clip fastapi uvicorn onnx onnxruntime onnxscript

exec python3 -B native-trainer/benches/serve/bench.py "${arguments[@]}" "$@"
