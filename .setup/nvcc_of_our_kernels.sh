#!/usr/bin/env bash
# An nvcc for builds that run on the emulated driver: hands native-trainer/kernels/kernels.cu to the real one, whose
# path is in DERMAKE_NVCC, and writes empty files for candle's kernels. Those take 15 minutes of one core to compile,
# and nothing would run them: the emulated driver has C++ versions of the ones that training uses, by name.
set -euo pipefail

case " $* " in
  *native-trainer/kernels/kernels.cu* | *" --version "*) exec "$DERMAKE_NVCC" "$@" ;;
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
