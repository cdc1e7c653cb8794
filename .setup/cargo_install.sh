# shellcheck shell=bash
# Builds a program from crates.io into the cache. Source it after env.sh.

# cargo_install HOME CRATE@VERSION [OPTION...]: builds in a temporary folder and renames it, so that HOME is complete. An
# interrupted build continues where it stopped.
cargo_install() {
  local home=$1 crate=$2
  shift 2
  local build=$DERMAKE_CACHE/build/${home##*/}
  rm -rf "$home" "$home.partial"
  mkdir -p "${home%/*}" "$build"
  (cd "$build" && cargo install --quiet --root "$home.partial" --target-dir "$build" "$@" "$crate") || return
  mv "$home.partial" "$home"
  rm -rf "$build"
}
