#!/usr/bin/env bash
# screens.sh PROGRAM APP FOLDER [SCREEN...]: takes pictures of the page's screens into FOLDER. The server has the demo model
# twice, so that models can be compared.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/background_server.sh"

program=$1 app=$2
shift 2
[ -n "$CHROMIUM" ] || fail "there is no Chromium: run 'just setup'"
make_work
demo=$("$here/demo_model.sh" "$program")
cp -r "$demo" "$work/other"
sed 's/"name": *"\([^"]*\)"/"name": "\1, a copy"/' "$demo/manifest.json" >"$work/other/manifest.json"
serve "$program" serve --app "$app" --port 0 --models "$demo" --models "$work/other"
node "$DERMAKE_ROOT/e2e/screens.mjs" "$url" "$@"
