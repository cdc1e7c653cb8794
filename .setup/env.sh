# shellcheck shell=bash
# Paths and versions of the project's tools. The other scripts and the justfile's recipes source it.

DERMAKE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DERMAKE_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/dermake
WASM_TARGET=wasm32-unknown-unknown
LINKED_TOOLCHAIN=dermake-wasm # rustup's name for the compiler that rustc_web.sh unpacks
TRUNK_VERSION=0.21.14
# The wasm-bindgen program must have the same version as the crate.
WASM_BINDGEN_VERSION=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, ""); print $3 }' "$DERMAKE_ROOT/Cargo.lock")

# One folder per version, so that checkouts with different versions share the cache. The folder exists only if the install
# is complete.
WASM_BINDGEN_HOME=$DERMAKE_CACHE/tools/wasm-bindgen-cli-$WASM_BINDGEN_VERSION
TRUNK_HOME=$DERMAKE_CACHE/tools/trunk-$TRUNK_VERSION
SHELLCHECK_VERSION=0.11.0
SHELLCHECK_HOME=$DERMAKE_CACHE/tools/shellcheck-$SHELLCHECK_VERSION
CARGO_DENY_VERSION=0.20.2
CARGO_DENY_HOME=$DERMAKE_CACHE/tools/cargo-deny-$CARGO_DENY_VERSION
CARGO_MACHETE_VERSION=0.9.2
CARGO_MACHETE_HOME=$DERMAKE_CACHE/tools/cargo-machete-$CARGO_MACHETE_VERSION
export PATH=$WASM_BINDGEN_HOME/bin:$TRUNK_HOME/bin:$SHELLCHECK_HOME/bin:$CARGO_DENY_HOME/bin:$CARGO_MACHETE_HOME/bin:$PATH

# first_found NAME...: prints the path of the first program that exists, or nothing.
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

# Without these, Trunk and npm look for newer versions, and Playwright downloads browsers.
export TRUNK_SKIP_VERSION_CHECK=true TRUNK_TOOLS_WASM_BINDGEN=$WASM_BINDGEN_VERSION
export npm_config_cache=$DERMAKE_CACHE/npm npm_config_update_notifier=false
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

# has_wasm_std SYSROOT: succeeds if the compiler has the standard library for wasm32.
has_wasm_std() { compgen -G "$1/lib/rustlib/$WASM_TARGET/lib/libstd-*.rlib" >/dev/null; }

# has_rust_src SYSROOT: succeeds if the compiler has the standard library's sources, which builds with threads compile.
has_rust_src() { [ -d "$1/lib/rustlib/src/rust/library" ]; }

# For wasm builds: uses the current compiler if it has the standard library for wasm32, else the linked one.
use_wasm_toolchain() {
  if ! has_wasm_std "$(rustc --print sysroot)"; then export RUSTUP_TOOLCHAIN=$LINKED_TOOLCHAIN; fi
}
# For wasm builds with threads: uses the current compiler if it has the sources, else the linked one.
use_threads_toolchain() {
  if ! has_rust_src "$(rustc --print sysroot)"; then export RUSTUP_TOOLCHAIN=$LINKED_TOOLCHAIN; fi
}

# The version of everything that is released.
# shellcheck disable=SC2034 # for the scripts that source this
DERMAKE_VERSION=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$DERMAKE_ROOT/Cargo.toml")

# node_fits: succeeds if Node.js runs the tests' tools; Vite decides.
# shellcheck disable=SC2034
NODE_WANTED="Node.js 20.19, 22.12 or newer"
node_fits() {
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

# has_vulkan: succeeds if the system has Vulkan's loader and lavapipe, the driver that runs on the CPU. Other systems than
# Linux come with Metal or DirectX.
has_vulkan() {
  if [ "$(uname -s)" != Linux ]; then return; fi
  local loader driver
  loader=$(compgen -G "/usr/lib*/libvulkan.so.1" || compgen -G "/usr/lib/*/libvulkan.so.1")
  driver=$(compgen -G "/usr/share/vulkan/icd.d/lvp_icd*.json")
  [ -n "$loader" ] && [ -n "$driver" ]
}
