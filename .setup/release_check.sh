#!/usr/bin/env bash
# release_check.sh DERMAKE DIST OUT: makes what is released (npm package, wheel, crate, program), installs each into an
# empty folder and runs its main job there. DIST is the built page.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/python_env.sh"

dermake=$(realpath "$1") dist=$2 out=$3
mkdir -p "$out"
out=$(cd "$out" && pwd)
photo=$DERMAKE_ROOT/shared-model/data/samples/sample-2.jpg
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache # empty, and no model of this machine

say "the program, alone in a folder"
mkdir "$work/program"
cp "$dermake" "$work/program"
expected=$(cd "$work/program" && ./dermake classify --json "$photo" 2>/dev/null)
grep -q '"label":"melanoma"' <<<"$expected" || fail "the program does not answer: $expected"

say "the wheel"
wheel=$(XDG_CACHE_HOME=$(dirname "$DERMAKE_CACHE") "$DERMAKE_ROOT/.setup/wheel.sh" "$dermake" "$out")
python3 -m venv "$work/wheel"
"$work/wheel/bin/python" -m pip install --quiet --disable-pip-version-check "$wheel" pillow
(cd "$work" && DERMAKE_BIN=$work/wheel/bin/dermake DERMAKE_SAMPLES=$(dirname "$photo") \
  "$work/wheel/bin/python" "$DERMAKE_ROOT/native-trainer/crates/python/tests/test_dermake.py")
(cd "$work" && "$work/wheel/bin/python" -m dermake --version)

say "the npm package"
tarball=$("$DERMAKE_ROOT/web/npm/pack.sh" "$dist" "$out")
mkdir "$work/npm"
(cd "$work/npm" && npm init --yes >/dev/null && npm install --silent --no-audit --no-fund "$tarball" && ls node_modules/dermake/worker/plain.wasm)

say "the crate, with its example outside the workspace"
cargo package --locked --quiet --no-verify --allow-dirty -p shared-model --target-dir "$work/package"
mkdir "$work/crate"
tar -xzf "$work"/package/package/shared-model-*.crate -C "$work/crate" --strip-components 1
(cd "$work/crate" && CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/crate \
  cargo run --release --quiet --example classify -- "$photo" "melanoma, nevus") | tee "$work/answer"
grep -q melanoma "$work/answer" || fail "the crate's example does not answer"
say "all of them work: $out"
