#!/usr/bin/env bash
# first_visits.sh PROGRAM APP BROWSER COUNT: opens the page COUNT times as a new visitor. If the browser cannot be
# installed, the script says so and exits with 0.
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
not_run() { say "not run: first visits with $browser; $*" && exit 0; }

case $browser in
  firefox) (once firefox_ready install_firefox) || not_run "there is no Firefox"; firefox_ready ;;
  chromium) [ -n "$CHROMIUM" ] || not_run "there is no Chromium" ;;
  webkit)
    { command -v xvfb-run && ls /usr/lib/*/webkit2gtk-*/MiniBrowser; } >/dev/null 2>&1 ||
      not_run "it needs WebKitGTK's MiniBrowser and xvfb-run"
    ;;
esac
exec node "$DERMAKE_ROOT/e2e/first_visits.mjs" --dermake "$program" --app "$app" \
  --model "$("$here/demo_model.sh" "$program")" "$browser" "$count"
