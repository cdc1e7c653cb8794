#!/usr/bin/env bash
# bench_image_flags.sh DERMAKE [OPTION...]: how often `prepare --flag-faces-and-text` finds text that is drawn into drawn
# photos, and parts of faces if `--faces` names dlib's folder examples/faces. Needs the fonts of fonts-dejavu.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/python_env.sh"

find_python || fail "the figures of image flags: $missing"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON_HOME/bin/python" "$here/image_flags.py" "$1" "$work" "${@:2}"
