#!/usr/bin/env bash
# first_demo.sh PROFILE JUST...: builds the page and the program for `just demo`, as long as `just build` has not built the
# page whole. To be quick, it builds both at once, and only the worker that every browser runs, without threads and relaxed
# SIMD; and the program does not carry the page, which is not ready by then. PROFILE is `quick` if the program needs only to
# serve files, else `release`.
set -euo pipefail
here=$(dirname "$0")
source "$here/step.sh"
profile=$1
just=("${@:2}")
case $profile in
  quick) recipe=_quick-program ;;
  release) recipe=_program ;;
  *) fail "first_demo.sh: expected 'quick' or 'release', found '$profile'" ;;
esac

set -m # gives each build a process group of its own, to be ended as a whole
DERMAKE_CARRY_PAGE=no "${just[@]}" "$recipe" &
program=$!
DERMAKE_WORKERS=plain "${just[@]}" web &
page=$!
trap 'kill -- "-$program" "-$page" 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# A build that fails ends the other. Each is waited for once: the shell forgets those that were.
waiting="$program $page"
while [ -n "$waiting" ]; do
  sleep 1
  running=$(jobs -pr) builds=$waiting waiting=
  for build in $builds; do
    if grep -qx "$build" <<<"$running"; then waiting="$waiting $build"; else wait "$build"; fi
  done
done
trap - EXIT
say "this first page computes on one core; 'just build' builds the workers with threads and relaxed SIMD, too"
