#!/usr/bin/env bash
# program.sh DERMAKE OUT: packs the program with its licenses into OUT. Prints the path of the archive.
#
# The program is not static: it opens the drivers of GPUs, Vulkan's loader and MPI when it runs, which a static program
# cannot. It needs the C library that the archive's name has, or a newer one, and nothing else.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/glibc.sh"
source "$here/licenses.sh"

dermake=$(realpath "$1") out=$2
[ "$(uname -s)" = Linux ] || fail "the archive is for Linux; on other systems, copy the program"
for library in $(objdump -p "$dermake" | awk '/NEEDED/ { print $2 }'); do
  case $library in
    libc.so.6 | libm.so.6 | libgcc_s.so.1 | libdl.so.2 | libpthread.so.0 | librt.so.1 | ld-linux-*) ;;
    *) fail "the program needs $library, which not every Linux has; a dependency links it" ;;
  esac
done
name=dermake-$DERMAKE_VERSION-$(uname -m)-linux-glibc$(glibc_of "$dermake")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/$name" "$out"
out=$(cd "$out" && pwd)
cp "$dermake" "$work/$name/dermake"
put_licenses "$work/$name" native-trainer "web:$WASM_TARGET"
strip "$work/$name/dermake"
tar -C "$work" -czf "$work/archive" "$name"
mv "$work/archive" "$out/$name.tar.gz"
echo "$out/$name.tar.gz"
