#!/usr/bin/env bash
# Checks training on CUDA without a GPU: builds dermake with CUDA, and runs `dermake gpu-check` with a driver that executes
# the kernels on the CPU (native-trainer/crates/engine/kernels/driver). Passes its options to gpu-check; without options,
# also trains, continues, classifies, goes on after a kernel broke off, and refuses GPUs that cannot be used.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/env.sh"
source "$here/step.sh"
source "$here/cuda.sh"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/emulated
program=$CARGO_TARGET_DIR/quick/dermake
driver=$DERMAKE_ROOT/native-trainer/crates/engine/kernels/driver

# A toolkit with the real headers and the emulated libraries.
toolkit=$CARGO_TARGET_DIR/toolkit
light_toolkit "$toolkit"
for name in libcuda.so{,.1} libcublas.so{,.13} libcublasLt.so{,.13} libcurand.so{,.10} libcudart.so libnvrtc.so; do
  ln -sf libemulated_gpu.so "$toolkit/lib64/$name"
done

# Compiles the driver's files in parallel; again if a kernel or one of them has changed.
library=$toolkit/lib64/libemulated_gpu.so
compile() {
  local flags=(-std=c++17 -O2 -Wall -fPIC -I"$toolkit/include")
  case $1 in */products.cpp) flags+=(-O3 -fassociative-math -fno-signed-zeros -fno-trapping-math) ;; esac
  "${CXX:-c++}" "${flags[@]}" -c "$1" -o "$objects/$(basename "$1" .cpp).o"
}
build_driver() {
  local file jobs=() job
  objects=$(mktemp -d)
  for file in "$driver"/*.cpp; do
    compile "$file" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || fail "the emulated driver does not compile"; done
  "${CXX:-c++}" -shared -Wl,-soname,libemulated_gpu.so,-z,defs -o "$library" "$objects"/*.o
  rm -r "$objects"
}
if [ ! -e "$library" ] || [ -n "$(find "$driver" "$driver/.." -maxdepth 1 -name "*.[ch]*" -newer "$library")" ]; then
  say "compiling the emulated driver"
  build_driver
fi

export CUDA_COMPUTE_CAP=90
export CARGO_ENCODED_RUSTFLAGS=${given_flags:+$given_flags$separator}-Clink-arg=-Wl,-rpath,$toolkit/lib64
say "building dermake for the emulated driver; the first time takes 7 minutes of one core"
cd "$DERMAKE_ROOT"
cargo build --profile quick --locked -p native-trainer --features cuda

report=$CARGO_TARGET_DIR/gpu.json
say "checking; results are written to $report"
"$program" gpu-check --small --device cuda --limit-secs 3600 --out "$report" "$@"

if [ $# = 0 ]; then source "$here/emulated_runs.sh"; fi
