#!/usr/bin/env bash
# wasm-bindgen-cli (with its test runner) and trunk, built from crates.io into the cache.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/cargo_install.sh"

# has_version PROGRAM VERSION: found on PATH, whether in the cache or the system's own.
has_version() { [[ "$("$1" --version 2>/dev/null)" == *" $2"* ]]; }

wasm_bindgen_ready() {
  has_version wasm-bindgen "$WASM_BINDGEN_VERSION" && has_version wasm-bindgen-test-runner "$WASM_BINDGEN_VERSION"
}
install_wasm_bindgen() {
  local crate=wasm-bindgen-cli@$WASM_BINDGEN_VERSION
  say "wasm-bindgen $WASM_BINDGEN_VERSION: building it, some 3 minutes"
  # The lock file of a release may name a crate that was withdrawn since.
  cargo_install "$WASM_BINDGEN_HOME" "$crate" --locked 2>"$DERMAKE_CACHE/wasm-bindgen-locked.log" ||
    cargo_install "$WASM_BINDGEN_HOME" "$crate"
}

trunk_ready() { has_version trunk "$TRUNK_VERSION"; }
install_trunk() {
  say "trunk $TRUNK_VERSION: building it, some 6 minutes"
  # Its own release profile (link-time optimisation, one unit) takes a quarter of an hour for a tool that waits on cargo.
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo_install "$TRUNK_HOME" "trunk@$TRUNK_VERSION" --locked --ignore-rust-version --no-default-features --features rustls
}

[ -n "$WASM_BINDGEN_VERSION" ] || fail "Cargo.lock names no wasm-bindgen"
once wasm_bindgen_ready install_wasm_bindgen
once trunk_ready install_trunk
