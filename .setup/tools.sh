#!/usr/bin/env bash
# Builds wasm-bindgen-cli, with its test runner, and trunk from crates.io into the cache.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/cargo_install.sh"

wasm_bindgen_ready() {
  has_version wasm-bindgen "$WASM_BINDGEN_VERSION" && has_version wasm-bindgen-test-runner "$WASM_BINDGEN_VERSION"
}
install_wasm_bindgen() {
  local crate=wasm-bindgen-cli@$WASM_BINDGEN_VERSION
  say "wasm-bindgen $WASM_BINDGEN_VERSION: building it, about 2 minutes"
  # Retried without the lock file, which may name a version that was yanked since.
  cargo_install 1 "$WASM_BINDGEN_HOME" "$crate" --locked 2>"$DERMAKE_CACHE/wasm-bindgen-locked.log" ||
    cargo_install 1 "$WASM_BINDGEN_HOME" "$crate"
}

trunk_ready() { has_version trunk "$TRUNK_VERSION"; }
install_trunk() {
  say "trunk $TRUNK_VERSION: building it, about 6 minutes"
  # Not optimized: trunk mostly waits for cargo.
  cargo_install 0 "$TRUNK_HOME" "trunk@$TRUNK_VERSION" --locked --ignore-rust-version --no-default-features --features rustls
}

[ -n "$WASM_BINDGEN_VERSION" ] || fail "Cargo.lock names no wasm-bindgen"
once wasm_bindgen_ready install_wasm_bindgen
once trunk_ready install_trunk
