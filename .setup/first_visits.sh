#!/usr/bin/env bash
# first_visits.sh PROGRAM APP BROWSER COUNT: opens the page COUNT times as a new visitor. Installs Firefox or WebKitGTK if
# needed.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

program=$1 app=$2 browser=$3 count=$4
firefox_ready() {
  source "$here/env.sh" # searches again
  [ -n "$FIREFOX" ]
}
install_firefox() {
  say "Firefox: installing it with apt"
  apt_install firefox-esr
}
webkit_ready() { { command -v xvfb-run && ls /usr/lib/*/webkit2gtk-*/MiniBrowser; } >/dev/null 2>&1; }
install_webkit() {
  say "WebKitGTK: installing it with apt"
  apt_install libwebkit2gtk-4.1-0 xvfb xauth
}

missing=
case $browser in
  firefox) (once firefox_ready install_firefox) && firefox_ready || missing="there is no Firefox" ;;
  chromium) [ -n "$CHROMIUM" ] || missing="there is no Chromium" ;;
  webkit) (once webkit_ready install_webkit) || missing="it needs WebKitGTK's MiniBrowser and xvfb-run" ;;
esac
[ -z "$missing" ] || cannot_test "first visits with $browser"
exec node "$DERMAKE_ROOT/e2e/first_visits.mjs" --dermake "$program" --app "$app" \
  --model "$("$here/demo_model.sh" "$program")" "$browser" "$count"
