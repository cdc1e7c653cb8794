#!/usr/bin/env bash
# run_fuzz.sh SECS [TARGET...]: builds the fuzz targets, which are one program, and runs each for SECS; all of them if none
# is named. An input that fails is saved in native-trainer/fuzz/artifacts, and the command that repeats it is printed.
#
# A named target starts from the inputs that earlier runs found useful, which are stored beside the build. A run of all
# targets is a test: it starts from the seeds in git, with a fixed random seed.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

secs=$1
shift
missing=
if [[ "$(uname -sm)" != "Linux x86_64" ]]; then
  missing="it runs on Linux on x86-64"
elif [ -z "$(first_found "${CXX:-}" c++ g++ clang++)" ]; then
  missing="libFuzzer needs a C++ compiler: apt-get install g++"
fi
[ -z "$missing" ] || cannot_test "fuzzing"

# The flags differ from those of the other builds, so the fuzz targets have a folder of their own.
build=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/fuzz
cd "$DERMAKE_ROOT"
# AddressSanitizer is an unstable compiler option; RUSTC_BOOTSTRAP allows it in a stable compiler. rustc_fuzz.sh adds
# libFuzzer's instrumentation. With --target, build scripts and macros are built without both.
host=$(rustc --version --verbose | awk '/^host:/ { print $2 }')
RUSTC_BOOTSTRAP=1 RUSTC_WRAPPER=$DERMAKE_ROOT/.setup/rustc_fuzz.sh RUSTFLAGS="-Zsanitizer=address --cfg fuzzing" \
  cargo build --profile fuzz --locked -p dermake-fuzz --bin fuzz --features libfuzzer \
  --target "$host" --target-dir "$build"
program=$build/$host/fuzz/fuzz

# Temporary files of the targets are removed at the end. The memory limit finds leaks; LeakSanitizer is too slow.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
export ASAN_OPTIONS=detect_leaks=0

fuzz=$DERMAKE_ROOT/native-trainer/fuzz
targets=("$@") corpora=$build/corpus
if [ $# -eq 0 ]; then
  mapfile -t targets < <(ls "$fuzz/seeds")
  corpora=$TMPDIR/corpus
fi

# fuzz TARGET OPTION...: fuzzes a target.
fuzz() {
  local target=$1
  shift
  mkdir -p "$corpora/$target" "$fuzz/artifacts/$target"
  # An input that needs more memory or time than this fails, as one that panics does. Time is wall time, so the limit is
  # generous.
  DERMAKE_FUZZ=$target "$program" "$corpora/$target" "$fuzz/seeds/$target" -max_total_time="$secs" "$@" -timeout=30 \
    -rss_limit_mb=2048 -malloc_limit_mb=512 -max_len=65536 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="$fuzz/artifacts/$target/"
}
failed() { fail "$1 failed; to repeat it: ASAN_OPTIONS=detect_leaks=0 DERMAKE_FUZZ=$1 $program INPUT"; }

# fuzz_in_turn FIRST: fuzzes every n-th target, of n cores. Prints how many inputs each had, and the log of one that fails.
fuzz_in_turn() {
  local at log
  for ((at = $1; at < ${#targets[@]}; at += n_cores)); do
    log=$TMPDIR/${targets[at]}.log
    fuzz "${targets[at]}" -seed=1 >"$log" 2>&1 || { cat "$log" >&2 && failed "${targets[at]}"; }
    say "fuzzed ${targets[at]} for $secs s: $(awk '/number_of_executed_units/ { print $2 }' "$log") inputs"
  done
}

if [ $# -gt 0 ]; then
  for target in "${targets[@]}"; do
    say "fuzzing $target for $secs s"
    fuzz "$target" || failed "$target"
  done
  exit
fi
n_cores=$(nproc) turns=() status=0
set -m # gives each turn a process group of its own, to be ended as a whole
trap 'kill -- "${turns[@]/#/-}" 2>/dev/null; rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
for ((first = 0; first < n_cores; first++)); do
  fuzz_in_turn "$first" &
  turns+=($!)
done
for turn in "${turns[@]}"; do wait "$turn" || status=1; done
exit "$status"
