# shellcheck shell=bash
# Installs schemathesis, which tests the server against its OpenAPI document. Source it after env.sh and step.sh.

source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

SCHEMATHESIS_VERSION=4.32.5
SCHEMATHESIS_HOME=$DERMAKE_CACHE/tools/schemathesis-$SCHEMATHESIS_VERSION

schemathesis_ready() { "$SCHEMATHESIS_HOME/bin/st" --version >/dev/null 2>&1; }
install_schemathesis() {
  say "schemathesis $SCHEMATHESIS_VERSION: installing it from PyPI"
  make_venv "$SCHEMATHESIS_HOME" "schemathesis==$SCHEMATHESIS_VERSION"
}

# find_schemathesis: fails, with the reason in `missing`, if this machine's Python cannot run it.
find_schemathesis() { find_venv 11 schemathesis_ready install_schemathesis "schemathesis $SCHEMATHESIS_VERSION"; }
