#!/usr/bin/env bash
# Builds the stand-in for the model hub, which tests in Python need, and prints its path. With the features of the whole
# workspace, so that what the tests in Rust have built is not built again.
set -euo pipefail
source "$(dirname "$0")/env.sh"

cd "$DERMAKE_ROOT"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}
cargo build --quiet --release --locked --workspace --example standin_hub >&2
echo "$CARGO_TARGET_DIR/release/examples/standin_hub"
