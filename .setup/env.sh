# shellcheck shell=bash
# Where the project keeps and finds its tools. Sourced by the other scripts and by the justfile's recipes.

DERMAKE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DERMAKE_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/dermake
WASM_TARGET=wasm32-unknown-unknown
LINKED_TOOLCHAIN=dermake-wasm # rustup's name for the compiler that rustc_web.sh unpacks
TRUNK_VERSION=0.21.14
# The command-line tool must have the version of the crate that the code is built with.
WASM_BINDGEN_VERSION=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, ""); print $3 }' "$DERMAKE_ROOT/Cargo.lock")

# A folder a version: a finished install is a folder in place, and checkouts that want other versions share the cache.
WASM_BINDGEN_HOME=$DERMAKE_CACHE/tools/wasm-bindgen-cli-$WASM_BINDGEN_VERSION
TRUNK_HOME=$DERMAKE_CACHE/tools/trunk-$TRUNK_VERSION
export PATH=$WASM_BINDGEN_HOME/bin:$TRUNK_HOME/bin:$PATH

# first_found NAME...: the path of the first program there is, or nothing.
first_found() {
  local name
  for name in "$@"; do
    if [ -n "$name" ] && command -v "$name"; then return; fi
  done
}
CHROMIUM=$(first_found "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome)
CHROMEDRIVER=$(first_found "${CHROMEDRIVER:-}" chromedriver /usr/lib/chromium/chromedriver)
FIREFOX=$(first_found "${FIREFOX:-}" firefox-esr firefox)
export CHROMIUM CHROMEDRIVER FIREFOX

# Trunk and npm would otherwise look for newer versions, and Playwright for browsers of its own.
export TRUNK_SKIP_VERSION_CHECK=true TRUNK_TOOLS_WASM_BINDGEN=$WASM_BINDGEN_VERSION
export npm_config_cache=$DERMAKE_CACHE/npm npm_config_update_notifier=false
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

# has_wasm_std SYSROOT
has_wasm_std() { compgen -G "$1/lib/rustlib/$WASM_TARGET/lib/libstd-*.rlib" >/dev/null; }

# has_rust_src SYSROOT: the standard library's sources, of which builds with threads make their own.
has_rust_src() { [ -d "$1/lib/rustlib/src/rust/library" ]; }

# For wasm builds: the compiler in use if it has the target's standard library, else the linked one.
use_wasm_toolchain() {
  if ! has_wasm_std "$(rustc --print sysroot)"; then export RUSTUP_TOOLCHAIN=$LINKED_TOOLCHAIN; fi
}
# For those with threads: the compiler in use if its standard library's sources are there, else the linked one.
use_threads_toolchain() {
  if ! has_rust_src "$(rustc --print sysroot)"; then export RUSTUP_TOOLCHAIN=$LINKED_TOOLCHAIN; fi
}
