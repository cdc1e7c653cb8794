# shellcheck shell=bash
# A program of crates.io, built into the cache. Sourced, after env.sh.

# cargo_install HOME CRATE@VERSION [OPTION...]: builds beside, then renames; a build cut short goes on where it was.
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
