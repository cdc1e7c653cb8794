# shellcheck shell=bash
# Builds a program from crates.io into the cache. Source it after env.sh.

# has_version PROGRAM VERSION: succeeds if the program on PATH has this version.
has_version() { [[ "$("$1" --version 2>/dev/null)" == *" $2"* ]]; }

# cargo_install LEVEL HOME CRATE@VERSION [OPTION...]: builds with this optimization level in a temporary folder and renames
# it, so that HOME is complete. An interrupted build continues where it stopped. The profiles of many programs ask for
# link-time optimization, which takes several times as long to build.
cargo_install() {
  local level=$1 home=$2 crate=$3
  shift 3
  local build=$DERMAKE_CACHE/build/${home##*/}
  rm -rf "$home" "$home.partial"
  mkdir -p "${home%/*}" "$build"
  (
    cd "$build"
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=false
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=$level
    cargo install --quiet --root "$home.partial" --target-dir "$build" "$@" "$crate"
  ) || return
  mv "$home.partial" "$home"
  rm -rf "$build"
}
