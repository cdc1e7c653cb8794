#!/usr/bin/env bash
# workers.sh FOLDER: builds the worker's program into a folder four times: with and without relaxed SIMD, with and without
# threads. The page uses the best build that its browser runs (boot.js). DERMAKE_WORKERS names the builds if fewer are
# wanted: `plain`, which every browser runs, and others after a space.
#
# Threads share memory, so everything in their builds is compiled with atomics, the standard library too: from Rust's
# sources, by the stable compiler, which RUSTC_BOOTSTRAP allows to do so.
set -euo pipefail
cd "$(dirname "$0")/.."
source .setup/env.sh
source .setup/step.sh
source .setup/side_by_side.sh
out=$1
target=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}

# The libraries are built once without and once with atomics; with relaxed SIMD only our crates are built again.
shared_memory=(--shared-memory --import-memory --max-memory=1073741824)
shared_memory+=(--export=__wasm_init_tls --export=__tls_size --export=__tls_align --export=__tls_base)
threads_flags="-Ctarget-feature=+simd128,+atomics,+bulk-memory,+mutable-globals ${shared_memory[*]/#/-Clink-arg=}"

# build NAME TARGET_DIR [CARGO_OPTION...]
build() {
  local name=$1 dir=$2
  shift 2
  cargo build --profile web --locked -p web --bin worker --no-default-features --target "$WASM_TARGET" --target-dir "$dir" "$@"
  wasm-bindgen --target no-modules --no-typescript --remove-name-section --remove-producers-section \
    --out-dir "$out" --out-name "worker-$name" "$dir/$WASM_TARGET/web/worker.wasm"
}
build_threads() {
  RUSTC_BOOTSTRAP=1 RUSTFLAGS=$threads_flags build "$1" "$target/threads" -Zbuild-std=std,panic_abort "${@:2}"
}

all="plain relaxed threads threads_relaxed"
wanted=" ${DERMAKE_WORKERS:-$all} "
for name in $wanted; do
  [[ " $all " == *" $name "* ]] || fail "DERMAKE_WORKERS: expected some of $all, found $name"
done
[[ "$wanted" == *" plain "* ]] || fail "DERMAKE_WORKERS: expected plain among them, which the page starts if it can start no other"
# With the page's libraries, which the worker does not use, these have the features of the page's program and share what
# is built for it.
without_threads() {
  use_wasm_toolchain
  if [[ "$wanted" == *" plain "* ]]; then build plain "$target" --features page-libraries; fi
  if [[ "$wanted" == *" relaxed "* ]]; then build relaxed "$target" --features page-libraries,relaxed-simd; fi
}
with_threads() {
  use_threads_toolchain
  if [[ "$wanted" == *" threads "* ]]; then build_threads threads; fi
  if [[ "$wanted" == *" threads_relaxed "* ]]; then build_threads threads_relaxed --features relaxed-simd; fi
}
side_by_side without_threads with_threads
