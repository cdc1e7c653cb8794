#!/usr/bin/env bash
# test_python.sh DERMAKE [TEST...]: tests the Python package beside the program, with the module that `cargo test` built
# beside it, and beside a stand-in for the hub. With names of tests, such as `test_evaluate` or
# `test_evaluate.TestEvaluate.NAME`, only these run. `just release-check` tests the wheel.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/python_env.sh"

dermake=$(realpath "$1")
shift
find_python || cannot_test "the tests of the Python package"

crate=$DERMAKE_ROOT/native-trainer/crates/python
module=$(dirname "$dermake")/deps/lib_dermake.so
[ -e "$module" ] || module=${module%.so}.dylib
[ -e "$module" ] || fail "the module is not built: cargo test --release --workspace --no-run"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$crate/python/dermake" "$work"
ln -s "$module" "$work/dermake/_dermake.abi3.so"
cd "$work"
export XDG_CACHE_HOME=$work/cache DERMAKE_BIN=$dermake DERMAKE_SAMPLES=$DERMAKE_ROOT/shared-model/data/samples
export PYTHONPATH=$work PYTHONDONTWRITEBYTECODE=1
if [ $# -gt 0 ]; then
  PYTHONPATH=$work:$crate/tests "$PYTHON_HOME/bin/python" -m unittest "$@"
  exit
fi
DERMAKE_HUB=$("$DERMAKE_ROOT/.setup/standin_hub.sh")
export DERMAKE_HUB
"$PYTHON_HOME/bin/python" -m unittest discover --start-directory "$crate/tests"
