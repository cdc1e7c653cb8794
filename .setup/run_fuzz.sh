#!/usr/bin/env bash
# run_fuzz.sh SECS [TARGET...]: builds the fuzz targets and runs each for SECS, all of them if none is named. What an
# input finds is kept in native-trainer/fuzz/artifacts, and how to run it again is printed.
#
# A named target goes on from what led somewhere new before, which is kept beside the build. A run of all is a test:
# from the seeds in git on, with the same draws each time.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/cargo_install.sh"
source "$here/fuzz.sh"

secs=$1
shift
find_cargo_fuzz || { say "skipped: fuzzing ($missing)" && exit 0; }

build=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/fuzz
cd "$DERMAKE_ROOT/native-trainer"
# libFuzzer's instrumentation is an unstable option of the compiler, which the project's own has, too.
export RUSTC_BOOTSTRAP=1
# A target's own files go with the run. A leak is told by the limit on memory; looking for each costs time.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
export ASAN_OPTIONS=detect_leaks=0

options=(--release --target-dir "$build")
targets=("$@") corpora=$build/corpus draws=()
if [ $# -eq 0 ]; then
  mapfile -t targets < <(cargo fuzz list)
  corpora=$TMPDIR/corpus draws=(-seed=1)
fi
cargo fuzz build "${options[@]}"
for target in "${targets[@]}"; do
  corpus=$corpora/$target
  mkdir -p "$corpus"
  say "fuzzing $target for $secs s"
  # What takes more memory or longer than this is a finding as a panic is; other work on the machine counts as time, too.
  cargo fuzz run "${options[@]}" "$target" "$corpus" "$PWD/fuzz/seeds/$target" -- -max_total_time="$secs" "${draws[@]}" -timeout=30 \
    -rss_limit_mb=2048 -malloc_limit_mb=512 -max_len=65536 -print_final_stats=1 -verbosity=1
done
