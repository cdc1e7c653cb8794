#!/usr/bin/env bash
# release_check.sh DIST OUT: makes what is released (program, wheel, npm package, crate) into OUT, installs each into an empty
# folder with nothing else, and runs its main job there. DIST is the built page. Damaged files must be refused, in words.
# Where Zig is to be had, program and wheel are built for old systems, else for this one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/env.sh"
source "$here/step.sh"
source "$here/python_env.sh"
source "$here/glibc.sh"
source "$here/zig.sh"
source "$here/licenses.sh"

dist=$(realpath "$1") out=$2
mkdir -p "$out"
out=$(cd "$out" && pwd)
photo=$DERMAKE_ROOT/shared-model/data/samples/sample-2.jpg
model=$DERMAKE_ROOT/shared-model/data/demo
tools_cache=$(dirname "$DERMAKE_CACHE")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache # empty, and no model of this machine

# bare COMMAND...: runs it with hardly an environment.
bare() { env -i PATH=/usr/bin:/bin HOME="$work/home" "$@"; }
# refused WHAT COMMAND...: fails if the command succeeds, or says nothing.
refused() {
  local what=$1
  shift
  if "$@" >"$work/refused" 2>&1; then fail "$what is installed as if it were whole or fitted"; fi
  [ -s "$work/refused" ] || fail "$what is refused without a word"
}
# refused_if_damaged FILE COMMAND...: fails unless the command, followed by a file, refuses FILE without its last third, and
# FILE with another byte in the middle.
refused_if_damaged() {
  local file=$1 name copy
  shift
  name=$(basename "$file") copy=$work/damaged/$(basename "$file")
  mkdir -p "$work/damaged" "$work/none"
  head -c $(($(stat -c %s "$file") * 2 / 3)) "$file" >"$copy"
  refused "$name without its end" "$@" "$copy"
  python3 -c 'import sys; data = bytearray(open(sys.argv[1], "rb").read()); data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)' "$file" "$copy"
  refused "$name with another byte" "$@" "$copy"
}
# named FILE: fails if the file's name has another version than the workspace.
named() {
  [[ $(basename "$1") == *-"$DERMAKE_VERSION"[-.]* ]] || fail "$1 is not of version $DERMAKE_VERSION, which Cargo.toml has"
  say "made $(basename "$1"), $(stat -c %s "$1") bytes"
}

check_program() {
  local archive folder
  archive=$("$here/program.sh" "$dermake" "$out")
  named "$archive"
  mkdir "$work/program"
  tar -xzf "$archive" -C "$work/program" --strip-components 1
  folder=$work/program
  [ "$(bare "$folder/dermake" --version)" = "dermake $DERMAKE_VERSION" ] || fail "the program has another version"
  expected=$(cd "$folder" && bare ./dermake classify --json "$photo" 2>/dev/null) || fail "the program does not run"
  grep -q '"label":"melanoma"' <<<"$expected" || fail "the program does not answer: $expected"
  check_licenses "$folder" "Bitstream Vera" "Copyright (c) 2021 OpenAI" ftfy "resvg 0." "leptos 0." "candle-core 0."
  (cd "$work" && bare "$folder/dermake" site --out page >/dev/null 2>&1) || fail "the program has no page to write as files"
  grep -qF "wasm-bindgen 0." "$work/page/licenses.txt" || fail "the page has no licenses"
  refused_if_damaged "$archive" tar -C "$work/none" -xzf
}

