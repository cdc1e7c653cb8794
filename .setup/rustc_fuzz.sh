#!/usr/bin/env bash
# Runs rustc for the fuzz targets. Adds libFuzzer's instrumentation to our own crates and to those that the profile `fuzz`
# optimizes, which read inputs. The other crates, most of them matrix products, would take minutes to build with it.
set -euo pipefail

libfuzzer=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Cllvm-args=-sanitizer-coverage-stack-depth
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0
)
case " ${CARGO_MANIFEST_DIR:-} $* " in
  " ${0%/.setup/*}"*" --cfg fuzzing "* | *" opt-level="*" --cfg fuzzing "*) exec "$@" "${libfuzzer[@]}" ;;
  *) exec "$@" ;; # build scripts and macros, too
esac
