#!/usr/bin/env bash
# Installs Chromium and ChromeDriver for the tests with apt, unless the system has them.
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
