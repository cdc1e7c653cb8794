#!/usr/bin/env bash
# Installs Playwright into e2e/node_modules for the browser tests. It uses the Chromium of browser.sh.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

e2e=$DERMAKE_ROOT/e2e
stamp=$e2e/node_modules/.installed-lock.json # a copy of the lock file that was installed, written last

node_ready() { cmp -s "$e2e/package-lock.json" "$stamp"; }
install_node_modules() {
  say "Playwright: installing it with npm"
  rm -f "$stamp"
  if [ -e "$e2e/package-lock.json" ]; then
    npm --prefix "$e2e" ci --no-audit --no-fund --silent >&2
  else
    npm --prefix "$e2e" install --no-audit --no-fund --silent >&2
  fi
  cp "$e2e/package-lock.json" "$stamp"
}

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  fail "please install $NODE_WANTED, with npm, then run this again"
fi
node_fits || fail "please install $NODE_WANTED, then run this again; found $(node --version)"
once node_ready install_node_modules
