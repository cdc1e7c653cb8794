#!/usr/bin/env bash
# first_demo.sh JUST...: builds the page and the program for the first time, for `just demo`. To be quick, it builds both at
# once, and only the worker that every browser runs, without threads and relaxed SIMD; and the program does not carry the
# page, which is not ready by then.
set -euo pipefail
here=$(dirname "$0")
source "$here/step.sh"
just=("$@")

set -m # gives each build a process group of its own, to be ended as a whole
DERMAKE_CARRY_PAGE=no "${just[@]}" _program &
program=$!
DERMAKE_WORKERS=plain "${just[@]}" web &
page=$!
trap 'kill -- "-$program" "-$page" 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# A build that fails ends the other.
while running=$(jobs -pr) && [ -n "$running" ]; do
  for build in "$program" "$page"; do
    if ! grep -qx "$build" <<<"$running"; then wait "$build"; fi
  done
  sleep 1
done
wait "$program"
wait "$page"
trap - EXIT
say "this first page computes on one core; the next 'just demo' builds the workers with threads and relaxed SIMD, too"
