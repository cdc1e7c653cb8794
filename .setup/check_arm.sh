#!/usr/bin/env bash
# Tests the kernels of 64-bit ARM in qemu-user's emulation, on a machine of another kind. Installs Rust's standard library
# for it with rustup, and qemu with apt.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

ARM_TARGET=aarch64-unknown-linux-musl # its linker comes with Rust

arm_ready() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/$ARM_TARGET" ] && command -v qemu-aarch64-static >/dev/null
}
install_arm() {
  say "Rust for $ARM_TARGET, and qemu: installing them with rustup and apt"
  rustup target add "$ARM_TARGET" </dev/null >"$DERMAKE_CACHE/rustup.log" 2>&1 || fail "rustup could not install $ARM_TARGET"
  apt_install qemu-user-static
}

once arm_ready install_arm
cd "$DERMAKE_ROOT"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER=qemu-aarch64-static
# gemm's kernels of f16 are assembled without optimization only where the target has them.
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-C target-feature=+fp16"
# Emulation is slow: fewer random cases than elsewhere.
PROPTEST_CASES=${PROPTEST_CASES:-16} cargo test --profile quick --locked -p shared-model --lib --target "$ARM_TARGET" kernels
