#!/usr/bin/env bash
# run_fuzz.sh SECS [TARGET...]: builds the fuzz targets and runs each for SECS; all of them if none is named. An input that
# fails is saved in native-trainer/fuzz/artifacts, and the command that repeats it is printed.
#
# A named target starts from the inputs that earlier runs found useful, which are stored beside the build. A run of all
# targets is a test: it starts from the seeds in git, with a fixed random seed.
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
# libFuzzer's instrumentation is an unstable compiler option; this allows it in a stable compiler.
export RUSTC_BOOTSTRAP=1
# Temporary files of the targets are removed at the end. The memory limit finds leaks; LeakSanitizer is too slow.
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
  # An input that needs more memory or time than this fails, as one that panics does. Time is wall time, so the limit is
  # generous.
  cargo fuzz run "${options[@]}" "$target" "$corpus" "$PWD/fuzz/seeds/$target" -- -max_total_time="$secs" "${draws[@]}" -timeout=30 \
    -rss_limit_mb=2048 -malloc_limit_mb=512 -max_len=65536 -print_final_stats=1 -verbosity=1
done
