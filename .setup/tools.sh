#!/usr/bin/env bash
# Builds wasm-bindgen-cli, with its test runner, and trunk from crates.io into the cache.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/cargo_install.sh"

# has_version PROGRAM VERSION: succeeds if the program on PATH has this version.
has_version() { [[ "$("$1" --version 2>/dev/null)" == *" $2"* ]]; }

wasm_bindgen_ready() {
  has_version wasm-bindgen "$WASM_BINDGEN_VERSION" && has_version wasm-bindgen-test-runner "$WASM_BINDGEN_VERSION"
}
install_wasm_bindgen() {
  local crate=wasm-bindgen-cli@$WASM_BINDGEN_VERSION
  say "wasm-bindgen $WASM_BINDGEN_VERSION: building it, about 3 minutes"
  # Retried without the lock file, which may name a version that was yanked since.
  cargo_install "$WASM_BINDGEN_HOME" "$crate" --locked 2>"$DERMAKE_CACHE/wasm-bindgen-locked.log" ||
    cargo_install "$WASM_BINDGEN_HOME" "$crate"
}

trunk_ready() { has_version trunk "$TRUNK_VERSION"; }
install_trunk() {
  say "trunk $TRUNK_VERSION: building it, about 6 minutes"
  # trunk's own release profile (link-time optimization, one unit) takes 15 minutes; trunk mostly waits for cargo.
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo_install "$TRUNK_HOME" "trunk@$TRUNK_VERSION" --locked --ignore-rust-version --no-default-features --features rustls
}

[ -n "$WASM_BINDGEN_VERSION" ] || fail "Cargo.lock names no wasm-bindgen"
once wasm_bindgen_ready install_wasm_bindgen
once trunk_ready install_trunk
