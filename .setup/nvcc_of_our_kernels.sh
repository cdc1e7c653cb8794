#!/usr/bin/env bash
# Replaces nvcc in builds for the emulated driver. Passes the project's kernels.cu to the real nvcc (DERMAKE_NVCC) and
# writes empty files for candle's kernels, which take 15 minutes of one core to compile and would never run: the
# emulated driver has C++ versions of those that training uses.
set -euo pipefail

case " $* " in
  *native-trainer/crates/engine/kernels/kernels.cu* | *" --version "*) exec "$DERMAKE_NVCC" "$@" ;;
esac

output='' source='' folder=.
while [ $# -gt 0 ]; do
  case $1 in
    -o | --output-file) output=$2 && shift ;;
    --output-directory) folder=$2 && shift ;;
    --output-file=*) output=${1#*=} ;;
    --output-directory=*) folder=${1#*=} ;;
    *.cu) source=$1 ;;
  esac
  shift
done
if [ -n "$output" ]; then
  printf '!<arch>\n' >"$output" # an archive without members, which linkers accept
else
  : >"$folder/$(basename "$source" .cu).ptx"
fi
