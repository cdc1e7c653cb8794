#!/usr/bin/env bash
# bench_python.sh [OPTION...]: builds the Python package, installs open_clip, and runs open_clip's zero-shot example with both,
# in turn, on a ViT-B/16 with random weights. OPTIONs are those of zero_shot.py; a machine without PyTorch is not a failure.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/env.sh"
source "$here/step.sh"
source "$here/torch_env.sh"

find_reference torch open_clip PIL || { say "not run: $NO_REFERENCE" && exit 0; }
target=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}
cd "$DERMAKE_ROOT"
cargo build --release --locked -p native-trainer -p dermake-python
module=$target/release/lib_dermake.so
[ -e "$module" ] || module=${module%.so}.dylib

crate=$DERMAKE_ROOT/native-trainer/crates/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$crate/python/dermake" "$work"
ln -s "$module" "$work/dermake/_dermake.abi3.so"
"$target/release/dermake" init --arch ViT-B-16 --out "$work/model"
PYTHONPATH=$work "$reference" "$crate/examples/zero_shot.py" "$DERMAKE_ROOT/shared-model/data/samples" \
  --model "local-dir:$work/model" "$@"
