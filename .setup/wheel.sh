#!/usr/bin/env bash
# wheel.sh DERMAKE OUT: builds the Python package with the program in it into OUT. Prints the path of the wheel.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/python_env.sh"

dermake=$1 out=$2
find_python || fail "the wheel cannot be built: $missing"
mkdir -p "$out"
out=$(cd "$out" && pwd)
crate=$DERMAKE_ROOT/native-trainer/crates/python
scripts=$crate/dermake.data/scripts
trap 'rm -rf "$crate/dermake.data"' EXIT
rm -rf "$crate/dermake.data"
mkdir -p "$scripts"
cp "$dermake" "$scripts/dermake"
strip "$scripts/dermake"

# glibc_of FILE: the newest version of glibc that a program or library needs.
glibc_of() { objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -1; }
# maturin finds what the module needs; the program is only data to it.
platform=()
if [ "$(uname -s)" = Linux ]; then
  glibc=$(glibc_of "$scripts/dermake")
  say "the program needs glibc $glibc"
  platform=(--compatibility "manylinux_${glibc/./_}")
fi
"$PYTHON_HOME/bin/maturin" build --release --locked --manifest-path "$crate/Cargo.toml" --out "$out" "${platform[@]}" >&2
find "$out" -name 'dermake-*.whl' -newer "$scripts/dermake" | head -1
