#!/usr/bin/env bash
# Lists what the project needs: what is installed, and how to install what is missing. Fails if anything is missing.
# shellcheck disable=SC2329 # `report` calls the functions by their names
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"

missing=0
# report NAME REMEDY COMMAND...: prints one line. COMMAND prints the version or path, or fails; then REMEDY is shown.
report() {
  local name=$1 remedy=$2 found
  shift 2
  if found=$("$@" 2>/dev/null) && [ -n "$found" ]; then
    printf '  ok       %-14s %s\n' "$name" "${found%%$'\n'*}"
  else
    printf '  missing  %-14s %s\n' "$name" "$remedy"
    missing=1
  fi
}
# version PROGRAM [WANTED]: prints the program's version and path; fails if the version does not contain WANTED.
version() {
  local said
  said=$("$1" --version </dev/null)
  [[ "$said" == *"${2:-}"* ]] && echo "${said%%$'\n'*} ($(command -v "$1"))"
}
wasm_std() {
  use_wasm_toolchain
  local sysroot
  sysroot=$(rustc --print sysroot)
  has_wasm_std "$sysroot" && echo "$(rustc --version) ($sysroot)"
}
rust_sources() {
  use_threads_toolchain
  local sysroot
  sysroot=$(rustc --print sysroot)
  has_rust_src "$sysroot" && echo "$sysroot/lib/rustlib/src/rust"
}
playwright() {
  cmp -s "$DERMAKE_ROOT/e2e/package-lock.json" "$DERMAKE_ROOT/e2e/node_modules/.installed-lock.json" &&
    "$DERMAKE_ROOT/e2e/node_modules/.bin/playwright" --version
}
node_version() { node_fits && version node; }
pip() { python3 -m pip --version; }
venv() { python3 -c 'import ensurepip, venv; print(venv.__file__)'; }
vulkan() { has_vulkan && { compgen -G "/usr/share/vulkan/icd.d/lvp_icd*.json" || echo "comes with the system"; }; }

report cargo "install Rust with rustup: https://rustup.rs" version cargo
report rustc "install Rust with rustup: https://rustup.rs" version rustc
report "C compiler" "apt-get install gcc" version cc
report "C++ compiler" "apt-get install g++" version "${CXX:-c++}"
report node "install $NODE_WANTED" node_version
report npm "install npm, which comes with Node.js" version npm
report "Python 3" "apt-get install python3" version python3
report pip "just setup, or apt-get install python3-pip" pip
report venv "just test, or apt-get install python3-venv" venv
report wasm32 "just setup" wasm_std
report "Rust's sources" "just setup" rust_sources
report wasm-bindgen "just setup (wants $WASM_BINDGEN_VERSION)" version wasm-bindgen "$WASM_BINDGEN_VERSION"
report "wasm runner" "just setup" version wasm-bindgen-test-runner "$WASM_BINDGEN_VERSION"
report trunk "just setup (wants $TRUNK_VERSION)" version trunk "$TRUNK_VERSION"
report chromium "just setup, or apt-get install chromium" version "${CHROMIUM:-chromium}"
report chromedriver "just setup, or apt-get install chromium-driver" version "${CHROMEDRIVER:-chromedriver}"
report playwright "just setup" playwright
report vulkan "just setup, or apt-get install mesa-vulkan-drivers" vulkan
report mpi "just setup, or apt-get install libopenmpi-dev openmpi-bin libclang-dev" version mpirun
report shellcheck "just setup (wants $SHELLCHECK_VERSION)" version shellcheck "$SHELLCHECK_VERSION"
report cargo-deny "just setup (wants $CARGO_DENY_VERSION)" version cargo-deny "$CARGO_DENY_VERSION"
report cargo-machete "just setup (wants $CARGO_MACHETE_VERSION)" version cargo-machete "$CARGO_MACHETE_VERSION"
exit "$missing"
