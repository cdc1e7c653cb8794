#!/usr/bin/env bash
# wheel.sh DERMAKE OUT [portable]: builds the Python package with the program in it into OUT, in place of earlier wheels, so
# that pip finds one by `dermake-*.whl`. Prints the path of the wheel.
# `portable`: the module needs no newer C library than OLDEST_GLIBC, as the program of build_portable.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/python_env.sh"
source "$here/glibc.sh"
source "$here/zig.sh"
source "$here/licenses.sh"

dermake=$(realpath "$1") out=$2
find_python || fail "the wheel cannot be built: $missing"
mkdir -p "$out"
out=$(cd "$out" && pwd)
crate=$DERMAKE_ROOT/native-trainer/crates/python

# In a folder of its own, so that two builds at once never share the program.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$crate/python" "$crate/README.md" "$work"
find "$work/python" -name __pycache__ -prune -exec rm -rf {} +
{ cat "$crate/pyproject.toml" && echo "manifest-path = \"$crate/Cargo.toml\""; } >"$work/pyproject.toml"
put_licenses "$work" native-trainer dermake-python "web:$WASM_TARGET"
scripts=$work/dermake.data/scripts
mkdir -p "$scripts" "$work/wheel"
cp "$dermake" "$scripts/dermake"
strip "$scripts/dermake"

# maturin finds what the module needs; the program is only data to it.
platform=()
if [ "$(uname -s)" = Linux ]; then
  glibc=$(glibc_of "$scripts/dermake")
  say "the program needs glibc $glibc"
  if [ "${3:-}" = portable ]; then
    find_zig || fail "the wheel cannot be built: $missing"
    export PATH=$ZIG_HOME/bin:$PATH
    CARGO_TARGET_DIR=$(portable_target wheel)
    export CARGO_TARGET_DIR
    platform=(--zig --target "$PORTABLE_TARGET")
    glibc=$OLDEST_GLIBC
  fi
  platform+=(--compatibility "manylinux_${glibc/./_}")
fi
(cd "$work" && "$PYTHON_HOME/bin/maturin" build --release --locked --out "$work/wheel" "${platform[@]}" >&2)
wheel=$(find "$work/wheel" -name 'dermake-*.whl')
[ -n "$wheel" ] || fail "maturin wrote no wheel"
rm -f "$out"/dermake-*.whl
mv "$wheel" "$out"
echo "$out/$(basename "$wheel")"
