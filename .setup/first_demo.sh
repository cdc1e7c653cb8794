#!/usr/bin/env bash
# first_demo.sh PROFILE JUST...: builds the page and the program for `just demo`, as long as `just build` has not built the
# page whole. To be quick, it builds both at once, and only the worker that every browser runs, without threads and relaxed
# SIMD; and the program does not carry the page, which is not ready by then. PROFILE is `quick` if the program needs only to
# serve files, else `release`.
set -euo pipefail
here=$(dirname "$0")
source "$here/step.sh"
source "$here/side_by_side.sh"
profile=$1
just=("${@:2}")
case $profile in
  quick) recipe=_quick-program ;;
  release) recipe=_program ;;
  *) fail "first_demo.sh: expected 'quick' or 'release', found '$profile'" ;;
esac

program() { DERMAKE_CARRY_PAGE=no "${just[@]}" "$recipe"; }
page() { DERMAKE_WORKERS=plain "${just[@]}" web; }
side_by_side program page
say "this first page computes on one core; 'just build' builds the workers with threads and relaxed SIMD, too"
