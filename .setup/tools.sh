#!/usr/bin/env bash
# Builds wasm-bindgen-cli, with its test runner, and trunk from crates.io into the cache, both at the same time: each has
# crates for which all others wait.
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
  # Retried without the lock file, which may name a version that was yanked since.
  cargo_install 0 "$WASM_BINDGEN_HOME" "$crate" --locked 2>"$DERMAKE_CACHE/wasm-bindgen-locked.log" ||
    cargo_install 0 "$WASM_BINDGEN_HOME" "$crate"
}

trunk_ready() { has_version trunk "$TRUNK_VERSION"; }
install_trunk() {
  cargo_install 0 "$TRUNK_HOME" "trunk@$TRUNK_VERSION" --locked --ignore-rust-version --no-default-features --features rustls
}

tools_ready() { wasm_bindgen_ready && trunk_ready; }
install_tools() {
  local tool builds=()
  for tool in wasm_bindgen trunk; do
    if "${tool}_ready"; then continue; fi
    "install_$tool" &
    builds+=($!)
  done
  say "trunk $TRUNK_VERSION and wasm-bindgen $WASM_BINDGEN_VERSION: building what is missing, about 4 minutes"
  local build failed=0
  for build in "${builds[@]}"; do wait "$build" || failed=1; done
  return "$failed"
}

[ -n "$WASM_BINDGEN_VERSION" ] || fail "Cargo.lock names no wasm-bindgen"
once tools_ready install_tools
