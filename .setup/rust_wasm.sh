#!/usr/bin/env bash
# Installs Rust's standard library for wasm32 and its sources: from rustup, or else Debian's compiler in the cache, which
# has both.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

rust_wasm_ready() {
  has_wasm_std "$(rustc --print sysroot)" || linked_toolchain_ready
}
# Runs the compiler, since an upgrade of the system may have removed the LLVM library that it needs.
linked_toolchain_ready() {
  [ -e "$DERMAKE_CACHE/rustc-web/complete" ] &&
    RUSTUP_TOOLCHAIN=$LINKED_TOOLCHAIN rustc --version >/dev/null 2>&1
}

install_rust_wasm() {
  say "Rust for $WASM_TARGET: installing it with rustup"
  if timeout 300 rustup target add "$WASM_TARGET" </dev/null >"$DERMAKE_CACHE/rustup.log" 2>&1; then return; fi
  say "rustup could not download it; building it from Debian's rustc-web, about 2 minutes"
  "$here/rustc_web.sh"
}

rust_src_ready() { has_rust_src "$(rustc --print sysroot)" || linked_toolchain_ready; }
install_rust_src() {
  say "sources of Rust's standard library: installing them with rustup"
  if timeout 300 rustup component add rust-src </dev/null >"$DERMAKE_CACHE/rustup.log" 2>&1; then return; fi
  say "rustup could not download them; using Debian's rustc-web, about 2 minutes"
  "$here/rustc_web.sh"
}

command -v rustc >/dev/null || fail "please install Rust with rustup (https://rustup.rs), then run this again"
once rust_wasm_ready install_rust_wasm
once rust_src_ready install_rust_src
