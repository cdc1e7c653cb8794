# shellcheck shell=bash
# Builds the program so that it needs no newer C library than most Linux systems have: with Zig's C compiler and linker,
# and cargo-zigbuild, both from PyPI. Source it after env.sh and step.sh.

source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

ZIG_VERSION=0.15.2
ZIGBUILD_VERSION=0.24.1
ZIG_HOME=$DERMAKE_CACHE/tools/zig-$ZIG_VERSION-$ZIGBUILD_VERSION
# Of CentOS 7 and Debian 8; Rust's standard library needs it, too.
OLDEST_GLIBC=2.17
PORTABLE_TARGET=x86_64-unknown-linux-gnu

zig_ready() { "$ZIG_HOME/bin/python" -m ziglang version && "$ZIG_HOME/bin/cargo-zigbuild" --version; } >/dev/null 2>&1
install_zig() {
  say "Zig $ZIG_VERSION and cargo-zigbuild $ZIGBUILD_VERSION: installing them from PyPI"
  make_venv "$ZIG_HOME" "ziglang==$ZIG_VERSION" "cargo-zigbuild==$ZIGBUILD_VERSION"
}

# find_zig: fails, with the reason in `missing`, if Zig cannot be had here.
find_zig() {
  # shellcheck disable=SC2034 # the script that sources this reads `missing`
  if [ "$(uname -sm)" != "Linux x86_64" ]; then missing="it is for Linux on x86-64" && return 1; fi
  find_venv 9 zig_ready install_zig "Zig and cargo-zigbuild"
}

# portable_target NAME: prints a target folder of its own. cargo-zigbuild and maturin come with different linkers of Zig, and
# cargo builds everything anew if the linker is another.
portable_target() { echo "${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/portable-$1"; }

# build_portable: builds the program for OLDEST_GLIBC, with the page that trunk has built. Prints its path.
build_portable() {
  local target
  target=$(portable_target program)
  say "building the program for glibc $OLDEST_GLIBC; the first time takes as long as the first build"
  (
    cd "$DERMAKE_ROOT"
    PATH=$ZIG_HOME/bin:$PATH cargo zigbuild --release --locked -p native-trainer --bin dermake \
      --target "$PORTABLE_TARGET.$OLDEST_GLIBC" --target-dir "$target" >&2
  ) || return
  echo "$target/$PORTABLE_TARGET/release/dermake"
}
