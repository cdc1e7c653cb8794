#!/usr/bin/env bash
# demo_model.sh DERMAKE [MODEL]: quantizes MODEL to int8 once, and prints the folder. Without MODEL, prints the folder of
# the demo model in git.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

dermake=$1
model=${2:-}
model=${model#MODEL=}
models=$DERMAKE_CACHE/models

if [ -z "$model" ]; then
  echo "$DERMAKE_ROOT/shared-model/data/demo" # already quantized
  exit
fi

# A readable name with a hash of the model's address or, for a local one, of its files' names, times and sizes.
name=${model#hf-hub:}
identity=$model
if [ -e "$model" ]; then
  model=$(realpath "$model")
  name=${model##*/}
  identity=$(find -L "$model" -type f -printf '%p %T@ %s\n' | sort)
fi
name=${name//[^A-Za-z0-9._-]/-}-$(sha256sum <<<"$identity" | cut -c1-8)
served=$models/served/$name
stamp=$models/stamps/$name

# A hash of the source code: if the code has changed, so may have the layout, and the model is quantized again.
code=$(cd "$DERMAKE_ROOT" &&
  find Cargo.lock shared-model/src shared-model/data native-trainer/src native-trainer/crates static \
    \( -path shared-model/data/demo -o -path native-trainer/crates/server -o \
    -path native-trainer/crates/hub \) -prune -o -type f -print0 |
  LC_ALL=C sort -z | xargs -0 cat | sha256sum)

mkdir -p "$models/stamps" "$models/served"
exec 9>"$models/lock"
if command -v flock >/dev/null; then flock 9; fi # the demo and the tests may start at the same time

if [ ! -e "$served/manifest.json" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$code" ]; then
  rm -rf "$stamp" "$served"
  say "model: quantizing $model to int8, a minute or two"
  "$dermake" quantize --model "$model" --format int8 --out "$served" >/dev/null # a table of every tensor
  [ -e "$served/manifest.json" ] || fail "dermake quantize left no manifest.json in $served"
  echo "$code" >"$stamp"
fi
echo "$served"
