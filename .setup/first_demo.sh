#!/usr/bin/env bash
# first_demo.sh JUST...: builds the page and the program for the first time, for `just demo`. To be quick, it builds both at
# once, and only the worker that every browser runs, without threads and relaxed SIMD; and the program does not carry the
# page, which is not ready by then.
set -euo pipefail
here=$(dirname "$0")
source "$here/step.sh"
just=("$@")

set -m # gives the program's build a process group of its own, to be ended as a whole
DERMAKE_CARRY_PAGE=no "${just[@]}" _program &
program=$!
trap 'kill -- "-$program" 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
DERMAKE_WORKERS=plain "${just[@]}" web
wait "$program"
trap - EXIT
say "this first page computes on one core; the next 'just demo' builds the workers with threads and relaxed SIMD, too"
