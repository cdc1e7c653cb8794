#!/usr/bin/env bash
# bench_web.sh BENCH [OPTION...]: installs onnxruntime-web and runs web/bench/BENCH.mjs on the built program and page. If
# this machine lacks something, the script says so and exits with 0.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/torch_env.sh"
source "$here/vision_inputs.sh"

name=$1
shift
bench=$DERMAKE_ROOT/web/bench
dermake=${DERMAKE_BIN:-${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/release/dermake}
app=${DERMAKE_APP:-$DERMAKE_ROOT/web/dist}
stamp=$bench/node_modules/.installed-lock.json # a copy of the lock file that was installed, written last

rival_ready() { cmp -s "$bench/package-lock.json" "$stamp"; }
install_rival() {
  say "onnxruntime-web: installing it with npm"
  rm -f "$stamp"
  npm --prefix "$bench" ci --no-audit --no-fund --silent >&2
  cp "$bench/package-lock.json" "$stamp"
}
not_run() { say "not run: the whole bench; $*" && exit 0; }

if [ ! -x "$dermake" ] || [ ! -e "$app/index.html" ]; then fail "please run 'just build' first"; fi
[ -n "$CHROMIUM" ] || not_run "there is no Chromium"
command -v npm >/dev/null || not_run "it needs Node.js 20 or newer, with npm"
command -v python3 >/dev/null || not_run "it needs Python 3, which exports the model for onnxruntime-web"
find_reference torch open_clip onnx onnxruntime onnxscript || not_run "$NO_REFERENCE"
(once rival_ready install_rival) || not_run "onnxruntime-web could not be installed into $bench/node_modules"
make_vision_inputs "$dermake" "$reference"

exec node "$bench/$name.mjs" --dermake "$dermake" --app "$app" --chromium "$CHROMIUM" \
  --models "$VISION/ours" --inputs "$VISION/onnx" --out "$DERMAKE_ROOT/target/bench" "$@"