check_wheel() {
  local wheel hub python=$work/wheel/bin/python
  wheel=$(XDG_CACHE_HOME=$tools_cache "$here/wheel.sh" "$dermake" "$out" "${portable[@]}")
  named "$wheel"
  python3 -m venv "$work/wheel"
  "$python" -m pip install --quiet --disable-pip-version-check "$wheel" pillow || fail "pip does not install $wheel"
  hub=$(XDG_CACHE_HOME=$tools_cache "$here/standin_hub.sh")
  (cd "$work" && DERMAKE_BIN=$work/wheel/bin/dermake DERMAKE_SAMPLES=$(dirname "$photo") DERMAKE_HUB=$hub \
    "$python" -B -m unittest discover --start-directory "$DERMAKE_ROOT/native-trainer/crates/python/tests") ||
    fail "the wheel's tests fail"
  [ "$(cd "$work" && "$python" -m dermake --version)" = "dermake $DERMAKE_VERSION" ] ||
    fail "python -m dermake has another version"
  check_licenses "$(echo "$work"/wheel/lib/python*/site-packages/dermake-*.dist-info/licenses)" "Bitstream Vera" \
    "Copyright (c) 2021 OpenAI" ftfy "numpy 0." "pyo3 0." "resvg 0." "leptos 0."
  # pip knows by the wheel's name that a 32-bit Python cannot load it.
  refused "the wheel, by a 32-bit Python," "$python" -m pip install --disable-pip-version-check --no-deps --dry-run \
    --target "$work/none" --only-binary :all: --platform "linux_i686" --platform manylinux_2_99_i686 "$wheel"
  grep -q "not a supported wheel on this platform" "$work/refused" || fail "pip says nothing of the platform: $(cat "$work/refused")"
  refused_if_damaged "$wheel" "$python" -m pip install --disable-pip-version-check --no-deps --target "$work/none/wheel"
}

check_npm() {
  local tarball
  tarball=$("$DERMAKE_ROOT/web/npm/pack.sh" "$dist" "$out")
  named "$tarball"
  mkdir -p "$work/npm/models"
  cp -r "$model" "$work/npm/models/demo"
  cp "$DERMAKE_ROOT/web/npm/examples/node.mjs" "$work/npm"
  (cd "$work/npm" && npm init --yes >/dev/null && npm install --silent --offline --no-audit --no-fund "$tarball") ||
    fail "npm does not install $tarball"
  (cd "$work/npm" && node node.mjs "$photo") >"$work/answer" || fail "the npm package does not run in Node.js $(node --version)"
  grep -q "melanoma" "$work/answer" || fail "the npm package does not answer: $(cat "$work/answer")"
  check_licenses "$work/npm/node_modules/dermake" "Copyright (c) 2021 OpenAI" ftfy "wasm-bindgen 0." "candle-core 0."
  refused_if_damaged "$tarball" npm --prefix "$work/none" install --offline --no-audit --no-fund
}

check_crate() {
  local crate
  cargo package --locked --quiet --no-verify --allow-dirty -p shared-model --target-dir "$work/package"
  crate=$(echo "$work"/package/package/shared-model-*.crate)
  named "$crate"
  cp "$crate" "$out"
  mkdir "$work/crate"
  tar -xzf "$crate" -C "$work/crate" --strip-components 1
  [ -s "$work/crate/LICENSE-APACHE" ] && [ -s "$work/crate/data/LICENSE-CLIP" ] || fail "the crate lacks a license"
  (cd "$work/crate" && CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/crate \
    cargo run --release --quiet --example classify -- "$photo" "melanoma, nevus") >"$work/answer" ||
    fail "the crate's example does not run outside of the workspace"
  grep -q melanoma "$work/answer" || fail "the crate's example does not answer: $(cat "$work/answer")"
  refused_if_damaged "$crate" tar -C "$work/none" -xzf
}

[ -n "$DERMAKE_VERSION" ] || fail "Cargo.toml has no version in [workspace.package]"
mkdir "$work/home"
rm -f "$out"/*-"$DERMAKE_VERSION"[-.]* # of an earlier run
portable=()
if find_zig; then
  # With the usual cache, in which the compiler's wrappers are: another path would build everything anew.
  dermake=$(XDG_CACHE_HOME=$tools_cache build_portable)
  needed=$(glibc_of "$dermake")
  [ "$(printf '%s\n' "$needed" "$OLDEST_GLIBC" | sort -V | tail -n 1)" = "$OLDEST_GLIBC" ] ||
    fail "the program needs glibc $needed, expected $OLDEST_GLIBC at most"
  portable=(portable)
else
  say "program and wheel need the C library of this system: $missing"
  (cd "$DERMAKE_ROOT" && cargo build --release --locked -p native-trainer --bin dermake)
  dermake=${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/release/dermake
fi
for part in program wheel npm crate; do
  say "the $part"
  "check_$part"
done
(cd "$out" && sha256sum ./*"-$DERMAKE_VERSION"* >SHA256SUMS)
say "all of them work: $out"
