#!/usr/bin/env bash
# Chromium for the tests, and its driver: the system's own, or from apt.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

browser_ready() {
  source "$here/env.sh" # looks for both again
  [ -n "$CHROMIUM" ] && [ -n "$CHROMEDRIVER" ]
}
install_browser() {
  say "Chromium and its driver: installing them with apt"
  apt_install chromium chromium-driver
}

once browser_ready install_browser
