#!/usr/bin/env bash
# bench_packages.sh [OPTION...]: installs transformers.js and runs web/bench/packages.mjs on the built program and page. If
# this machine lacks something, the script says so and exits with 0.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/torch_env.sh"

bench=$DERMAKE_ROOT/web/bench
dermake=${DERMAKE_BIN:-${CARGO_TARGET_DIR:-$DERMAKE_ROOT/target}/release/dermake}
app=${DERMAKE_APP:-$DERMAKE_ROOT/web/dist}
inputs=$DERMAKE_ROOT/target/bench/clip
folder=

# One stamp a folder: a copy of the lock file that was installed, written last.
packages_ready() { cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"; }
install_packages() {
  say "$(basename "$folder"): installing its packages with npm"
  rm -f "$folder/node_modules/.installed-lock.json"
  npm --prefix "$folder" ci --ignore-scripts --no-audit --no-fund --silent >&2 &&
    cp "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"
}
not_run() { say "not run: the whole bench; $*" && exit 0; }

if [ ! -x "$dermake" ] || [ ! -e "$app/index.html" ]; then fail "please run 'just build' first"; fi
dermake=$(realpath "$dermake")
[ -n "$CHROMIUM" ] || not_run "there is no Chromium"
node_fits || not_run "it needs $NODE_WANTED"
find_reference torch transformers open_clip onnx onnxruntime onnxscript || not_run "$NO_REFERENCE"
for folder in "$bench" "$bench/packages"; do
  (once packages_ready install_packages) || not_run "the packages of $folder could not be installed"
done
say "random CLIP ViT-B/16: exporting it to ONNX, and quantizing it; some minutes the first time"
"$reference" -B "$DERMAKE_ROOT/native-trainer/benches/export_clip.py" --out "$inputs" >/dev/null
rm -rf "$inputs/ours" # every time, since its layout changes with the code
"$dermake" quantize --model "$inputs/checkpoint" --format int8 --calibrate none --out "$inputs/ours" >/dev/null

exec node "$bench/packages.mjs" --dermake "$dermake" --app "$app" --chromium "$CHROMIUM" \
  --models "$inputs/ours" --inputs "$inputs/transformers.js" --out "$DERMAKE_ROOT/target/bench" \
  --photo "$DERMAKE_ROOT/shared-model/data/samples/sample-2.jpg" "$@"
